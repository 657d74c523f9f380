"""Pairs are looked at before a fit: each kind of finding, on a corpus that has one of each."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

from gruworks.tasks.translate.checking import check_pairs
from gruworks.tasks.translate.config import Config
from gruworks.tasks.translate.reading import Pairs, read
from gruworks.tasks.translate.suspicions import suspicions
from tests.tasks.translate.conftest import toy

CLEAN = toy(1)


def corpus(*more: tuple[str, str]) -> Pairs:
    return read([*CLEAN, *more])


def test_a_clean_corpus_has_nothing_to_find() -> None:
    checked = check_pairs(corpus(), Config())
    assert checked.findings == []
    assert checked.pairs == len(CLEAN)
    assert checked.vocabulary[0] == checked.vocabulary[1] > 4
    assert 2 < checked.lengths[0] < 20


@pytest.mark.parametrize(
    ("pair", "kind", "dropped"),
    [
        (("ein Hund", ""), "with an empty side", True),
        (("Hund " * 60, "dog " * 60), "too long", True),
        (("Hund", "a big dog runs ." * 3), "with lengths out of ratio", True),
        (("Berlin .", "Berlin ."), "both sides are the same", False),
        (("a small dog sleeps .", "eine kleine Hund schläft ."), "the sides look swapped", False),
        (CLEAN[3], "occurs more than once", False),
    ],
)
def test_each_kind_is_found_with_its_place(pair: tuple[str, str], kind: str, dropped: bool) -> None:
    checked = check_pairs(corpus(pair), Config(longest=50))
    (found,) = checked.findings
    assert (found.pair, found.kind, found.dropped) == (len(CLEAN) + 1, kind, dropped)


def test_overlap_with_a_test_set_is_told() -> None:
    test: Any = [(CLEAN[5][0], "something else"), ("anderes", "other")]
    (found,) = check_pairs(corpus(), Config(), read(test)).findings
    assert (found.pair, found.kind) == (6, "its source is in the test set")


@pytest.mark.parametrize(
    ("pair", "kinds"),
    [
        (("ein Hund &amp; eine Katze", "a dog & a cat"), ["source has HTML entities or tags"]),
        (("eine Kat\u00adze", "a cat"), ["source has invisible characters"]),
        (("ein H\u0443nd schläft", "a dog sleeps"), ["source has a word of mixed scripts"]),
        (("1276", "a dog"), ["source is a number alone"]),
        (("12", "12 !"), []),
        (("ein Hund", "пёс"), ["target is in another script than most lines"]),
    ],
)  # fmt: skip
def test_faults_of_characters_are_found(pair: tuple[str, str], kinds: list[str]) -> None:
    found = [one.kind for one in check_pairs(corpus(pair), Config()).findings]
    assert found == kinds


def test_two_forms_of_apostrophes_are_told() -> None:
    pairs = read([(f"{i} Hunde", f"it's {i} dogs") for i in range(20)] + [("ein Hund", "it’s a dog")])
    assert "target has the rarer of two apostrophes ('’)" in {one.kind for one in check_pairs(pairs, Config()).findings}


def sentences(count: int) -> list[tuple[str, str]]:
    rng = numpy.random.default_rng(0)
    sizes = rng.integers(1, 25, count)
    return [("wort " * n, "word " * max(1, n + rng.integers(-2, 3))) for n in sizes]


def test_shifted_sides_are_found_from_where_they_are_shifted() -> None:
    rows = sentences(600)
    assert suspicions(read(rows)) == []
    left, right = [s for s, _ in rows], [t for _, t in rows]
    del right[310]
    ((place, told),) = suspicions(read(list(zip(left, right, strict=False))))
    assert place == 400
    assert "the sides are shifted from about here on: target lines 1 above fit better" in told


def test_a_side_of_numbers_is_told() -> None:
    ((_, told),) = suspicions(read([(str(i), f"word {i}") for i in range(50)]))
    assert told.startswith("100% of the source lines are numbers")
