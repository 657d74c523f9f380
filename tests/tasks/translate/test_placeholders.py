"""Placeholders: what is copied, and a model that has learnt to copy."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest

from gruworks import Translator
from gruworks.tasks.translate.chinese import in_script
from gruworks.tasks.translate.placeholders import MARKS, mask, mask_pairs, restored
from gruworks.tasks.translate.reading import read
from tests.tasks.translate.conftest import TINY


@pytest.mark.parametrize(
    ("text", "copied"),
    [
        ("Call 555-0199 at 10:45, or 555-0199.", ["555-0199", "10:45"]),
        ("Write to tom.b@example.com.", ["tom.b@example.com"]),
        ("See https://example.com/a?b=1, or www.a.org.", ["https://example.com/a?b=1", "www.a.org"]),
        ("Part XK-4471B costs 3.50 on 2024-01-05.", ["XK-4471B", "3.50", "2024-01-05"]),
        ("I have 2 dogs and a Covid test.", []),
    ],
)
def test_what_is_copied(text: str, copied: list[str]) -> None:
    masked, found = mask(text)
    assert found == copied
    assert restored(masked, found) == text
    assert not any(one in masked for one in copied)


def test_only_so_many_are_masked_and_unknown_marks_are_left_out() -> None:
    assert mask("10 11 12", 2) == (f"{MARKS[0]} {MARKS[1]} 12", ["10", "11"])
    assert restored(f"a {MARKS[0]} b {MARKS[3]}", ["10"]) == "a 10 b"


def test_pairs_are_masked_where_both_sides_agree() -> None:
    pairs, count = mask_pairs(read([("um 10:45 Uhr 30", "at 10:45 thirty"), ("12", "twelve")]))
    assert (pairs.sources, pairs.targets, count) == (
        [f"um {MARKS[0]} Uhr 30", "12"],
        [f"at {MARKS[0]} thirty", "twelve"],
        1,
    )


def test_a_fit_learns_to_copy(tmp_path: Path) -> None:
    rng = numpy.random.default_rng(0)
    numbers = [str(n) for n in rng.integers(100, 99_999, 400)]
    pairs = [(f"der Hund Nummer {n} schläft .", f"dog number {n} sleeps .") for n in numbers]
    pairs += [("der Hund schläft .", "the dog sleeps .")] * 100
    fitted = Translator(**TINY).fit(pairs, quiet=True)
    assert fitted.codec.copies == 1
    loaded = Translator.load(fitted.save(tmp_path / "run"))
    assert loaded.translate("der Hund Nummer 987-654-321 schläft .") == "dog number 987-654-321 sleeps ."


@pytest.mark.parametrize(
    ("script", "text"),
    [("simplified", "我饿了。汤姆在3.5公里，对吗？"), ("traditional", "我餓了。湯姆在3.5公里，對嗎？"),
     ("as-learnt", "我餓了 . 汤姆在3.5公里, 对吗?")],
)  # fmt: skip
def test_chinese_in_one_script(script: str, text: str) -> None:
    assert in_script("我餓了 . 汤姆在3.5公里, 对吗?", script) == text  # type: ignore[arg-type]
