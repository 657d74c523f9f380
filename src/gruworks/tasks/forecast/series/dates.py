"""Timestamps of a column: the form of its dates, found or named."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import numpy
import pandas

from gruworks.errors import DataError
from gruworks.tasks.forecast.series.columns import ON_COMMAND_LINE
from gruworks.tasks.forecast.series.date_forms import (
    DAY_FIRST,
    FORMS,
    ISO,
    MONTH_FIRST,
    ORDERS,
    PATTERNS,
    STAMP,
    Stamps,
    Times,
    of_form,
)  # fmt: skip
from gruworks.tasks.forecast.series.date_numbers import NUMERIC, numeric_times

__all__ = ["AmbiguousError", "parse_times"]

FEW = 50  # of them that tell which forms are likely
RANGE = r"^(\S.{6,}\S)\s?(?:-|–|/|to|bis)\s?(\S.{6,}\S)$"
SHOWN = 1000  # distinct values from which the form is found


class AmbiguousError(DataError):
    """Dates of two readings, such as 03/04/2024."""


def parse_times(values: Stamps, date_format: str | None = None, known: str | None = None) -> Times:
    """Timestamps of a column of any type.

    Args:
        date_format: a strptime format or the name of a form (`FORMS`, `NUMERIC`); None finds it.
        known: the form of the rows of a fit, which is tried first.

    Raises:
        AmbiguousError: day and month can't be told apart.
    """
    if values.dtype.kind == "M":
        stamps = values.astype(STAMP)
        return Times(stamps, ~numpy.isnat(stamps), ISO)
    pattern = date_format is not None and "%" in date_format and date_format not in ("%s", "%Q")
    if values.dtype.kind in "iuf" and not pattern:
        return numeric_times(values.astype(numpy.float64), _named(date_format))
    if len(values) and isinstance(values[0], pandas.Period):
        stamps = pandas.PeriodIndex(values).to_timestamp().to_numpy().astype(STAMP)
        return Times(stamps, ~numpy.isnat(stamps), ISO)
    text = pandas.Series(values.astype(object)).astype(str).str.strip()
    if date_format in (None, ISO) and (found := _iso(text)) is not None:
        return found
    if date_format is not None and pattern:
        return _strptime(text, date_format)
    codes, distinct = pandas.factorize(text)
    found = _distinct(pandas.Series(distinct, dtype=object), _named(date_format), known)
    return Times(found.timestamps[codes], found.ok[codes], found.form, found.zone)


def _named(date_format: str | None) -> str | None:
    """The form of a name, in any case; "%s" is the usual one of epoch seconds."""
    if date_format is None:
        return None
    short = {"%s": "seconds", "%q": "milliseconds", "iso": ISO, "iso8601": ISO, "excel": "serial", "epoch": "seconds",
             "dmy": DAY_FIRST, "mdy": MONTH_FIRST, "dd.mm.yyyy": DAY_FIRST, "dd-mm-yyyy": DAY_FIRST,
             "mm-dd-yyyy": MONTH_FIRST, "s": "seconds", "ms": "milliseconds", "us": "microseconds",
             "ns": "nanoseconds"}  # fmt: skip
    every = {one.lower(): one for one in (*FORMS, *NUMERIC)} | short
    if date_format.lower() not in every:
        known = ", ".join((*list(FORMS)[:3], DAY_FIRST, *NUMERIC))
        told = f"expected a format of dates such as %d.%m.%Y, or one of {known}, got {date_format!r}"
        raise DataError(told)
    return every[date_format.lower()]


def _iso(text: Any) -> Times | None:
    """Plain ISO dates, read by pandas; None where they are none, or have offsets."""
    if not len(text) or not re.match(r"\d{4}-\d{2}-\d{2}", str(text.iloc[0])):
        return None
    try:
        stamps = pandas.to_datetime(text, format="ISO8601", errors="coerce")
    except ValueError:
        return None
    if getattr(stamps.dt, "tz", None) is not None or stamps.isna().any():
        return None
    return Times(stamps.to_numpy().astype(STAMP), numpy.ones(len(text), dtype=bool), ISO)


def _strptime(text: Any, date_format: str) -> Times:
    try:
        parsed = pandas.to_datetime(text, format=date_format, errors="coerce", utc="%z" in date_format.lower() or None)
    except ValueError as error:
        raise DataError(
            f"the dates can't be read as dates of the format {date_format!r}: {error}", "not-dates"
        ) from error
    if getattr(parsed.dt, "tz", None) is not None:
        parsed = parsed.dt.tz_localize(None)
    stamps = parsed.to_numpy().astype(STAMP)
    return Times(stamps, ~numpy.isnat(stamps), date_format)


def _distinct(text: Any, form: str | None, known: str | None) -> Times:
    """Timestamps of distinct texts."""
    text = text.str.replace(r"^(\d{4,6}),(\d+)$", r"\1.\2", regex=True)  # serials with a decimal comma
    ranges = text.str.extract(RANGE)
    if len(text) and (ranges[0].str.len() == ranges[1].str.len()).all():
        text = ranges[0]  # the beginning of a span of time
    numeric = text.str.fullmatch(r"[+-]?\d{1,19}(?:\.\d*)?(?:[eE]\+?\d+)?")
    if text.str.fullmatch(r"\d{1,2}\.(?:19|20)\d{2}|(?:19|20)\d{2}\.(?:0[1-9]|1[012])").all():
        numeric[:] = False  # months with their year, not fractions
    digits = form in NUMERIC or (form is None and numeric.mean() > 0.5)
    if digits and not (form is None and known in FORMS):
        values = pandas.to_numeric(text.where(numeric), errors="coerce").to_numpy(dtype=numpy.float64)
        found = numeric_times(values, form or (known if known in NUMERIC else None))
        if found.form not in FORMS:
            return found
        text, form = text.str.replace(r"\.0*$", "", regex=True), found.form
    text = text.map(lambda one: unicodedata.normalize("NFKC", one))
    for one in (form, known if known in FORMS else None):
        if one is not None:
            found = of_form(text, one)
            if one == form or found.ok.all():
                return found
    return _found(text)


def _found(text: Any) -> Times:
    """Timestamps in the form that most of the texts have."""
    sample = text.iloc[numpy.unique(numpy.linspace(0, len(text) - 1, min(len(text), SHOWN)).astype(int))]
    few = sample.iloc[:: max(1, len(sample) // FEW)]
    likely = [name for name in FORMS if any(PATTERNS[name].fullmatch(one) for one in few)]
    counts = {name: int(of_form(sample, name).ok.sum()) for name in likely}
    best = max(counts.values(), default=0)
    if any(counts.get(name) == best > 0 for name in ORDERS):
        return _ordered(text)
    return of_form(text, max(counts, key=lambda name: counts[name]) if best else ISO)


def _ordered(text: Any) -> Times:
    """Dates whose day, month or year may come first: in the order that can be read or, of several, the regular one.

    Raises:
        AmbiguousError: several orders are possible.
    """
    found = [of_form(text, name) for name in ORDERS]
    most = max(int(one.ok.sum()) for one in found)
    found = [one for one in found if int(one.ok.sum()) == most]
    if found[0].form == DAY_FIRST and text[found[0].ok].str.match(r"\d{1,2}\.\d").all():
        return found[0]  # no country writes months first with points
    if len(found) > 1:
        regular = [one for one in found if _filled(one.timestamps[one.ok]) > 0.5]
        if len(regular) != 1:
            forms = " or ".join(one.form for one in found)
            raise AmbiguousError(
                f"the dates, such as {text[found[0].ok].iloc[0]!r}, may be {forms}: name the form, in Python by "
                f"date_format=...{ON_COMMAND_LINE}--date-format {found[0].form}",
                "day-or-month",
            )
        found = regular
    return found[0]


def _filled(stamps: Stamps) -> float:
    """Number of dates over that of a series of their most common step without gaps."""
    ordered = numpy.unique(stamps)
    if len(ordered) < 3:
        return 0.0
    steps, counts = numpy.unique(numpy.diff(ordered), return_counts=True)
    return float(len(ordered) / (1 + (ordered[-1] - ordered[0]) / steps[counts.argmax()]))
