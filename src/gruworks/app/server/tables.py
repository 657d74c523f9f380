"""Tables in requests: CSV text or rows, with kinds and likely roles of their columns."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Any

import numpy

from gruworks.app.server.limits import Limits
from gruworks.app.server.responses import RequestError, at_most
from gruworks.errors import DataError

__all__ = ["look", "of_rows", "parse"]

Table = list[list[str]]
KINDS = {"numbers": "number", "dates": "time"}  # of columns, as a request names them; others are text
SEPARATOR_LINE = r'"?sep='
MOST_NOTES = 3  # below the rows
MOST_OTHER = 100  # lines that are no rows: titles, comments, notes


def parse(text: str, limits: Limits) -> Table:
    """Header and rows of CSV text separated by commas, semicolons or tabs.

    Text that has more than these, such as titles, comments and a separator line, is read as files are.

    Raises:
        RequestError: no table, one beyond the limits, or a line of another length.
    """
    table = _laid_out(text, limits) if re.match(rf"\ufeff?\s*#|\ufeff?{SEPARATOR_LINE}", text, re.IGNORECASE) else None
    if table is not None:
        return table
    try:
        return _plain(text, limits)
    except RequestError:
        table = _laid_out(text, limits)
        if table is None:
            raise
        return table


def _plain(text: str, limits: Limits) -> Table:
    """The table of a text whose lines all have the length of the first one."""
    text = text.lstrip("\ufeff").strip("\n\r")
    if not text:
        raise RequestError(400, "expected a table with a line of column names, got nothing", "csv", "empty-table")
    first = re.match(r"[^\r\n]*", text)[0]  # type: ignore[index]
    delimiter = max(",;\t", key=first.count)
    rows = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    try:
        return _read((row for row in rows if row), limits)
    except csv.Error as error:
        raise RequestError(400, f"the table can't be read: {error}", "csv", "unreadable-table") from None


def _laid_out(text: str, limits: Limits) -> Table | None:
    """The table of a text in which other lines than rows were found; None for one that is no better read so."""
    from gruworks.tasks.forecast.config import Reading
    from gruworks.tasks.forecast.series.layout import parsed

    text = text.lstrip("\ufeff")
    if text.count("\n") > limits.rows + MOST_OTHER:
        return None
    try:
        found = parsed(text, "the table", Reading(), set())
    except DataError:
        return None
    marked = re.match(SEPARATOR_LINE, text, re.IGNORECASE) or any("skipped" in told for told in found.understood)
    if not marked and not _notes_at_end(text, found.separator):
        return None
    columns = [[name, *values.tolist()] for name, values in found.columns.items()]
    at_most(limits.columns, len(columns), "columns of a table", "csv", code="too-many-columns")
    _check_rows(len(columns[0]) - 1, len(columns), limits, "csv")
    return [list(row) for row in zip(*columns, strict=True)]


def _notes_at_end(text: str, separator: str) -> bool:
    """True where only the last lines are shorter than the first one, and begin with words: totals and notes."""
    if len(separator) > 1:
        return False
    rows = [row for row in csv.reader(io.StringIO(text), delimiter=separator) if row]
    short = [at for at, row in enumerate(rows) if len(row) < len(rows[0])]
    at_end = short == list(range(len(rows) - len(short), len(rows))) and 0 < len(short) <= MOST_NOTES
    return at_end and all(re.search(r"[^\W\d_]{3}", rows[at][0]) for at in short)


def _read(rows: Iterator[list[str]], limits: Limits) -> Table:
    head = [name.strip() for name in next(rows)]
    at_most(limits.columns, len(head), "columns of a table", "csv", code="too-many-columns")
    if len(set(head)) < len(head):
        names = ", ".join(head)[:200]
        raise RequestError(400, f"two columns of the table have one name: {names}", "csv", "same-names", names=names)
    table = [head]
    for row in rows:
        table.append(row)
        if len(row) != len(head):
            text = f"line {len(table)} of the table has {len(row)} values, the first line {len(head)}"
            facts = {"line": len(table), "count": len(row), "head": len(head)}
            raise RequestError(400, text, "csv", "row-width", **facts)
        _check_rows(len(table) - 1, len(head), limits, "csv")
    return table


def of_rows(rows: list[dict[str, Any]], limits: Limits) -> Table:
    """Header and rows of a list of objects; a name that an object lacks is an empty value."""
    if not rows:
        raise RequestError(400, "expected rows, got none", "rows")
    head: dict[str, None] = {}
    for row in rows:
        head.update(dict.fromkeys(row))
        at_most(limits.columns, len(head), "columns of a table", "rows", code="too-many-columns")
    _check_rows(len(rows), len(head), limits, "rows")
    return [[*head], *(["" if row.get(name) is None else str(row[name]) for name in head] for row in rows)]


def _check_rows(rows: int, columns: int, limits: Limits, where: str) -> None:
    most = min(limits.rows, limits.cells // max(columns, 1))
    at_most(most, rows, f"rows of {columns} columns", where, code="too-many-rows")


def look(table: Table) -> dict[str, Any]:
    """Kind and first values of each column, and the likely columns of time, target and series."""
    from gruworks.tasks.forecast.series.roles import LOOKED_AT, kinds_of, likely
    from gruworks.tasks.forecast.series.table_reader import TOTALS

    head, first = table[0], table[1 : LOOKED_AT + 1]  # a total among many rows changes no kind
    rows = [row for row in first if not any(TOTALS.fullmatch(one) for one in row)] + table[LOOKED_AT + 1 :]
    columns = {name: numpy.array([row[i] for row in rows], dtype=object) for i, name in enumerate(head)}
    kinds = kinds_of(columns)
    roles = likely(columns, kinds)
    found = [
        {"name": name, "kind": KINDS.get(kinds[name].partition(" ")[0], "text"),
         "examples": [value[:40] for value in columns[name][:3]]}
        for name in head
    ]  # fmt: skip
    named = {"id": roles.series, "time": roles.time, "target": roles.target}
    guess = {role: ",".join(names) or None for role, names in named.items()}
    return {"columns": found, "guess": guess, "rows": len(table) - 1}
