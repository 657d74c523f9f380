"""The baselines of text generation: interpolated Kneser-Ney on Tang poems and on 红楼梦, plain and at its best.

    python benchmarks/bench_ngram.py [tang] [hongloumeng]

Parts and vocabularies are those of recipe_generate_tang.py and recipe_generate_hongloumeng.py. Beside the plain 5-gram,
of one discount an order, stands what is best on the validation part of orders 4 to 8, one discount or three, and with
or without n-grams of count 1 from order 3, 4 or 5 on (ngram_baseline.py). The recipes hold the choice fixed, and this
script says so where it finds another.
"""

import sys

import recipe_generate_hongloumeng
import recipe_generate_tang
from generation import codec_of, poems
from ngram_baseline import Choice, best
from record import record, write

from gruworks.data.text import Document

PLAIN = Choice(5, modified=False)


def tang() -> list[dict[str, object]]:
    recipe = recipe_generate_tang
    codec = codec_of(recipe.SETTINGS, poems(recipe.TRAIN))
    train, validation, test = (recipe.symbols(codec, part) for part in (recipe.TRAIN, recipe.VALIDATION, recipe.TEST))
    told = f"{len(test)} poems, {sum(map(len, test))} symbols (characters, newlines, the end)"
    return _records("tang", recipe.KNESER_NEY, train, validation, test, len(codec.vocabulary), told)


def hongloumeng() -> list[dict[str, object]]:
    recipe = recipe_generate_hongloumeng
    learnt, held, test = recipe.parts()
    vocabulary = codec_of(recipe.SETTINGS, [Document(learnt)]).vocabulary
    train, validation, last, whole = map(vocabulary.encode, (learnt, held, test, learnt + held))
    told = f"the last {len(test)} characters, newlines and blanks as in the text"
    return _records("hongloumeng", recipe.KNESER_NEY, [train], [validation], [last], len(vocabulary), told, [whole])


def _records(name, fixed, train, validation, test, size, told, counted=()) -> list[dict[str, object]]:
    """`counted` is what the model of the test counts, where that isn't train and validation as documents."""
    chosen, found = best(lambda choice: choice.model(train, size).perplexity(validation))
    if chosen != fixed:
        print(f"{name}: the recipe has {fixed} ({found[fixed]:.3f} on validation), best is {chosen}")
    counted = counted or [*train, *validation]
    plain, at_best = (choice.model(counted, size).perplexity(test) for choice in (PLAIN, chosen))
    note = f"perplexity per symbol of {told}; {size} symbols with the unknown"
    why = f"{chosen}; chosen on validation ({found[chosen]:.2f}; the plain 5-gram {found[PLAIN]:.2f})"
    print(f"{name}: plain {plain:.2f}, {why}: {at_best:.2f}; {note}")
    return [
        record(f"generate/{name}/perplexity-kn5", plain, note=f"{PLAIN}; {note}"),
        record(f"generate/{name}/perplexity-kn-best", at_best, baseline=plain, note=f"{why}; {note}", tried=len(found)),
    ]


if __name__ == "__main__":
    sets = {"tang": tang, "hongloumeng": hongloumeng}
    for name in sys.argv[1:] or sets:
        write("ngram", sets[name]())
