"""Rows of a series joined to earlier ones by their timestamps: overlap replaced, skipped rows missing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy
from numpy.typing import NDArray

from gruworks.errors import DataError
from gruworks.tasks.forecast.series.columns import short
from gruworks.tasks.forecast.series.frequency import IRREGULAR, Frequency
from gruworks.tasks.forecast.series.panel import FEWEST_ROWS, Series

__all__ = ["continues", "join"]

NEAR = 31  # rows that may be skipped before a continuation, or as many as it has
SAME = 1e-9  # relative difference of values that count as the same


def continues(later: Series, earlier: Series, frequency: Frequency) -> bool:
    """True where `later` begins within the rows of `earlier` or soon after them; else it is a history of its own."""
    if later.timestamps[0] <= earlier.timestamps[0] or later.timestamps.dtype != earlier.timestamps.dtype:
        return False
    if frequency.code == IRREGULAR or later.timestamps[0] <= earlier.timestamps[-1]:
        return True
    skipped = len(frequency.grid(earlier.timestamps[-1], later.timestamps[0])) - 2
    return skipped <= max(NEAR, len(later)) or len(later) < FEWEST_ROWS


def join(earlier: Series, later: Series, frequency: Frequency, whole: bool = False) -> tuple[Series, int]:
    """The rows of `earlier` up to the last of `later`, with those of `later`, and the number of values that changed.

    A missing value of `later` replaces none. With `whole` the rows of `earlier` after those of `later` are kept too.

    Raises:
        DataError: rows of `later` that are off the frequency.
    """
    last = max(later.timestamps[-1], earlier.timestamps[-1]) if whole else later.timestamps[-1]
    kept = int(numpy.searchsorted(earlier.timestamps, last, side="right"))
    if frequency.code == IRREGULAR:
        times = numpy.union1d(earlier.timestamps[:kept], later.timestamps)
    else:
        times = frequency.grid(earlier.timestamps[0], last)
        off = later.timestamps[~numpy.isin(later.timestamps, times)]
        if len(off):
            told = f"the time {short(off[0])} of series {later.name!r} is off the frequency of the fit ({frequency})"
            raise DataError(f"{told}, whose last time is {short(earlier.timestamps[-1])}", "out-of-rhythm")
    old, new = numpy.searchsorted(times, earlier.timestamps[:kept]), numpy.searchsorted(times, later.timestamps)

    def joined(before: NDArray[Any], after: NDArray[Any]) -> NDArray[Any]:
        return _joined(len(times), old, before[:kept], new, after[: len(later)])

    y = joined(earlier.y, later.y)
    before = numpy.full(len(times), numpy.nan)
    before[old] = earlier.y[:kept]
    both = ~numpy.isnan(before) & ~numpy.isnan(y)
    changed = int((numpy.abs(before - y)[both] > SAME * numpy.maximum(numpy.abs(before), numpy.abs(y))[both]).sum())
    future = {}
    for name, values in later.future.items():
        rest = values[len(later) :] if last == later.timestamps[-1] else earlier.future[name][kept:]
        future[name] = numpy.concatenate([joined(earlier.future[name], values), rest])
    past = {name: joined(earlier.past[name], values) for name, values in later.past.items()}
    found = replace(later, timestamps=times, y=y, others=joined(earlier.others, later.others), past=past, future=future)
    return found, changed


def _joined(
    count: int, old: NDArray[Any], before: NDArray[Any], new: NDArray[Any], after: NDArray[Any]
) -> NDArray[Any]:
    """Values at `count` times: `before` at the rows `old`, and `after`, where it isn't missing, at the rows `new`."""
    empty: Any = "" if before.dtype == object else numpy.nan
    found = numpy.full((count, *before.shape[1:]), empty, dtype=before.dtype)
    found[old] = before
    there = after != "" if after.dtype == object else ~numpy.isnan(after)
    found[new] = numpy.where(there, after, found[new])
    return found
