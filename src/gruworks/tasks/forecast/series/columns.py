"""Columns of a table, checked: timestamps, numbers, words. Errors tell the place and the remedy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy
import pandas
from numpy.typing import NDArray

from gruworks.errors import DataError

__all__ = ["Source", "check_zone", "covariate", "line", "names", "numbers", "short", "times"]

LARGEST = 1e150  # the squares of larger values are beyond float64
MISSING = ("", "na", "nan", "null", "none")


@dataclass(frozen=True)
class Source:
    """Origin of rows, for error messages: a file, or a frame (path None)."""

    path: Path | None

    def at(self, row: int) -> str:
        return f"row {row}" if self.path is None else f"{self.path}, line {line(row)}"

    def refuse(self, row: int, text: str, fault: str, **facts: Any) -> NoReturn:
        """Raise a DataError about a row."""
        raise DataError(f"{self.at(row)}: {text}", fault, line=line(row), **facts)

    @property
    def name(self) -> str:
        return "the frame" if self.path is None else str(self.path)


def line(row: int) -> int:
    """Line number of a row in a file whose first line is the header."""
    return row + 2


def short(timestamp: Any) -> str:
    """A timestamp as text, without a time of day of zero.

    >>> short(numpy.datetime64("2024-05-01", "us"))
    '2024-05-01'
    """
    return str(timestamp).removesuffix(".000000").removesuffix("T00:00:00")


def names(values: NDArray[Any], column: str, source: Source) -> NDArray[Any]:
    """Names of the series of each row, as text; missing ones are refused."""
    missing = numpy.flatnonzero(pandas.isna(values) | (values.astype(str) == ""))
    if len(missing):
        source.refuse(int(missing[0]), f"{column} is missing ({len(missing)} such in all)", "series-missing")
    return values.astype(str)


def numbers(values: NDArray[Any], column: str, source: Source) -> NDArray[numpy.float64]:
    """Numbers of a column, NaN where missing; other texts and infinite values are refused."""
    if values.dtype == object or values.dtype.kind in "US":
        found = _parsed(values)
        wrong = numpy.flatnonzero(numpy.isnan(found) & ~_missing(values))
        if len(wrong):
            text = str(values[wrong[0]])
            source.refuse(int(wrong[0]), f"{column} is {text!r}, not a number", "not-a-number", value=text[:40])
    elif values.dtype.kind in "iufb":
        found = values.astype(numpy.float64)
    else:
        raise DataError(f"{source.name}: column {column} holds {values.dtype}, not numbers")
    beyond = numpy.flatnonzero(numpy.isfinite(found) & (numpy.abs(found) > LARGEST))
    if len(beyond):
        value = found[beyond[0]]
        text = f"{column} is {value}, beyond ±{LARGEST}: give it in larger units"
        source.refuse(int(beyond[0]), text, "too-large-number", value=f"{value:g}")
    infinite = numpy.flatnonzero(numpy.isinf(found))
    if len(infinite):
        text = f"{column} is infinite ({len(infinite)} such in all); leave these values empty: missing ones are allowed"
        source.refuse(int(infinite[0]), text, "infinite")
    return found


def covariate(values: NDArray[Any], column: str, source: Source) -> NDArray[Any]:
    """Values of a covariate: numbers if all that are present are numbers, else words; "" is a missing word."""
    words = values.dtype == object or values.dtype.kind in "US"
    if values.dtype.kind == "b" or (words and (numpy.isnan(_parsed(values)) & ~_missing(values)).any()):
        text = values.astype(str).astype(object)
        text[_missing(values)] = ""
        return text
    return numbers(values, column, source)


def _parsed(values: NDArray[Any]) -> NDArray[numpy.float64]:
    found = pandas.to_numeric(pandas.Series(values.astype(object)), errors="coerce")
    return numpy.asarray(found.to_numpy(dtype=numpy.float64))


def _missing(values: NDArray[Any]) -> NDArray[numpy.bool_]:
    text = pandas.Series(values.astype(object))
    return numpy.asarray(text.isna() | text.astype(str).str.strip().str.lower().isin(MISSING))


def times(values: NDArray[Any], column: str, date_format: str | None, source: Source) -> NDArray[Any]:
    """Timestamps as datetime64[us], or as int64 where the column has row numbers."""
    if values.dtype.kind == "M":
        timestamps = values.astype("datetime64[us]")
    elif values.dtype.kind in "iu":
        return values.astype(numpy.int64)
    else:
        text = pandas.Series(values.astype(object)).astype(str).str.strip()
        digits = text.str.fullmatch(r"[+-]?\d{1,15}")
        if date_format is None and digits.mean() > 0.5 and not text.str.fullmatch(r"(19|20)\d{6}").all():
            for row in map(int, numpy.flatnonzero(~digits)[:1]):
                told = f"{column} is {values[row]!r}, not a whole number like the others"
                source.refuse(row, told, "not-a-row-number", value=str(values[row])[:40])
            return numpy.asarray(text.astype(numpy.int64))
        timestamps = _parse_dates(text, column, date_format, source)
    bad = numpy.flatnonzero(numpy.isnat(timestamps))
    if len(bad):
        value = str(values[bad[0]])
        how = f"the format {date_format!r}" if date_format else "YYYY-MM-DD, with or without HH:MM:SS"
        told = f"{column} is {value!r}, not a date of {how}; name another format by date_format, for example %d.%m.%Y"
        source.refuse(int(bad[0]), told, "not-a-date", value=value[:40])
    return timestamps


def _parse_dates(text: Any, column: str, date_format: str | None, source: Source) -> NDArray[Any]:
    """Dates as datetime64[us], NaT where one can't be read. Without a format, ISO 8601 or month names are expected."""
    if date_format is None:
        slashes = text.str.match(r"\d{4}/")
        text = text.where(~slashes, text.str.replace("/", "-"))
        date_format = (
            "mixed" if text.str.contains(r"(?i)jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec").all() else "ISO8601"
        )
    try:
        parsed = pandas.to_datetime(text, format=date_format, errors="coerce")
    except ValueError as error:  # mixed offsets, or a format that is none
        raise DataError(f"{source.name}: {column} can't be read as dates: {error}", "not-dates") from error
    if getattr(parsed.dt, "tz", None) is not None:
        check_zone(parsed.dt.tz, column, source)
        parsed = parsed.dt.tz_localize(None)
    return numpy.asarray(parsed.to_numpy(), dtype="datetime64[us]")


def check_zone(zone: Any, column: str, source: Source) -> None:
    """Refuse time zones other than UTC, whose days have other bounds and change length with daylight saving time."""
    if zone is not None and str(zone) not in ("UTC", "UTC+00:00"):
        text = f"{source.name}: {column} has the time zone {zone}; convert it to UTC or drop the zone first"
        raise DataError(text, "time-zone", zone=str(zone))
