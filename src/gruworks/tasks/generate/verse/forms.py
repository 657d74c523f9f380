"""Forms of regulated verse, and their tonal patterns couplet by couplet: 平 level, 仄 oblique, 中 either.

The last five characters of a line follow one of four types, named after the tones of the second and the fifth:

    A 中仄中平仄    B 平平中仄平 or 中平平仄平    C 中平平仄仄    D 中仄仄平平

A line of seven has two more characters in front, 中 and the opposite of the type's second tone. The second tone of a
line is opposite to that of the other line of its couplet (對) and equal to that of the line above the couplet (黏).
Deviations with their compensation (拗救) are listed as couplets of their own:

- B with an oblique first tone has a level third, so that its second is not the only level one (孤平);
- C may be 平平仄平仄, third and fourth exchanged, if its first is level;
- A may have an oblique fourth (中仄中仄仄) if the third of the next line, B, is level;
- A may have an oblique third without compensation. D never has a level third (三平尾), nor C an oblique
  third (三仄尾).

After Wang Li, 漢語詩律學 (1958). A first line that rhymes in a neighbouring group (借鄰韻) doesn't count as rhyming.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gruworks.errors import OptionError
from gruworks.settings import Settings, setting

__all__ = ["FORMS", "PATTERNS", "Form", "VerseOptions", "couplets", "find_form"]

Pattern = Literal["any", "level", "level-rhymed", "oblique", "oblique-rhymed"]

COUPLETS = {
    "AB": [("中仄中平仄", "平平中仄平"), ("中仄中平仄", "中平平仄平"), ("中仄中仄仄", "中平平仄平")],
    "CD": [("中平平仄仄", "中仄仄平平"), ("平平仄平仄", "中仄仄平平")],
    "DB": [("中仄仄平平", "平平中仄平"), ("中仄仄平平", "中平平仄平")],
    "BD": [("平平中仄平", "中仄仄平平"), ("中平平仄平", "中仄仄平平")],
}
# First couplet, by the second tone of its last five characters and by whether its first line rhymes.
FIRST = {("仄", False): "AB", ("仄", True): "DB", ("平", False): "CD", ("平", True): "BD"}


@dataclass(frozen=True)
class Form:
    """A verse form: `lines` lines of `length` characters."""

    name: str
    chinese: str
    lines: int
    length: int


FORMS = {
    one.name: one
    for one in (
        Form("jueju5", "五絕", 4, 5), Form("jueju7", "七絕", 4, 7),
        Form("lushi5", "五律", 8, 5), Form("lushi7", "七律", 8, 7),
    )
}  # fmt: skip
PATTERNS = ("level", "level-rhymed", "oblique", "oblique-rhymed")  # 平起, 平起入韻, 仄起, 仄起入韻


@dataclass(frozen=True)
class VerseOptions(Settings):
    """Options of verse: form, rules and sampling."""

    form: Literal["jueju5", "jueju7", "lushi5", "lushi7"] = setting("jueju7", "五絕, 七絕, 五律 or 七律")
    pattern: Pattern = setting("any", "tone of the second character, and rhyme of the first line")
    rhyme: str = setting("any", "rhyme group, such as 東 or 上平聲一東")
    acrostic: str = setting("", "first characters of the lines (藏頭詩)")
    script: Literal["as-learnt", "traditional", "simplified"] = setting("as-learnt", "script of the poem")
    guidance: float = setting(
        1.5, "weight of the title (classifier-free guidance); 0: as in the training texts", low=0.0, high=20.0
    )
    temperature: float = setting(1.0, "sampling temperature; 0 is greedy", low=0.0, high=100.0)
    seed: int = setting(0, "random seed of sampling", low=0)


def find_form(name: str) -> Form:
    """Look up a form by its English or Chinese name."""
    for form in FORMS.values():
        if name in (form.name, form.chinese):
            return form
    known = ", ".join(f"{form.name} ({form.chinese})" for form in FORMS.values())
    raise OptionError(f"there is no verse form {name!r}; there are: {known}")


def couplets(form: Form, pattern: str) -> list[list[str]]:
    """Tone sequences that each couplet of a pattern may have, of 2 · length characters each."""
    start, _, rhymed = pattern.partition("-")
    second = "平" if start == "level" else "仄"
    if form.length == 7:
        second = "仄" if second == "平" else "平"  # of the last five characters
    first = FIRST[second, bool(rhymed)]
    others = ["CD", "AB"] if first.endswith("B") else ["AB", "CD"]
    names = [first, *(others[number % 2] for number in range(form.lines // 2 - 1))]
    return [[_whole(form, one) + _whole(form, other) for one, other in COUPLETS[name]] for name in names]


def _whole(form: Form, line: str) -> str:
    return line if form.length == 5 else "中" + ("仄" if line[1] == "平" else "平") + line
