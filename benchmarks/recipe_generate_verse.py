"""Verse of a trained run under the rules: what share the separate judge finds faultless, and the price in perplexity.

    python benchmarks/recipe_generate_verse.py RUN [--poems 1000]

RUN is what recipe_generate_tang.py fitted, or the packaged model that was made of it (src/gruworks/ready/verse, weights
of 8 and 16 bits). The poems are drawn at temperature 1 from seed 0, none is drawn again or left out. The price is the
perplexity of the first 200 by the network alone beside that under the rules.
"""

import argparse
from pathlib import Path

import torch
from record import record, write

from gruworks import Generator
from gruworks.data.vocabulary import END
from gruworks.tasks.generate.verse import writing
from gruworks.tasks.generate.verse.checker import check
from gruworks.tasks.generate.verse.constraint import VerseConstraint
from gruworks.tasks.generate.verse.forms import FORMS, VerseOptions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--poems", type=int, default=1000)
    options = parser.parse_args()
    generator = Generator.load(options.run)
    vocabulary = generator.codec.vocabulary
    newline, end = int(vocabulary.encode("\n")[0]), END
    records = []
    for form in FORMS:
        poems = generator.verse(options.poems, form=form, seed=0)
        kept = sum(check(poem, form).ok for poem in poems) / len(poems)
        rules = VerseConstraint(VerseOptions(form=form), vocabulary.symbols, newline, end)
        text = ["".join(f"{line}\n" for line in poem) for poem in poems[:200]]
        tokens = torch.stack([torch.tensor([*vocabulary.encode(one), end]) for one in text])
        price = writing.price(generator.decoder(), torch.from_numpy(generator._context("", "")), rules, tokens)
        note = (
            f"{len(poems)} poems, temperature 1, seed 0; perplexity of {len(text)}: {price.free:.1f} by the network "
            f"alone, {price.ruled:.1f} under the rules"
        )
        print(form, kept, note)
        records.append(record(f"generate/verse-{form}/compliance", kept, note=note))
    write("generate_verse", records)


if __name__ == "__main__":
    main()
