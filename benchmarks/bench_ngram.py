"""The baselines of text generation: interpolated Kneser-Ney on Tang poems and on 红楼梦.

    python benchmarks/bench_ngram.py

Tang: a poem is a document, its lines each ended by a newline, then an end symbol; index % 20 == 0 is test, == 1 is
validation. 红楼梦: the last 10 % of the characters are test, scored on from the first 90 %; the last 5 % of these are
validation. The vocabulary is the train part's characters and an unknown symbol. Beside the plain 5-gram stands what is
best on the validation part of orders 1 to 6, with one discount an order or three.
"""

import gzip
import json
from collections.abc import Callable

import numpy
from record import record, write

from gruworks.data.catalogue import find
from gruworks.ops.language_model.kneser_ney import KneserNey, baseline

UNKNOWN, END = 0, 1
CHOICES = [(order, modified) for order in range(1, 7) for modified in (False, True)]


def poems(part: Callable[[int], bool]) -> list[str]:
    """The poems whose index `part` takes, each line ended by a newline."""
    rows = gzip.decompress(find("tang-poems")["tang-poems.jsonl.gz"].read_bytes()).decode().splitlines()
    return ["".join(f"{line}\n" for line in json.loads(row)["lines"]) for n, row in enumerate(rows) if part(n % 20)]


def encoder(text: str, specials: int) -> tuple[Callable[[str], list[int]], int]:
    """Characters to numbers after `specials` others, and the size of the vocabulary."""
    numbers = {character: specials + n for n, character in enumerate(sorted(set(text)))}
    return lambda one: [numbers.get(character, UNKNOWN) for character in one], specials + len(numbers)


def tang() -> list[dict[str, object]]:
    parts = [poems(lambda n: n > 1), poems(lambda n: n == 1), poems(lambda n: n == 0)]
    encode, size = encoder("".join(parts[0]), 2)
    train, validation, test = ([[*encode(one), END] for one in part] for part in parts)
    plain = baseline(train, test, size)
    order, modified = min(CHOICES, key=lambda one: KneserNey(train, size, *one).perplexity(validation))
    best = KneserNey(train, size, order, modified).perplexity(test)
    note = (
        f"perplexity per symbol (characters, newlines, the end) of {len(test)} poems, {sum(map(len, test))} symbols; "
        f"{size} symbols with the unknown and the end, of {len(train)} poems of train"
    )
    unknown = sum(one.count(UNKNOWN) for one in test)
    return _records("tang", plain, best, order, modified, f"{note}; {unknown} of test unknown")


def hongloumeng() -> list[dict[str, object]]:
    text = find("hongloumeng")["hongloumeng.txt"].read_text(encoding="utf-8")
    cut = len(text) * 9 // 10
    inner = cut * 95 // 100
    encode, size = encoder(text[:cut], 1)
    whole = numpy.array(encode(text))
    plain = _continued(whole[:cut], whole[cut:], size, 5, False)
    order, modified = min(CHOICES, key=lambda one: _continued(whole[:inner], whole[inner:cut], size, *one))
    best = _continued(whole[:cut], whole[cut:], size, order, modified)
    note = (
        f"perplexity per character of the last {len(text) - cut} characters, newlines and blanks as in the text; "
        f"{size} symbols with the unknown; {int((whole[cut:] == UNKNOWN).sum())} of test unknown"
    )
    return _records("hongloumeng", plain, best, order, modified, note)


def _continued(train: numpy.ndarray, test: numpy.ndarray, size: int, order: int, modified: bool) -> float:
    scores = KneserNey([train], size, order, modified).score(test, context=train[-order:])
    return float(numpy.exp(-scores.mean()))


def _records(name: str, plain: float, best: float, order: int, modified: bool, note: str) -> list[dict[str, object]]:
    print(f"{name}: 5-gram {plain:.2f}; order {order}, {'three discounts' if modified else 'one'}: {best:.2f}; {note}")
    chosen = f"order {order} with {'three discounts' if modified else 'one discount'}, chosen on validation; {note}"
    return [
        record(f"generate/{name}/perplexity-kn5", plain, note=note),
        record(f"generate/{name}/perplexity-kn-best", best, baseline=plain, note=chosen),
    ]


if __name__ == "__main__":
    write("ngram", [*tang(), *hongloumeng()])
