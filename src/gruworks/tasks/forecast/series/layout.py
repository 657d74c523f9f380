"""Layout of a text table: separator, comment and title lines, header, and the rows below it as text."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

import numpy
import pandas
from numpy.typing import NDArray

from gruworks.errors import DataError
from gruworks.tasks.forecast.config import Reading

__all__ = ["TextTable", "parsed", "plain_name"]

SEPARATORS = {"\t": "tab", ";": "';'", "|": "'|'", ",": "','"}
NAMED = {"tab": "\t", "\\t": "\t", "space": r"\s+", "comma": ",", "semicolon": ";"}
SPACES = r"\s+"
LOOKED_AT = 200  # lines at the beginning, from which the layout is found
Column = NDArray[Any]


@dataclass(frozen=True)
class TextTable:
    """Columns of text by name, the line [N] of each row, and what was found out about the layout."""

    columns: dict[str, Column]
    lines: NDArray[numpy.int64]
    separator: str = ","
    understood: list[str] = field(default_factory=list)

    def keep(self, rows: NDArray[numpy.bool_]) -> TextTable:
        return replace(self, columns={k: v[rows] for k, v in self.columns.items()}, lines=self.lines[rows])


def plain_name(name: object) -> str:
    """A column's name with its line breaks and runs of blanks as single blanks.

    >>> plain_name(" Load\\n(MW)")
    'Load (MW)'
    """
    return " ".join(str(name).split())


def parsed(text: str, name: str, reading: Reading, wanted: set[str]) -> TextTable:
    """The table in `text`; the header is the first line that has all names in `wanted`, else the likeliest one.

    Raises:
        DataError: no header, a column name that occurs twice, rows that are longer than the header.
    """
    if not text.strip():
        raise DataError(f"{name} is empty: expected a header line with the columns' names, then a row a line")
    told, first = [], 0
    separator = reading.separator if reading.separator != "auto" else None
    if match := re.match(r'"?sep=(.)"?[ ,;\t]*\n', text, re.IGNORECASE):
        text, first, separator = text[match.end() :], 1, separator or match[1]
    separator = NAMED.get(separator or "", separator)
    sample = [line for line in text[: 1 << 17].splitlines()[:LOOKED_AT] if line.strip()]
    plain = [line for line in sample if not _is_comment(line, reading.comment)]
    chosen = separator or _separator(plain or sample, wanted)
    if chosen != "," and not separator:
        told.append(f"separator {SEPARATORS.get(chosen, 'blanks')}")
    cells = _cells(text, chosen, name)
    lines = first + 1 + numpy.arange(len(cells)) + _breaks(cells, text)
    return _headed(cells, lines, name, reading, wanted, chosen, told)


def _is_comment(line: str, mark: str) -> bool:
    """True for a comment line; "#N/A" and "#REF!" are missing marks of spreadsheets."""
    start = line.lstrip().lstrip('"')
    return bool(mark) and start.startswith(mark) and not re.match(r"#(N/?A|REF!|VALUE!|DIV/0!|NAME\?|NUM!)", start)


def _separator(lines: list[str], wanted: set[str]) -> str:
    """The separator that divides most lines into the same number of fields; one that divides the header comes first."""
    best, choice = (0, 0, 0), ","
    for separator in SEPARATORS:
        try:
            rows = list(csv.reader(lines, delimiter=separator))
        except csv.Error:
            continue
        found = any(wanted <= {plain_name(one) for one in row} for row in rows[:50]) and len(wanted) > 1
        width, count = max(Counter(map(len, rows)).items(), key=lambda item: (item[0] > 1, item[1]))
        rank = (int(found), count if width > 1 else 0, width)
        if rank > best and width > 1:
            best, choice = rank, separator
    if best == (0, 0, 0) and len({len(line.split()) for line in lines}) == 1 and len(lines[0].split()) > 1:
        return SPACES
    return choice


def _cells(text: str, separator: str, name: str) -> Any:
    """All lines as one frame of text, as wide as the longest line."""
    lines = text.split("\n")
    counts = [len(line.split()) for line in lines] if separator == SPACES else [line.count(separator) for line in lines]
    width = max(counts) + 1
    if width * len(lines) > 50 * (sum(counts) + len(lines)) + 1_000_000:
        raise DataError(f"{name}, line {counts.index(max(counts)) + 1} has {width} fields, many more than the others")
    try:
        cells = pandas.read_csv(
            io.StringIO(text), sep=separator, header=None, names=range(width), dtype=str, keep_default_na=False,
            skip_blank_lines=False, skipinitialspace=True, index_col=False,
        ).fillna("")  # fmt: skip
    except (pandas.errors.ParserError, pandas.errors.EmptyDataError, ValueError) as error:
        raise DataError(f"{name} is not a well-formed CSV: {error}") from error
    blank = re.search(rf"[ \t](?:{re.escape(separator)}|\n|$)", text) if separator not in ("\t", SPACES) else True
    return cells.apply(lambda column: column.str.strip()) if blank else cells


def _breaks(cells: Any, text: str) -> Any:
    """Number of line breaks within quoted fields before each row."""
    if '"' not in text:
        return numpy.zeros(len(cells), dtype=numpy.int64)
    inside = cells.apply(lambda column: column.str.count("\n")).sum(axis=1).to_numpy()
    return numpy.concatenate([[0], inside.cumsum()[:-1]]).astype(numpy.int64)


def _headed(
    cells: Any, lines: Any, name: str, reading: Reading, wanted: set[str], separator: str, told: list[str]
) -> TextTable:
    """The rows below the header; comment lines, blank lines and repeated headers are dropped."""
    first = cells[0]
    comment = first.str.startswith(reading.comment or "\0").to_numpy(dtype=bool, copy=True)
    comment[comment] = [_is_comment(text, reading.comment) for text in first[comment]]
    full = (cells != "").to_numpy()
    at = _header(cells, full, comment, reading, wanted)
    head = [plain_name(one) for one in cells.iloc[at]]
    if comment[at]:  # "# date, value" above the data
        head[0] = head[0].lstrip(reading.comment).strip()
        comment[at] = False
    width = 1 + int(max(numpy.flatnonzero(full[at]), default=0))
    body = (numpy.arange(len(cells)) > at) & ~comment & full.any(1)
    repeated = body & (first == first.iloc[at]).to_numpy()
    repeated[repeated] = (cells[repeated] == cells.iloc[at]).all(axis=1).to_numpy()
    body &= ~repeated
    for count, what in ((int(comment.sum()), "comment"), (int(repeated.sum()), "repeated header")):
        if count:
            told.append(f"{count} {what} line{'s' * (count > 1)} skipped")
    above = at - int(comment[:at].sum()) if reading.skip is None else 0
    if above:
        told.append(f"{above} line{'s' * (above > 1)} above the header skipped")
    shift, width = _shift(cells, full, body, width)
    _check_width(full, body, width + shift, lines, name, head)
    names = _unique(head[:width], wanted, name, int(lines[at]))
    columns = {one: cells[i + shift].to_numpy(dtype=object)[body] for i, one in enumerate(names)}
    return TextTable(columns, lines[body], separator, told)


def _header(cells: Any, full: Any, comment: Any, reading: Reading, wanted: set[str]) -> int:
    """Row of the header: the named one, the first with the wanted names, else the first of the usual width."""
    if reading.skip is not None:
        return min(reading.skip, len(cells) - 1)
    for at in range(min(len(cells), LOOKED_AT)):
        row = {plain_name(one) for one in cells.iloc[at]}
        if wanted and (
            wanted <= row or (comment[at] and wanted <= {one.lstrip(reading.comment).strip() for one in row})
        ):
            return at
    rows = numpy.flatnonzero(full.any(1) & ~comment)[:LOOKED_AT]
    if not len(rows):
        return 0
    widths = full[rows].sum(1)
    usual = Counter(widths.tolist()).most_common(1)[0][0]
    return int(rows[numpy.argmax(widths >= min(usual, 2))]) if usual > 1 else int(rows[0])


def _shift(cells: Any, full: Any, body: Any, width: int) -> tuple[int, int]:
    """1 where each row begins with its number or name and the header has no field for it, as R writes tables."""
    if not body.any() or full.shape[1] <= width or not full[body, width].all() or full[body, width + 1 :].any():
        return 0, width
    numbered = cells[0][body].tolist() == [str(i + 1) for i in range(int(body.sum()))]
    return int(numbered), width


def _check_width(full: Any, body: Any, width: int, lines: Any, name: str, head: list[str]) -> None:
    """Refuse rows with values beyond the header."""
    beyond = numpy.flatnonzero(body & full[:, width:].any(1))
    if len(beyond):
        count = 1 + int(numpy.flatnonzero(full[beyond[0]])[-1])
        names = ", ".join(one or "(no name)" for one in head[:width])
        raise DataError(
            f"{name} is not a well-formed CSV: line {lines[beyond[0]]} has {count} values and the header {width} "
            f"({names:.200}); quote values that contain the separator, or name it: --separator"
        )


def _unique(head: list[str], wanted: set[str], name: str, line: int) -> list[str]:
    """The column names, later ones of the same name numbered; a name that is needed may occur once only."""
    counts: Counter[str] = Counter()
    found = []
    for one in head:
        counts[one] += 1
        if counts[one] > 1 and one in wanted:
            raise DataError(
                f"{name}, line {line}: the column name {one!r} occurs twice: give each column a unique name"
            )
        found.append(one if counts[one] == 1 else f"{one}.{counts[one] - 1}")
    return found
