"""Frequency of timestamps: inference, timestamps of the horizon, seasons of the calendar."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy
import pandas
from numpy.typing import NDArray

from gruworks.tasks.forecast.series.calendars import DayOfMonth, OpenSlots, learned_slots

__all__ = ["IRREGULAR", "STEPS", "Frequency", "Season", "grid_frequency", "infer_frequency", "irregular_frequency"]

STEPS = "steps"  # code of numbered rows, which have no calendar
IRREGULAR = "irregular"  # code of irregular timestamps
SECONDS = {"s": 1, "min": 60, "h": 3_600, "D": 86_400, "W": 604_800}
MONTHS = {"M": 1, "Q": 3, "Y": 12}
WORDS = {
    STEPS: "numbered rows",
    "s": "every second",
    "min": "every minute",
    "h": "hourly",
    "D": "daily",
    "B": "every business day",
    "W": "weekly",
    "M": "monthly",
    "Q": "quarterly",
    "Y": "yearly",
}
SPARSEST = 4  # rows of a grid for each row that is there, above which times are irregular
DAY, WEEK, YEAR = 86_400, 604_800, 31_557_600
ORIGIN = "1970-01-05"  # a Monday


class Season(NamedTuple):
    """A season: its period in steps, and its number of harmonics (pairs of sine and cosine)."""

    name: str
    period: float
    harmonics: int


@dataclass(frozen=True)
class Frequency:
    """`code` is a pandas offset alias ("D", "MS", "15min", "B"), "steps", "irregular", or that of `calendars`.

    `multiple` is the step of numbered rows, or the median step in microseconds of irregular ones.
    """

    code: str
    multiple: int = 1

    def future(self, last: Any, count: int) -> NDArray[Any]:
        """The `count` timestamps after `last`."""
        if self.code == STEPS:
            return numpy.asarray(last + self.multiple * numpy.arange(1, count + 1), dtype=numpy.int64)
        if self.code == IRREGULAR:
            steps = numpy.arange(1, count + 1) * numpy.timedelta64(self.multiple, "us")
            return numpy.asarray(numpy.datetime64(last, "us") + steps)
        if self.slots is not None:
            return self.slots.future(last, count)
        if self.day_of_month is not None:
            return self.day_of_month.after(numpy.datetime64(last, "us"), count + 1)[1:]
        timestamps = pandas.date_range(pandas.Timestamp(last), periods=count + 1, freq=self.code)[1:]
        return numpy.asarray(timestamps.to_numpy(), dtype="datetime64[us]")

    def grid(self, first: Any, last: Any) -> NDArray[Any]:
        """All timestamps from `first` to `last`."""
        if self.code == STEPS:
            return numpy.arange(first, last + 1, self.multiple, dtype=numpy.int64)
        if self.slots is not None:
            return self.slots.grid(first, last)
        if self.day_of_month is not None:
            return self.day_of_month.grid(numpy.datetime64(first, "us"), numpy.datetime64(last, "us"))
        found = pandas.date_range(pandas.Timestamp(first), pandas.Timestamp(last), freq=self.code)
        return numpy.asarray(found.to_numpy(), dtype="datetime64[us]")

    def positions(self, timestamps: NDArray[Any]) -> NDArray[numpy.float64]:
        """Steps from a Monday that all series share to each timestamp; seasons take their phase from it."""
        kind, count = self.kind
        if kind == STEPS:
            return numpy.asarray(timestamps / self.multiple)
        if kind == IRREGULAR:
            since = (timestamps - numpy.datetime64(ORIGIN, "us")) / numpy.timedelta64(1, "us")
            return numpy.asarray(since / self.multiple)
        if self.slots is not None:
            return self.slots.positions(timestamps)
        if kind in SECONDS:
            seconds = (timestamps - numpy.datetime64(ORIGIN, "us")) / numpy.timedelta64(1, "s")
            return numpy.asarray(seconds / (SECONDS[kind] * count))
        if kind == "B":
            return numpy.busday_count(ORIGIN, timestamps.astype("datetime64[D]")) / count
        months = timestamps.astype("datetime64[M]").astype(numpy.int64)
        return months / (MONTHS[kind] * count)

    def seasons(self) -> list[Season]:
        """Seasons of the calendar at this frequency, shortest first."""
        kind, count = self.kind
        if kind == STEPS:
            return []
        if self.slots is not None:
            week, day = self.slots.per_week, self.slots.per_day
            found = [Season("day", day, 4)] if day else []
            found += [Season("week", week, 3), Season("year", week * YEAR / WEEK, 2)]
        elif kind == "B":
            found = [Season("week", 5 / count, 2), Season("year", 5 * YEAR / WEEK / count, 2)]
        elif kind in MONTHS:
            found = [Season("year", 12 / (MONTHS[kind] * count), 5)]
        else:
            step = self.multiple / 1e6 if kind == IRREGULAR else SECONDS[kind] * count
            found = [Season("day", DAY / step, 4), Season("week", WEEK / step, 3), Season("year", YEAR / step, 2)]
        return [Season(n, p, min(h, int(p // 2))) for n, p, h in found if p >= 2]

    @property
    def slots(self) -> OpenSlots | None:
        """The open slots of the week, of a frequency that has closed ones."""
        return OpenSlots.parse(self.code)

    @property
    def day_of_month(self) -> DayOfMonth | None:
        return DayOfMonth.parse(self.code)

    @property
    def dated(self) -> bool:
        """False for numbered rows."""
        return self.code != STEPS

    @property
    def kind(self) -> tuple[str, int]:
        """Name (a key of `WORDS`, "steps", "irregular" or "open") and multiple: ("h", 2) for every second hour."""
        if self.code in (STEPS, IRREGULAR):
            return self.code, 1
        if self.slots is not None:
            return "open", 1
        if self.day_of_month is not None:
            return "M", self.day_of_month.months
        offset = pandas.tseries.frequencies.to_offset(self.code)
        name = offset.rule_code.split("-")[0]
        if name in SECONDS or name == "B":
            return name, int(offset.n)
        for kind in MONTHS:  # MS, ME, BMS, QE, BYS ...
            if kind in name:
                return kind, int(offset.n)
        return "s", max(1, round(pandas.Timedelta(offset).total_seconds()))

    def __str__(self) -> str:
        kind, count = self.kind
        if self.slots is not None:
            return str(self.slots)
        if self.day_of_month is not None:
            every = "monthly" if count == 1 else f"every {count} months"
            return f"{every}, on day {self.day_of_month.day}"
        if kind == IRREGULAR:
            return f"irregular (median step {pandas.Timedelta(self.multiple, 'us')})"
        return WORDS[kind] if count == 1 and kind in WORDS else self.code


def infer_frequency(timestamps: NDArray[Any]) -> Frequency | None:
    """Frequency of at least three ordered timestamps; None if they are irregular."""
    if numpy.issubdtype(timestamps.dtype, numpy.integer):
        steps = numpy.unique(numpy.diff(timestamps))
        return Frequency(STEPS, int(steps[0])) if len(steps) == 1 else None
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # pandas 4 will give an offset
        found = pandas.infer_freq(pandas.DatetimeIndex(timestamps))
    code = getattr(found, "freqstr", found)
    return None if code is None or code.startswith(("WOM", "LWOM", "bh")) else Frequency(code)


def grid_frequency(timestamps: NDArray[Any], slots: bool = True) -> Frequency | None:
    """Frequency of timestamps with gaps; None unless they fill at least a quarter of a regular grid.

    With `slots` days and hours that never have rows are closed, and no part of the frequency.
    """
    if len(timestamps) < 3:
        return None
    if numpy.issubdtype(timestamps.dtype, numpy.integer):
        step = int(numpy.gcd.reduce(numpy.diff(timestamps)))
        return Frequency(STEPS, step) if SPARSEST * len(timestamps) > (timestamps[-1] - timestamps[0]) // step else None
    for frequency in _candidates(timestamps, slots):
        grid = frequency.grid(timestamps[0], timestamps[-1])
        if SPARSEST * len(timestamps) > len(grid) and numpy.isin(timestamps, grid).all():
            return frequency
    return None


def _candidates(timestamps: NDArray[Any], slots: bool) -> Iterator[Frequency]:
    """Frequencies that the most common step may stand for, those of the calendar first."""
    steps, counts = numpy.unique(numpy.diff(timestamps), return_counts=True)
    common = pandas.Timedelta(steps[counts.argmax()])
    days = common / pandas.Timedelta(days=1)
    if days == 1 and len(timestamps) >= 10 and _weekdays(timestamps).max() < 5:
        yield Frequency("B")
    if slots and days <= 1 and (learned := learned_slots(timestamps)) is not None:
        yield Frequency(learned.code)
    if days >= 27:
        yield from _months(timestamps)
    if days == 7:
        yield Frequency(f"W-{pandas.Timestamp(timestamps[0]).strftime('%a').upper()}")
    if days == int(days) and days < 365:
        yield Frequency(f"{int(days)}D" if days > 1 else "D")
    elif days < 365:
        yield Frequency(pandas.tseries.frequencies.to_offset(common).freqstr)


def _months(timestamps: NDArray[Any]) -> Iterator[Frequency]:
    """Frequencies of whole months: first or last days or business days, else the same day of the month."""
    months = timestamps.astype("datetime64[M]").astype(numpy.int64)
    every = int(numpy.gcd.reduce(numpy.diff(months))) or 1
    anchor = pandas.Timestamp(timestamps[0]).strftime("%b").upper()
    for day in ("S", "E", "BS", "BE"):
        business, end = day[:-1], day[-1]
        names = {1: f"{business}M{end}", 3: f"{business}Q{end}-{anchor}", 12: f"{business}Y{end}-{anchor}"}
        yield Frequency(names.get(every, f"{every}{business}M{end}"))
    if (found := DayOfMonth.learned(timestamps)) is not None:
        yield Frequency(found.code)


def _weekdays(timestamps: NDArray[Any]) -> NDArray[numpy.int64]:
    """Day of the week of each timestamp, 0 for Monday."""
    return numpy.asarray((timestamps.astype("datetime64[D]").astype(numpy.int64) + 3) % 7)


def irregular_frequency(panel: list[NDArray[Any]]) -> Frequency:
    """Frequency of irregular timestamps, with their median step."""
    steps = numpy.concatenate([numpy.diff(timestamps) for timestamps in panel]).astype("timedelta64[us]")
    return Frequency(IRREGULAR, max(1, int(numpy.median(steps.astype(numpy.int64)))))
