"""Rows that are missing: a row for each time of the frequency, missing values filled, warnings about them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy
from numpy.typing import NDArray

from gruworks.tasks.forecast.config import Reading
from gruworks.tasks.forecast.series.columns import short
from gruworks.tasks.forecast.series.frequency import IRREGULAR, Frequency
from gruworks.tasks.forecast.series.panel import forward_filled
from gruworks.tasks.forecast.series.rows import Table

__all__ = ["fill", "missing_notes", "on_grid"]


def on_grid(table: Table, frequency: Frequency) -> Table:
    """The table with a row for each timestamp of the frequency."""
    if frequency.code == IRREGULAR:
        return table
    return _spread(table, frequency.grid(table.timestamps[0], table.timestamps[-1]))


def _spread(table: Table, grid: NDArray[Any]) -> Table:
    """The table at the timestamps `grid`, missing where it has no row."""
    if len(grid) == len(table.timestamps):
        return table
    at = numpy.searchsorted(grid, table.timestamps)

    def spread(values: NDArray[Any]) -> NDArray[Any]:
        empty: Any = "" if values.dtype == object else numpy.nan
        made = numpy.full((len(grid), *values.shape[1:]), empty, dtype=values.dtype)
        made[at] = values
        return made

    rows = table.rows[numpy.maximum(0, numpy.searchsorted(table.timestamps, grid, side="right") - 1)]
    return table.rearranged(grid, rows, spread)


def fill(table: Table, frequency: Frequency, reading: Reading, last: Any) -> Table:
    """The table with missing values filled as `reading.fill` says; with 0, up to the last time of all series."""
    if reading.fill == "missing":
        return table
    end = int(numpy.flatnonzero(table.observed)[-1]) + 1
    if reading.fill == "0":
        if table.timestamps[-1] < last and frequency.code != IRREGULAR:
            table = _spread(table, frequency.grid(table.timestamps[0], last))
        end = max(end, int(numpy.searchsorted(table.timestamps, last, side="right")))
    y = table.y.copy()
    for column in y[:end].T:
        column[:] = numpy.where(numpy.isnan(column), 0, column) if reading.fill == "0" else forward_filled(column)
    return replace(table, y=y)


def missing_notes(usable: list[Table], filled: list[Table], frequency: Frequency, reading: Reading) -> list[str]:
    """Warnings about missing values, missing rows, and rows without a value at the end."""
    notes = []
    ends = [int(numpy.flatnonzero(table.observed)[-1]) + 1 for table in usable]
    inside = [table[:end] for table, end in zip(usable, ends, strict=True)]
    missing = sum(int(numpy.isnan(table.y).sum()) for table in inside)
    how = {"missing": "read as such and left out of the loss", "last": "replaced by the last value", "0": "read as 0"}
    if missing:
        notes.append(f"{missing} values are missing: they are {how[reading.fill]}")
    covered = [int(numpy.flatnonzero(table.observed)[-1]) + 1 for table in filled]
    added = sum(covered) - sum(ends)
    if added > 0:
        how["missing"] = "read as missing values"
        notes.append(f"about {added} rows are missing between the others ({frequency}): {how[reading.fill]}")
    after = [len(table.y) - end for table, end in zip(usable, ends, strict=True)]
    if any(after):
        where = [short(t.timestamps[e]) for t, e, n in zip(usable, ends, after, strict=True) if n]
        of = f" of {len(where)} series" if len(usable) > 1 else ""
        notes.append(f"the last {max(after)} rows{of} have no value: the forecast begins with them, at {min(where)}")
    return notes
