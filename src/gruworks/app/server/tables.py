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
TIME = ("ds", "date", "time", "timestamp", "datetime", "month", "day", "日期", "时间")
TARGET = ("y", "value", "target", "price", "close", "temp_max", "sales")
SERIES = ("unique_id", "id", "series", "symbol", "name", "item")
COUNTED = (*TIME, "year", "week", "step", "t", "年", "年份", "月份", "序号")  # where whole numbers are times
SAMPLE = 50
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
    from gruworks.tasks.forecast.series.table_reader import TOTALS

    head = table[0]
    rows = [row for row in table[1 : SAMPLE + 1] if not any(TOTALS.fullmatch(one) for one in row)]
    kinds = {name: _kind([row[i] for row in rows]) for i, name in enumerate(head)}
    found = [{"name": n, "kind": kinds[n], "examples": [row[i][:40] for row in rows[:3]]} for i, n in enumerate(head)]
    counted = (name for name in head if name.lower() in COUNTED and kinds[name] == "number")
    time = _first(head, TIME, lambda name: kinds[name] == "time") or next(counted, None)
    text = [name for name in head if kinds[name] == "text" and name != time]
    series = _first(text, SERIES, lambda name: _repeats(table, head.index(name)))
    rest = [name for name in head if name not in (time, series) and kinds[name] == "number"]
    target = _first(rest, TARGET, lambda _: True)
    return {"columns": found, "guess": {"id": series, "time": time, "target": target}, "rows": len(table) - 1}


def _first(head: list[str], known: tuple[str, ...], fits: Any) -> str | None:
    ranked = [name for wanted in known for name in head if name.lower() == wanted]
    return next((name for name in (*ranked, *head) if fits(name)), None)


def _repeats(table: Table, at: int) -> bool:
    """True where values repeat, as names of series do; unreadable dates or notes do not."""
    values = [row[at] for row in table[1:]]
    return 2 * len(set(values)) <= len(values)


def _kind(values: list[str]) -> str:
    """The kind of a column; up to a fifth of its values may be errors, which reading reports with their lines."""
    from gruworks.tasks.forecast.series.kinds import kind_of

    kind = kind_of(numpy.array(values, dtype=object))
    return "number" if kind == "numbers" else "time" if kind.startswith("dates") else "text"
