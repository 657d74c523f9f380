"""Calendars that pandas has no alias for: the same day of every n-th month, and open slots of the week."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy
from numpy.typing import NDArray

__all__ = ["DAY_OF_MONTH", "OPEN", "DayOfMonth", "OpenSlots", "learned_slots"]

MONDAY = numpy.datetime64("1970-01-05", "us")
MICROSECOND, DAY, WEEK = numpy.timedelta64(1, "us"), 86_400_000_000, 604_800_000_000
DAY_OF_MONTH = re.compile(r"([1-9]\d{0,2})M@([1-9]|[12]\d|3[01])")
OPEN = re.compile(r"(\d{1,5})(s|min|h|D)@([0-9a-f]{1,168})")
UNITS = {"D": DAY, "h": 3_600_000_000, "min": 60_000_000, "s": 1_000_000}
SMALLEST = 15 * 60_000_000  # step, in microseconds, for which slots are learnt
FEWEST_WEEKS, FEWEST_DAYS = 4, 5  # that a slot must have been seen closed
LEAST_FILLED = 0.8  # share of the open slots that have rows
Stamps = NDArray[Any]


@dataclass(frozen=True)
class DayOfMonth:
    """The same day of every n-th month, the last day of shorter months; the time of day is that of the first row."""

    months: int
    day: int

    @property
    def code(self) -> str:
        return f"{self.months}M@{self.day}"

    @classmethod
    def parse(cls, code: str) -> DayOfMonth | None:
        match = DAY_OF_MONTH.fullmatch(code)
        return cls(int(match[1]), int(match[2])) if match else None

    @classmethod
    def learned(cls, timestamps: Stamps) -> DayOfMonth | None:
        """The calendar of timestamps whose months are multiples of their most common step apart."""
        months = timestamps.astype("datetime64[M]").astype(numpy.int64)
        days = 1 + (timestamps.astype("datetime64[D]") - timestamps.astype("datetime64[M]")).astype(numpy.int64)
        found = cls(int(numpy.gcd.reduce(numpy.diff(months))) or 1, int(days.max()))
        return found if numpy.isin(timestamps, found.grid(timestamps[0], timestamps[-1])).all() else None

    def after(self, first: Any, count: int) -> Stamps:
        """`count` timestamps from `first` on."""
        month = first.astype("datetime64[M]") + self.months * numpy.arange(count)
        length = ((month + 1).astype("datetime64[D]") - month.astype("datetime64[D]")).astype(numpy.int64)
        days = month.astype("datetime64[D]") + numpy.minimum(self.day, length) - 1
        return numpy.asarray(days.astype("datetime64[us]") + (first - first.astype("datetime64[D]")))

    def grid(self, first: Any, last: Any) -> Stamps:
        first, last = first.astype("datetime64[us]"), last.astype("datetime64[us]")
        span = (last.astype("datetime64[M]") - first.astype("datetime64[M]")).astype(int)
        found = self.after(first, span // self.months + 1)
        return numpy.asarray(found[found <= last])


@dataclass(frozen=True)
class OpenSlots:
    """The slots of a week, of `step` microseconds, that have rows: opening hours, trading hours, open days."""

    step: int
    open: tuple[bool, ...]

    @property
    def code(self) -> str:
        """Multiple and unit of the step, and the slots from Monday on as bits in hexadecimal digits."""
        unit = next(name for name, size in UNITS.items() if self.step % size == 0)
        bits = int("1" + "".join("01"[one] for one in self.open), 2)
        return f"{self.step // UNITS[unit]}{unit}@{bits:x}"

    @classmethod
    def parse(cls, code: str) -> OpenSlots | None:
        """The slots of a code; None for another code.

        Raises:
            ValueError: a code that is inconsistent.
        """
        match = OPEN.fullmatch(code)
        if match is None:
            return None
        step, bits = int(match[1]) * UNITS[match[2]], bin(int(match[3], 16))[3:]
        if step < 1 or WEEK % step or len(bits) != WEEK // step or "1" not in bits:
            raise ValueError(f"no open slots of a week: {code:.40}")
        return cls(step, tuple(bit == "1" for bit in bits))

    @property
    def per_week(self) -> int:
        return sum(self.open)

    @property
    def per_day(self) -> int | None:
        """Open slots of a day, where every open day has as many of them."""
        if self.step >= DAY:
            return None
        days = {int(one) for one in numpy.array(self.open).reshape(7, -1).sum(1)} - {0}
        return days.pop() if len(days) == 1 else None

    def slots(self, timestamps: Stamps) -> NDArray[numpy.int64]:
        """Number of the slot of each timestamp since a Monday."""
        since = (timestamps.astype("datetime64[us]") - MONDAY) // MICROSECOND
        return numpy.asarray(since, dtype=numpy.int64) // self.step

    def positions(self, timestamps: Stamps) -> NDArray[numpy.float64]:
        """Number of open slots since a Monday."""
        before = numpy.concatenate([[0], numpy.cumsum(self.open)])[:-1]
        weeks, slots = numpy.divmod(self.slots(timestamps), len(self.open))
        return numpy.asarray(weeks * self.per_week + before[slots], dtype=numpy.float64)

    def grid(self, first: Any, last: Any) -> Stamps:
        first, last = numpy.datetime64(first, "us"), numpy.datetime64(last, "us")
        found = numpy.arange(first, last + MICROSECOND, self.step * MICROSECOND)
        return numpy.asarray(found[numpy.array(self.open)[self.slots(found) % len(self.open)]])

    def future(self, last: Any, count: int) -> Stamps:
        weeks = count // self.per_week + 2
        return self.grid(last, numpy.datetime64(last, "us") + weeks * WEEK * MICROSECOND)[1 : count + 1]

    def __str__(self) -> str:
        if self.step == DAY:
            names = zip(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"], self.open, strict=True)
            return f"daily on {', '.join(name for name, is_open in names if is_open)}"
        step = self.code.partition("@")[0]
        return f"{'hourly' if step == '1h' else step} while open, {self.per_week} of {len(self.open)} a week"


def learned_slots(timestamps: Stamps) -> OpenSlots | None:
    """The open slots of timestamps with gaps; None where no slot is always empty, or open ones are often empty too."""
    steps, counts = numpy.unique(numpy.diff(timestamps), return_counts=True)
    step = int(steps[counts.argmax()] / MICROSECOND)
    if not SMALLEST <= step <= DAY or DAY % step:
        return None
    every = OpenSlots(step, (True,) * (WEEK // step))
    grid = every.grid(timestamps[0], timestamps[-1])
    there = numpy.isin(grid, timestamps)
    if there.sum() < len(timestamps):
        return None
    slots, size = every.slots(grid) % len(every.open), len(every.open)
    seen, total = numpy.bincount(slots, there, size), numpy.bincount(slots, minlength=size)
    closed = (seen == 0) & (total >= FEWEST_WEEKS)
    if step < DAY and total.min() < FEWEST_WEEKS:  # too short for weeks: hours of all days alike
        by_day = seen.reshape(7, -1).sum(0) == 0
        closed = numpy.tile(by_day & (total.reshape(7, -1).sum(0) >= FEWEST_DAYS), 7)
    found = OpenSlots(step, tuple((~closed).tolist()))
    if not closed.any() or found.per_week < 2:
        return None
    return found if len(timestamps) >= LEAST_FILLED * len(found.grid(timestamps[0], timestamps[-1])) else None
