"""Tang poems: perplexity per character on the test poems over that of the best interpolated Kneser-Ney model.

    python benchmarks/recipe_generate_tang.py --out RUN [--minutes M] [--seed 0]
    python benchmarks/recipe_generate_tang.py --renew      the baseline anew, beside the recorded network

Every 20th poem is test and the one after it validates: the step is chosen on it. Each poem is read apart: begin, its
lines, each with its end, and an end symbol; both models predict the same symbols and know nothing of the title.
Characters met less than twice in training are one unknown symbol, for both models. LOG.md has no search of the
network's settings. Order, discounts and cut-off of the Kneser-Ney model were chosen on the validation poems, in the
same vocabulary, by bench_ngram.py; for the test it counts the validation poems, too.
"""

import math

import numpy
import torch
from generation import Outcome, apart, arguments, codec_of, fitted, outcome, poems, recorded
from ngram_baseline import Choice
from numpy.typing import ArrayLike
from record import record, write

from gruworks.data.vocabulary import UNKNOWN
from gruworks.tasks.generate.data import Codec

SETTINGS = {"hidden_size": 256, "layers": 2, "sequence": 64, "min_count": 2, "documents": "apart"}
SETTINGS |= {"dropout": 0.1, "input_dropout": 0.05, "output_dropout": 0.2}
SETTINGS |= {"batch_size": 32, "learning_rate": 5e-3, "steps": 2000, "validate_every": 250}
TRAIN, VALIDATION, TEST = set(range(2, 20)), {1}, {0}  # places modulo 20
NAME, FIGURE = "generate_tang", "generate/tang/perplexity-ratio-kn5"
KNESER_NEY = Choice(6, modified=True)


def symbols(codec: Codec, part: set[int]) -> list[ArrayLike]:
    """The symbols that are predicted of each poem of a part, its end symbol the last."""
    return [codec.encode(one, titled=False)[0][1:] for one in poems(part)]


def network(options) -> Outcome:
    generator = fitted(SETTINGS, poems(TRAIN), poems(VALIDATION), options)
    torch.set_num_threads(options.threads)
    return outcome(generator, math.exp(apart(generator, poems(TEST))), options)


def main() -> None:
    parser = arguments(__doc__, minutes=60)
    parser.add_argument("--renew", action="store_true", help="the baseline alone; the network is the recorded one")
    options = parser.parse_args()
    ours = recorded(NAME, FIGURE) if options.renew else network(options)
    codec = codec_of(SETTINGS, poems(TRAIN))
    size, test = len(codec.vocabulary), symbols(codec, TEST)
    baseline = KNESER_NEY.model(symbols(codec, TRAIN | VALIDATION), size).perplexity(test)
    note = (
        f"perplexity {ours.perplexity:.2f} beside {baseline:.2f} of Kneser-Ney ({KNESER_NEY}); {size} symbols, "
        f"{float((numpy.concatenate(test) == UNKNOWN).mean()):.2%} of the test unknown; {ours.told}"
    )
    print(ours.perplexity / baseline, note)
    write(NAME, [record(FIGURE, ours.perplexity / baseline, **ours.facts, baseline=baseline, note=note)])


if __name__ == "__main__":
    main()
