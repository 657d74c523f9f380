"""Forms by name, and the tonal patterns written out as handbooks print them."""

from __future__ import annotations

import pytest

from gruworks.errors import OptionError
from gruworks.tasks.generate.verse.forms import FORMS, VerseOptions, couplets, find_form

# The first way of each couplet, as rules without deviations have it.
PRINTED = {
    ("jueju5", "oblique"): "中仄中平仄 平平中仄平 中平平仄仄 中仄仄平平",
    ("jueju5", "oblique-rhymed"): "中仄仄平平 平平中仄平 中平平仄仄 中仄仄平平",
    ("jueju5", "level"): "中平平仄仄 中仄仄平平 中仄中平仄 平平中仄平",
    ("jueju5", "level-rhymed"): "平平中仄平 中仄仄平平 中仄中平仄 平平中仄平",
    ("jueju7", "level"): "中平中仄中平仄 中仄平平中仄平 中仄中平平仄仄 中平中仄仄平平",
    ("jueju7", "level-rhymed"): "中平中仄仄平平 中仄平平中仄平 中仄中平平仄仄 中平中仄仄平平",
    ("jueju7", "oblique"): "中仄中平平仄仄 中平中仄仄平平 中平中仄中平仄 中仄平平中仄平",
    ("jueju7", "oblique-rhymed"): "中仄平平中仄平 中平中仄仄平平 中平中仄中平仄 中仄平平中仄平",
}


@pytest.mark.parametrize(("form", "pattern"), PRINTED)
def test_patterns_are_those_of_the_handbooks(form: str, pattern: str) -> None:
    found = couplets(FORMS[form], pattern)
    printed = PRINTED[form, pattern].split()
    assert [ways[0] for ways in found] == [printed[0] + printed[1], printed[2] + printed[3]]


@pytest.mark.parametrize("length", [5, 7])
@pytest.mark.parametrize("pattern", ["level", "level-rhymed", "oblique", "oblique-rhymed"])
def test_an_eight_line_poem_goes_on_as_its_couplets_alternate(length: int, pattern: str) -> None:
    short, long = couplets(FORMS[f"jueju{length}"], pattern), couplets(FORMS[f"lushi{length}"], pattern)
    unrhymed = couplets(FORMS[f"jueju{length}"], pattern.partition("-")[0])
    assert long == [*short, unrhymed[0], short[1]]


def test_forms_have_two_names() -> None:
    assert find_form("七律") == find_form("lushi7") == FORMS["lushi7"]
    with pytest.raises(OptionError, match=r"no verse form 'haiku'; there are: jueju5 \(五絕\)"):
        find_form("haiku")
    with pytest.raises(OptionError, match="pattern"):
        VerseOptions(pattern="sideways")  # type: ignore[arg-type]
