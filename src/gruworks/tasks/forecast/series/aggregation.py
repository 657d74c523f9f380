"""Rows of a period combined into one: sales of a month from the lines of receipts, a daily mean from hourly values."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy
import pandas
from numpy.typing import NDArray

from gruworks.errors import DataError
from gruworks.tasks.forecast.config import Reading
from gruworks.tasks.forecast.series.columns import Source, short
from gruworks.tasks.forecast.series.rows import Table

__all__ = ["aggregated"]

Times = NDArray[numpy.datetime64]
UNITS = {"hour": "h", "day": "D", "month": "M", "year": "Y"}
ADDED = ("sum", "count")  # a period without rows has 0
COMPARED = 12  # periods beside the first or last one, by which it is judged whether it is complete
FEWEST = 3  # of them
NAMED = 5  # series that a note names


def aggregated(tables: list[Table], reading: Reading, source: Source) -> tuple[list[Table], Reading, tuple[str, ...]]:
    """The tables with one row for each period that has rows, the settings for what is missing, and notes.

    The time of a period is its beginning. The first and the last period of the whole data are left out where rows begin
    later in it, or end earlier, than in the others. Static covariates keep their value, numbers among the other
    covariates are averaged, and of words the last one is kept.

    Raises:
        DataError: numbered rows.
    """
    if reading.every == "row":
        return tables, reading, ()
    if any(table.timestamps.dtype.kind != "M" for table in tables):
        raise DataError(f"{source.name}: rows are combined by {reading.every} (every) only where the time is a date")
    times = numpy.unique(numpy.concatenate([table.timestamps for table in tables]))
    kept, left_out = _complete(times, reading.every)
    found = [_combined(table, reading) for table in tables]
    found = [table[numpy.isin(table.timestamps, kept)] for table in found]
    gone = [table.name for table in found if not len(table.timestamps)]
    if gone:
        named = ", ".join(gone[:NAMED])
        left_out.append(f"{len(gone)} series left out, with rows in incomplete periods alone: {named}")
    found = [table for table in found if len(table.timestamps)]
    count = sum(len(table.timestamps) for table in tables)
    told = f"{count} rows combined by {reading.every}: {reading.combine} (--every, --combine)"
    if reading.combine in ADDED:
        reading = replace(reading, fill="0")
    return found, reading, (told, *left_out)


def starts(times: Times, every: str) -> Times:
    """The beginning of the period of each time; weeks begin on Monday.

    >>> starts(numpy.array(["2024-02-14T13:30"], "datetime64[us]"), "quarter").astype("datetime64[D]").tolist()
    [datetime.date(2024, 1, 1)]
    """
    if every == "week":
        days = times.astype("datetime64[D]").astype(numpy.int64)
        found = ((days + 3) // 7 * 7 - 3).astype("datetime64[D]")
    elif every == "quarter":
        found = (times.astype("datetime64[M]").astype(numpy.int64) // 3 * 3).astype("datetime64[M]")
    else:
        found = times.astype(f"datetime64[{UNITS[every]}]")
    return found.astype("datetime64[us]")


def _next(start: Times, every: str) -> Times:
    """The beginning of the period after each of these."""
    days = {"hour": 1 / 24, "day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}[every]
    return starts(start + numpy.timedelta64(round(days * 24 * 60), "m"), every)


def _complete(times: Times, every: str) -> tuple[Times, list[str]]:
    """The periods of these times, in order, without an incomplete first or last one, and notes on these."""
    begun = starts(times, every)
    periods, first = numpy.unique(begun, return_index=True)
    last = numpy.append(first[1:], len(times)) - 1
    lengths = (_next(periods, every) - periods) / numpy.timedelta64(1, "us")
    opened = (times[first] - periods) / numpy.timedelta64(1, "us") / lengths
    closed = (times[last] - periods) / numpy.timedelta64(1, "us") / lengths
    notes = []
    if len(periods) > FEWEST and closed[-1] < numpy.quantile(closed[-1 - COMPARED : -1], 0.1):
        notes.append(f"the last {every} is incomplete (its last row is {short(times[-1])}): left out")
        periods, opened = periods[:-1], opened[:-1]
    if len(periods) > FEWEST and opened[0] > numpy.quantile(opened[1 : 1 + COMPARED], 0.9):
        notes.append(f"the first {every} is incomplete (its first row is {short(times[0])}): left out")
        periods = periods[1:]
    return periods, notes


def _combined(table: Table, reading: Reading) -> Table:
    """One row for each period of a table."""
    table = table[numpy.argsort(table.timestamps, kind="stable")]
    begun = starts(table.timestamps, reading.every)
    periods, first, group = numpy.unique(begun, return_index=True, return_inverse=True)
    grouped = pandas.DataFrame(table.y).groupby(group)
    y = grouped.size().to_numpy()[:, None] if reading.combine == "count" else _values(grouped, reading.combine)
    side = {
        kind: {name: _covariate(values, group, kind) for name, values in found.items()}
        for kind, found in table.side.items()
    }
    return Table(
        table.name, periods, numpy.broadcast_to(y, (len(periods), table.y.shape[1])).astype(float),
        table.rows[first], side,
    )  # fmt: skip


def _values(grouped: Any, combine: str) -> NDArray[numpy.float64]:
    found = grouped.sum(min_count=1) if combine == "sum" else getattr(grouped, combine)()
    return numpy.asarray(found.to_numpy(dtype=numpy.float64))


def _covariate(values: NDArray[Any], group: NDArray[Any], kind: str) -> NDArray[Any]:
    grouped = pandas.Series(values).groupby(group)
    if values.dtype.kind == "f" and kind != "static":
        return numpy.asarray(grouped.mean().to_numpy())
    return numpy.asarray(grouped.last().to_numpy(dtype=values.dtype))
