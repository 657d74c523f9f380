"""Tang poems: perplexity per character on the test poems over an interpolated Kneser-Ney 5-gram's.

    python benchmarks/recipe_generate_tang.py --out RUN [--minutes M] [--seed 0]

Every 20th poem is test and the one after it validates. Each poem is read apart: begin, its lines, each with its end,
and an end symbol; both models predict the same symbols and know nothing of the title. The 5-gram counts the
validation poems too.
"""

import math

import numpy
import torch
from generation import apart, arguments, fitted, parameters, poems
from record import record, write

from gruworks.data.vocabulary import UNKNOWN
from gruworks.ops.language_model.kneser_ney import baseline

SETTINGS = {"hidden_size": 256, "layers": 2, "sequence": 64, "min_count": 2, "documents": "apart"}
SETTINGS |= {"dropout": 0.1, "input_dropout": 0.05, "output_dropout": 0.2}
SETTINGS |= {"batch_size": 32, "learning_rate": 5e-3, "steps": 2000, "validate_every": 250}


def main() -> None:
    options = arguments(__doc__, minutes=60).parse_args()
    generator = fitted(SETTINGS, poems(set(range(2, 20))), poems({1}), options)
    torch.set_num_threads(options.threads)
    test = poems({0})
    ours, titled = (math.exp(apart(generator, test, titled)) for titled in (False, True))
    parts = (poems(set(range(1, 20))), test)
    read = [[generator.codec.encode(one, titled=False)[0][1:] for one in part] for part in parts]
    kneser_ney = baseline(*read, len(generator.codec.vocabulary))
    unknown = float((numpy.concatenate(read[1]) == UNKNOWN).mean())
    fit = generator.metrics
    note = (
        f"perplexity {ours:.2f} beside {kneser_ney:.2f} of the 5-gram; {len(generator.codec.vocabulary)} symbols, "
        f"{unknown:.2%} of the test unknown; with the title read first {titled:.2f}; seed {options.seed}, "
        f"{fit['steps']} steps, best at {fit['best_step']}, "
        f"{fit['ended_by']}"
    )
    print(ours / kneser_ney, note)
    facts = {"seeds": 1, "parameters": parameters(generator), "minutes": fit["minutes"], "threads": options.threads}
    figure = "generate/tang/perplexity-ratio-kn5"
    write("generate_tang", [record(figure, ours / kneser_ney, **facts, baseline=kneser_ney, note=note)])


if __name__ == "__main__":
    main()
