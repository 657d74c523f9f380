"""Numbers that stand for times: dates of digits, epochs, spreadsheet serials, decimal years, numbered rows."""

from __future__ import annotations

import numpy
import pandas
from numpy.typing import NDArray

from gruworks.tasks.forecast.series.date_forms import FORMS, NUMBERS, STAMP, Times, of_form

__all__ = ["NUMERIC", "numeric_times"]

UNITS = {"seconds": 1_000_000, "milliseconds": 1_000, "microseconds": 1, "nanoseconds": 0.001}
EPOCHS = {"seconds": (3e8, 4.5e9), "milliseconds": (3e11, 4.5e12), "microseconds": (3e14, 4.5e15),
          "nanoseconds": (3e17, 4.5e18)}  # fmt: skip
NUMERIC = (*UNITS, "serial", "years", NUMBERS)
DAY = 86_400_000_000
LARGEST = 2**62  # row numbers are below it
SERIAL_EPOCH = numpy.datetime64("1899-12-30", "us")


def numeric_times(values: NDArray[numpy.float64], form: str | None) -> Times:
    """Timestamps of numbers: dates of digits, epochs, spreadsheet serials, decimal years, or numbered rows."""
    ok = numpy.isfinite(values)
    x = values[ok]
    form = form or _numeric_form(x)
    if form in FORMS:
        text = pandas.Series(numpy.where(ok, values, 0).astype(numpy.int64).astype(str), dtype=object)
        return of_form(text, form)
    if form == NUMBERS:
        ok &= numpy.where(ok, values == numpy.round(values), False) & (numpy.abs(numpy.where(ok, values, 0)) < LARGEST)
        return Times(numpy.where(ok, values, 0).astype(numpy.int64), ok, form)
    stamps = numpy.full(len(values), numpy.datetime64("NaT", "us"), dtype=STAMP)
    if form == "serial":
        stamps[ok] = SERIAL_EPOCH + numpy.round(x * 86_400).astype(numpy.int64) * numpy.timedelta64(1, "s")
    elif form == "years":
        months = numpy.floor(12 * x + 0.01).astype(numpy.int64) - 12 * 1970
        stamps[ok] = months.astype("datetime64[M]").astype(STAMP)
    else:
        stamps[ok] = numpy.round(x * UNITS[form]).astype(numpy.int64).astype(STAMP)
    return Times(stamps, ok, form)


def _numeric_form(x: NDArray[numpy.float64]) -> str:
    """The form of numbers that stand for times."""
    if not len(x):
        return NUMBERS
    whole, low, high = bool((x == numpy.round(x)).all()), float(x.min()), float(x.max())
    if whole and max(-low, high) < LARGEST:
        text = pandas.Series(numpy.unique(x).astype(numpy.int64).astype(str), dtype=object)
        for form, lengths in (("YYYYMMDD", (8, 10, 12, 14)), ("YYYYMM", (6,))):
            if text.str.len().isin(lengths).all() and of_form(text, form).ok.all():
                return form
    for form, (first, last) in EPOCHS.items():
        if first <= low and high <= last:
            return form
    if low >= 10_000 and high <= 80_000 and (low >= 25_569 or not whole or _calendar_steps(x)):
        return "serial"
    return "years" if not whole and low >= 1000 and high < 3000 and _is_years(x) else NUMBERS


def _calendar_steps(x: NDArray[numpy.float64]) -> bool:
    """True for days whose steps are those of months, quarters or years."""
    steps = numpy.unique(numpy.diff(numpy.unique(x)))
    return len(steps) > 1 and any(
        bool(((low <= steps) & (steps <= high)).all()) for low, high in ((28, 31), (90, 92), (365, 366))
    )


def _is_years(x: NDArray[numpy.float64]) -> bool:
    """True for years with twelfths or quarters as fractions: 1959.083 is February 1959."""
    months = 12 * numpy.unique(x)
    return bool((numpy.abs(months - numpy.round(2 * months) / 2) < 0.05).all())
