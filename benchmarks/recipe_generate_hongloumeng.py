"""The novel 红楼梦 by character: perplexity on its last tenth over an interpolated Kneser-Ney 5-gram's.

    python benchmarks/recipe_generate_hongloumeng.py --out RUN [--minutes M] [--seed 0]

The first 85.5 % of the characters are learnt from, the next 4.5 % validate, the last 10 % are the test, read once with
the state carried. Characters met less than twice are one unknown symbol, for both models. The 5-gram counts all of the
first 90 %.
"""

import math

import torch
from generation import arguments, carried, fitted, parameters, text
from record import record, write

from gruworks.data.text import Document
from gruworks.data.vocabulary import UNKNOWN
from gruworks.ops.language_model.kneser_ney import baseline

SETTINGS = {"hidden_size": 256, "layers": 2, "sequence": 64, "min_count": 2, "restart": 0.02}
SETTINGS |= {"dropout": 0.15, "input_dropout": 0.1, "output_dropout": 0.25}
SETTINGS |= {"batch_size": 16, "learning_rate": 5e-3, "steps": 3000, "validate_every": 250}


def main() -> None:
    options = arguments(__doc__, minutes=60).parse_args()
    whole = text("hongloumeng.txt")
    first, last = int(0.855 * len(whole)), int(0.9 * len(whole))
    generator = fitted(SETTINGS, [Document(whole[:first])], [Document(whole[first:last])], options)
    torch.set_num_threads(options.threads)
    ours = math.exp(carried(generator, whole[last:]))
    ids = generator.codec.vocabulary.encode(whole)
    kneser_ney = baseline([ids[:last]], [ids[last:]], len(generator.codec.vocabulary))
    unknown = float((ids[last:] == UNKNOWN).mean())
    fit = generator.metrics
    note = (
        f"perplexity {ours:.2f} beside {kneser_ney:.2f} of the 5-gram; {len(generator.codec.vocabulary)} symbols, "
        f"{unknown:.2%} of the test unknown; seed {options.seed}, {fit['steps']} steps, best at {fit['best_step']}, "
        f"{fit['ended_by']}"
    )
    print(ours / kneser_ney, note)
    facts = {"seeds": 1, "parameters": parameters(generator), "minutes": fit["minutes"], "threads": options.threads}
    figure = "generate/hongloumeng/perplexity-ratio-kn5"
    write("generate_hongloumeng", [record(figure, ours / kneser_ney, **facts, baseline=kneser_ney, note=note)])


if __name__ == "__main__":
    main()
