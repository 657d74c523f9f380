"""The novel 红楼梦 by character: perplexity on its last tenth over that of the best interpolated Kneser-Ney model.

    python benchmarks/recipe_generate_hongloumeng.py --out RUN [--minutes M] [--seed 0]
    python benchmarks/recipe_generate_hongloumeng.py --renew      the baseline anew, beside the recorded network

The network learns from the first 85.5 % of the characters, the next 4.5 % choose the step, the last 10 % are the test,
read once with the state carried. LOG.md has no search of its settings. Characters met less than twice in what it learns
from are one unknown symbol, for both models. Order, discounts and cut-off of the Kneser-Ney model were chosen by the
4.5 %, in the same vocabulary, by bench_ngram.py; for the test it counts all of the first 90 %.
"""

import math

import torch
from generation import Outcome, arguments, carried, codec_of, fitted, outcome, recorded, text
from ngram_baseline import Choice
from record import record, write

from gruworks.data.text import Document
from gruworks.data.vocabulary import UNKNOWN

SETTINGS = {"hidden_size": 256, "layers": 2, "sequence": 64, "min_count": 2, "restart": 0.02}
SETTINGS |= {"dropout": 0.15, "input_dropout": 0.1, "output_dropout": 0.25}
SETTINGS |= {"batch_size": 16, "learning_rate": 5e-3, "steps": 3000, "validate_every": 250}
NAME, FIGURE = "generate_hongloumeng", "generate/hongloumeng/perplexity-ratio-kn5"
KNESER_NEY = Choice(8, modified=True)


def parts() -> tuple[str, str, str]:
    """Training, validation and test text."""
    whole = text("hongloumeng.txt")
    first, last = int(0.855 * len(whole)), int(0.9 * len(whole))
    return whole[:first], whole[first:last], whole[last:]


def network(options) -> Outcome:
    learnt, held, test = parts()
    generator = fitted(SETTINGS, [Document(learnt)], [Document(held)], options)
    torch.set_num_threads(options.threads)
    return outcome(generator, math.exp(carried(generator, test)), options)


def main() -> None:
    parser = arguments(__doc__, minutes=60)
    parser.add_argument("--renew", action="store_true", help="the baseline alone; the network is the recorded one")
    options = parser.parse_args()
    ours = recorded(NAME, FIGURE) if options.renew else network(options)
    learnt, held, test = parts()
    vocabulary = codec_of(SETTINGS, [Document(learnt)]).vocabulary
    size, ids = len(vocabulary), vocabulary.encode(test)
    baseline = KNESER_NEY.model([vocabulary.encode(learnt + held)], size).perplexity([ids])
    note = (
        f"perplexity {ours.perplexity:.2f} beside {baseline:.2f} of Kneser-Ney ({KNESER_NEY}); {size} symbols, "
        f"{float((ids == UNKNOWN).mean()):.2%} of the test unknown; {ours.told}"
    )
    print(ours.perplexity / baseline, note)
    write(NAME, [record(FIGURE, ours.perplexity / baseline, **ours.facts, baseline=baseline, note=note)])


if __name__ == "__main__":
    main()
