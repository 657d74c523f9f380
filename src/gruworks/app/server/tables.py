"""Tables in requests: CSV text or rows, what their columns are, which one is likely what."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import numpy

from gruworks.app.server.limits import Limits
from gruworks.app.server.replies import RequestError

__all__ = ["look", "of_rows", "parse"]

Table = list[list[str]]
TIME = ("ds", "date", "time", "timestamp", "datetime", "month", "day", "日期", "时间")
TARGET = ("y", "value", "target", "price", "close", "temp_max", "sales")
SERIES = ("unique_id", "id", "series", "symbol", "name", "item")
COUNTED = (*TIME, "year", "week", "step", "t", "年", "年份", "月份", "序号")  # where whole numbers are times
SAMPLE = 50


def parse(text: str, limits: Limits) -> Table:
    """Header and rows of CSV text with commas, semicolons or tabs between.

    Raises:
        RequestError: no table, more rows than may be, a line of another length.
    """
    lines = text.lstrip("\ufeff").strip("\n\r")
    if not lines:
        raise RequestError(400, "expected a table with a line of column names, got nothing", "csv")
    first = lines.splitlines()[0]
    delimiter = max(",;\t", key=first.count)
    try:
        table = [row for row in csv.reader(io.StringIO(lines), delimiter=delimiter, strict=True) if row]
    except csv.Error as error:
        raise RequestError(400, f"the table can't be read: {error}", "csv") from None
    if len(table) - 1 > limits.rows:
        raise RequestError(413, f"the table has {len(table) - 1} rows, more than {limits.rows}", "csv")
    head = [name.strip() for name in table[0]]
    if len(set(head)) < len(head):
        raise RequestError(400, f"two columns of the table have one name: {', '.join(head)[:200]}", "csv")
    for number, row in enumerate(table[1:], 2):
        if len(row) != len(head):
            raise RequestError(
                400, f"line {number} of the table has {len(row)} values, the first line {len(head)}", "csv"
            )
    return [head, *table[1:]]


def of_rows(rows: list[dict[str, Any]], limits: Limits) -> Table:
    """The same from objects; a name that one lacks is an empty value."""
    if not rows:
        raise RequestError(400, "expected rows, got none", "rows")
    if len(rows) > limits.rows:
        raise RequestError(413, f"there are {len(rows)} rows, more than {limits.rows}", "rows")
    head = list(dict.fromkeys(name for row in rows for name in row))
    if len(head) > 200:
        raise RequestError(400, f"the rows have {len(head)} columns, more than 200", "rows")
    return [head, *(["" if row.get(name) is None else str(row[name]) for name in head] for row in rows)]


def look(table: Table) -> dict[str, Any]:
    """Each column's kind and first values, and the likely time, target and series."""
    head, rows = table[0], table[1 : SAMPLE + 1]
    kinds = {name: _kind([row[i] for row in rows]) for i, name in enumerate(head)}
    found = [
        {"name": name, "kind": kinds[name], "examples": [row[i][:40] for row in rows[:3]]}
        for i, name in enumerate(head)
    ]
    counted = [name for name in head if name.lower() in COUNTED and kinds[name] == "number"]
    time = _first(head, TIME, lambda name: kinds[name] == "time") or next(iter(counted), None)
    text = [name for name in head if kinds[name] == "text" and name != time]
    series = _first(text, SERIES, lambda name: _repeats(table, head.index(name)))
    rest = [name for name in head if name not in (time, series) and kinds[name] == "number"]
    target = _first(rest, TARGET, lambda _: True)
    return {"columns": found, "guess": {"id": series, "time": time, "target": target}, "rows": len(table) - 1}


def _first(head: list[str], known: tuple[str, ...], fits: Any) -> str | None:
    for wanted in known:
        for name in head:
            if name.lower() == wanted and fits(name):
                return name
    return next((name for name in head if fits(name)), None)


def _repeats(table: Table, at: int) -> bool:
    """Names of series stand in several rows each; dates in a form of their own, or remarks, do not."""
    values = [row[at] for row in table[1:]]
    return 2 * len(set(values)) <= len(values)


def _kind(values: list[str]) -> str:
    full = [value.strip() for value in values if value.strip()]
    if not full:
        return "text"
    if _most(_is_number, full):
        return "number"
    return "time" if _most(_is_time, full) else "text"


def _most(fits: Callable[[str], bool], values: list[str]) -> bool:
    """Some slips do not change what a column is: they are named, with their lines, when it is read."""
    return sum(map(fits, values)) >= 0.8 * len(values)


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


def _is_time(value: str) -> bool:
    for text in (value, value.replace("/", "-"), value.removesuffix("Z")):
        try:
            numpy.datetime64(text)
        except ValueError:
            continue
        return True
    return False
