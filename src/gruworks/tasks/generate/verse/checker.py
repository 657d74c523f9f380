"""Check of poems against the rules of regulated verse: form, pattern, rhyme group, and every fault with its place.

It is independent of the constraint except for the table of tones and rhymes, and states the rules in another way: the
tone of each character given those around it. Of several readings of a character the best one counts; a character that
is not in the table is only accepted where either tone is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from gruworks.tasks.generate.verse.rhyme import RhymeTable, rhyme_table

__all__ = ["Fault", "Report", "annotate", "check"]

SIZES = {"jueju5": (4, 5), "jueju7": (4, 7), "lushi5": (8, 5), "lushi7": (8, 7)}
OTHER = {"平": "仄", "仄": "平"}
UNKNOWN = "?"


@dataclass(frozen=True)
class Fault:
    """A violation of a rule.

    Args:
        rule: its Chinese name. line, place: from 1; 0 for the whole poem or line.
        character: the character there. expected: the tone, rhyme or size that the rule asks for.
    """

    rule: str
    line: int
    place: int
    character: str
    expected: str

    def __str__(self) -> str:
        where = f"line {self.line}" + (f", character {self.place} {self.character}" if self.place else "")
        return f"{self.rule}: {where if self.line else 'the poem'}: expected {self.expected}"


@dataclass(frozen=True)
class Report:
    """Result of a check: the form, pattern and rhyme group with the fewest faults ("" if unknown), and the faults."""

    form: str
    pattern: str
    rhyme: str
    faults: tuple[Fault, ...]

    @property
    def ok(self) -> bool:
        return not self.faults


def check(lines: Sequence[str], form: str = "", acrostic: str = "", table: RhymeTable | None = None) -> Report:
    """Check a poem by the rules of regulated verse.

    >>> check("白日依山盡 黃河入海流 欲窮千里目 更上一層樓".split()).pattern
    'oblique'
    >>> print(check("白日依山盡 黃河入海東 欲窮千里目 更上一層樓".split()).faults[0])
    用韻: line 2, character 5 東: expected a rhyme in 下平聲十一尤

    Args:
        lines: lines without punctuation.
        form: a form such as "jueju5"; "": by the number of lines and characters.
        acrostic: expected first characters of the lines.
        table: tones and rhyme groups of characters; by default those of `rhyme_table`.
    """
    table = rhyme_table() if table is None else table
    wrong = list(_size(lines, form))
    name = form or next((one for one, size in SIZES.items() if size == (len(lines), len(lines[0]) if lines else 0)), "")
    if wrong:
        return Report(name, "", "", tuple(wrong))
    tones = [[table.tones(character) or UNKNOWN for character in line] for line in lines]
    found = []
    for start, rhymed in product("平仄", (True, False)):
        rhyme, off = _rhyme(lines, rhymed, table)
        places = {(one.line, one.place) for one in off}  # a wrong rhyme is not reported as a wrong tone as well
        faults = [*off, *(one for one in _tones(lines, tones, start, rhymed) if (one.line, one.place) not in places)]
        pattern = ("level" if start == "平" else "oblique") + ("-rhymed" if rhymed else "")
        found.append(Report(name, pattern, rhyme, tuple(faults)))
    best = min(found, key=lambda one: len(one.faults))
    first = [
        Fault("藏頭", number + 1, 1, line[0], wanted)
        for number, (line, wanted) in enumerate(zip(lines, acrostic, strict=False))
        if line[0] != wanted
    ]
    if acrostic and len(acrostic) != len(lines):
        first.append(Fault("藏頭", 0, 0, "", f"{len(lines)} first characters, not {len(acrostic)}"))
    return Report(best.form, best.pattern, best.rhyme, (*best.faults, *first))


def annotate(lines: Sequence[str], table: RhymeTable | None = None) -> str:
    """Format a poem with the tone below each character, the rhyme group after each rhyming line, and the faults.

    >>> print(annotate(["白日依山盡", "黃河入海流"]).splitlines()[1])
    ●●○○●

    ○ level, ● oblique, ◐ either, ？ not in the table.
    """
    table = rhyme_table() if table is None else table
    signs = {"平": "○", "仄": "●", "平仄": "◐", "": "？"}
    report = check(lines, table=table)
    shown = []
    for line in lines:
        groups = [table.names[group] for group in table.groups(line[-1])] if line else []
        shown.append(line)
        shown.append("".join(signs[table.tones(one)] for one in line) + f"  {report.rhyme}" * (report.rhyme in groups))
    verdict = [str(fault) for fault in report.faults] or [f"{report.form}, {report.pattern}: keeps the rules"]
    return "\n".join([*shown, *verdict])


def _size(lines: Sequence[str], form: str) -> Iterator[Fault]:
    """Faults of the number of lines (句數) and of their lengths (字數)."""
    counts = {SIZES[form][0]} if form else {4, 8}
    if len(lines) not in counts:
        yield Fault("句數", 0, 0, "", " or ".join(map(str, sorted(counts))) + f" lines, not {len(lines)}")
        return
    lengths = [SIZES[form][1]] if form else [5, 7]
    length = max(lengths, key=lambda one: sum(len(line) == one for line in lines))
    for number, line in enumerate(lines, 1):
        if len(line) != length:
            yield Fault("字數", number, 0, "", f"{length} characters, not {len(line)}")


def _rhyme(lines: Sequence[str], rhymed: bool, table: RhymeTable) -> tuple[str, list[Fault]]:
    """The level group of most rhymes, and faults: rhymes of other groups (用韻) and repeated ones (重韻)."""
    places = [0, *range(1, len(lines), 2)] if rhymed else list(range(1, len(lines), 2))
    groups = {number: set(table.groups(lines[number][-1])) for number in places}
    candidates = sorted(set().union(*groups.values()))
    if not candidates:
        return "", [Fault("用韻", n + 1, len(lines[n]), lines[n][-1], "a level rhyme") for n in places]
    best = max(candidates, key=lambda group: sum(group in one for one in groups.values()))
    faults, seen = [], set()
    for number in places:
        character = lines[number][-1]
        if best not in groups[number]:
            wanted = f"a rhyme in {table.names[best]}"
            faults.append(Fault("用韻", number + 1, len(lines[number]), character, wanted))
        if character in seen:
            faults.append(Fault("重韻", number + 1, len(lines[number]), character, "a rhyme that is not repeated"))
        seen.add(character)
    return table.names[best], faults


def _tones(lines: Sequence[str], tones: list[list[str]], start: str, rhymed: bool) -> Iterator[Fault]:
    """Tonal faults by couplet, for the pattern in which the second character of the first line has tone `start`."""
    second, length = start, len(lines[0])
    for number in range(0, len(lines), 2):
        ends = ("平" if rhymed and number == 0 else "仄", "平")
        upper = [_line(row, number, second, ends[0]) for row in product(*tones[number])]
        lower = [(_line(row, number + 1, OTHER[second], ends[1]), row) for row in product(*tones[number + 1])]
        best = min((faults for faults, _ in lower), key=len)
        # A level third in the lower line compensates for an oblique fourth in the upper line (拗救).
        paying = min((faults for faults, row in lower if row[-3] == "平"), key=len, default=None)
        found = []
        for faults in upper:
            found.append(faults + best)
            if paying is not None:
                found.append([one for one in faults if one[:3] != ("拗不救", number, length - 2)] + paying)
        for rule, at, place, expected in min(found, key=len):
            yield Fault(rule, at + 1, place + 1, lines[at][place], expected)
        second = OTHER[second]  # 黏: the next couplet begins as this one's lower line


Broken = tuple[str, int, int, str]  # rule, line and place from 0, what was expected


def _line(tones: Sequence[str], line: int, second: str, end: str) -> list[Broken]:
    """Rules that a line breaks if its second character must have tone `second` and its last tone `end`.

    The next line can compensate for 拗不救.
    """
    head, (t1, t2, t3, t4, t5) = len(tones) - 5, tones[-5:]
    found: list[Broken] = []
    want2 = second
    if head:
        if tones[1] != second:
            found.append((_adhesion(line), line, 1, second))
        want2 = OTHER[second]
    if t2 != want2:
        found.append((_adhesion(line) if not head else "平仄", line, head + 1, want2))
    if t5 != end:
        found.append(("平仄", line, head + 4, end))
    want4 = OTHER[want2]
    if want2 == "平" and end == "仄":
        if (t3, t4) == ("仄", "平"):  # exchanged
            if t1 != "平":
                found.append(("拗不救", line, head, "平, because the third and fourth are exchanged"))
            return found
        if t3 != "平":
            rule = "三仄尾" if (t3, t4, t5) == ("仄", "仄", "仄") else "平仄"
            found.append((rule, line, head + 2, "平"))
    if t4 != want4:
        owed = want2 == "仄" and end == "仄" and t4 == "仄"
        found.append(
            ("拗不救" if owed else "平仄", line, head + 3, want4 + (" or a remedy in line " + str(line + 2)) * owed)
        )
    if want2 == "平" and end == "平" and t1 != "平" and t3 != "平":
        found.append(("孤平", line, head, "平, or 平 in the third place"))
    if want2 == "仄" and end == "平" and t3 != "仄":
        found.append(("三平尾" if t3 == t4 == t5 == "平" else "平仄", line, head + 2, "仄"))
    return found


def _adhesion(line: int) -> str:
    """Name of the rule that a wrong second tone breaks."""
    return "失對" if line % 2 else "失黏"
