"""Pairs are looked at before a fit: each kind of finding, on a corpus that has one of each."""

from __future__ import annotations

from typing import Any

import pytest

from gruworks.tasks.translate.checking import check_pairs
from gruworks.tasks.translate.config import Config
from gruworks.tasks.translate.reading import Pairs, read
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
