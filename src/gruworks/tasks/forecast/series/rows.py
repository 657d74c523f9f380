"""Rows of one series: their order, and rows of one time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy
from numpy.typing import NDArray

from gruworks.tasks.forecast.series.columns import ON_COMMAND_LINE, Source, short

__all__ = ["Table", "in_order"]

Floats = NDArray[numpy.float64]


@dataclass(frozen=True)
class Table:
    """Rows of one series: timestamps [N], targets y [N, D], row numbers in the source [N], covariates by kind."""

    name: str
    timestamps: NDArray[Any]
    y: Floats
    rows: NDArray[numpy.int64]
    side: dict[str, dict[str, NDArray[Any]]] = field(default_factory=dict)

    def rearranged(
        self, timestamps: NDArray[Any], rows: NDArray[numpy.int64], change: Callable[[NDArray[Any]], NDArray[Any]]
    ) -> Table:
        """The table at other timestamps and rows, with `change` applied to each column."""
        side = {kind: {name: change(values) for name, values in found.items()} for kind, found in self.side.items()}
        return Table(self.name, timestamps, change(self.y), rows, side)

    def __getitem__(self, at: Any) -> Table:
        return self.rearranged(self.timestamps[at], self.rows[at], lambda values: values[at])

    @property
    def observed(self) -> NDArray[numpy.bool_]:
        """Mask of the rows with a value of any target."""
        return numpy.asarray(~numpy.isnan(self.y).all(1))


def in_order(tables: list[Table], source: Source, notes: list[str]) -> list[Table]:
    """The tables in order of time, identical rows once.

    Raises:
        DataError: a time with two values.
    """
    found, moved, doubled, repeated = [], 0, 0, 0
    for table in tables:
        steps = numpy.diff(table.timestamps).astype(numpy.int64)
        if (steps < 0).any():
            table, moved = table[numpy.argsort(table.timestamps, kind="stable")], moved + 1
        table, again = _clock_changes(table)
        repeated += again
        steps = numpy.diff(table.timestamps).astype(numpy.int64)
        twice = numpy.flatnonzero(steps == 0)
        if len(twice):
            for i in twice.tolist():
                _need_same(table, i, source, len(tables) > 1)
            table, doubled = table[numpy.concatenate([[True], steps != 0])], doubled + len(twice)
        found.append(table)
    if moved:
        notes.append("the rows were not in order of time: they are sorted" + f" in {moved} series" * (len(tables) > 1))
    if repeated:
        notes.append(f"{repeated} times occur twice where clocks are set back in autumn: the mean of both is used")
    if doubled:
        notes.append(f"{doubled} rows occur twice, with the same values: each is used once")
    return found


def _clock_changes(table: Table) -> tuple[Table, int]:
    """The table with one row for each time that clocks show twice on a Sunday in autumn, and their number."""
    twice = numpy.flatnonzero(numpy.diff(table.timestamps).astype(numpy.int64) == 0)
    if not len(twice) or table.timestamps.dtype.kind != "M":
        return table, 0
    times = table.timestamps[twice]
    days = times.astype("datetime64[D]")
    hours = (times - days) / numpy.timedelta64(1, "h")
    months = times.astype("datetime64[M]").astype(int) % 12 + 1
    sundays = (days.astype(int) + 3) % 7 == 6
    years = 1 + (table.timestamps[-1] - table.timestamps[0]) / numpy.timedelta64(366, "D")
    if not (sundays & (hours < 4) & numpy.isin(months, (3, 4, 10, 11))).all() or len(numpy.unique(days)) > years:
        return table, 0
    if any(values.dtype == object for found in table.side.values() for values in found.values()):
        return table, 0
    y = table.y.copy()
    y[twice + 1] = (y[twice] + y[twice + 1]) / 2
    kept = numpy.delete(numpy.arange(len(table.timestamps)), twice)
    return replace(table, y=y)[kept], len(twice)


def _need_same(table: Table, i: int, source: Source, several: bool) -> None:
    """Refuse rows i and i + 1 of one time, unless all their values are the same."""
    columns = [table.y, *(values for found in table.side.values() for values in found.values())]
    if all(numpy.array_equal(one[i], one[i + 1], equal_nan=one.dtype.kind == "f") for one in columns):
        return
    stamp = short(table.timestamps[i + 1])
    hint = (
        ": name the column that identifies the series or, where the time of day is in a column of its own, both time "
        f"columns, or combine the rows of each day{ON_COMMAND_LINE}--series NAME, --time DATE,TIME, --every day"
    )
    text = f"the time {stamp} occurs twice (series {table.name!r}) with different values{'' if several else hint}"
    row = max(int(table.rows[i]), int(table.rows[i + 1]))
    source.refuse(row, text, "time-twice", time=stamp, series=table.name)
