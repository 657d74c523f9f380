"""Columns of a table in, checked: timestamps, numbers, words. Every complaint says where and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import pandas
from numpy.typing import NDArray

from gruworks.errors import DataError

__all__ = ["Source", "check_zone", "covariate", "line", "names", "numbers", "short", "times"]

LARGEST = 1e150  # the squares of larger values leave float64
MISSING = ("", "na", "nan", "null", "none")


@dataclass(frozen=True)
class Source:
    """Where rows come from, for error texts: a file's line, or a frame's row."""

    path: Path | None

    def at(self, row: int) -> str:
        return f"row {row}" if self.path is None else f"{self.path}, line {line(row)}"

    @property
    def name(self) -> str:
        return "the frame" if self.path is None else str(self.path)


def line(row: int) -> int:
    """The line of a row in a file whose first line is the header."""
    return row + 2


def short(timestamp: Any) -> str:
    """A timestamp as text, without a time of day of zero.

    >>> short(numpy.datetime64("2024-05-01", "us"))
    '2024-05-01'
    """
    return str(timestamp).removesuffix(".000000").removesuffix("T00:00:00")


def names(values: NDArray[Any], column: str, source: Source) -> NDArray[Any]:
    """Each row's series as text."""
    missing = numpy.flatnonzero(pandas.isna(values) | (values.astype(str) == ""))
    if len(missing):
        row = int(missing[0])
        text = f"{source.at(row)}: {column} is missing ({len(missing)} such in all)"
        raise DataError(text, "series-missing", line=line(row))
    return values.astype(str)


def numbers(values: NDArray[Any], column: str, source: Source) -> NDArray[numpy.float64]:
    """A column of numbers; what is missing is NaN, what is infinite or no number is refused."""
    if values.dtype == object or values.dtype.kind in "US":
        found = _parsed(values)
        wrong = numpy.flatnonzero(numpy.isnan(found) & ~_missing(values))
        if len(wrong):
            row = int(wrong[0])
            text = f"{source.at(row)}: {column} is {str(values[row])!r}, not a number"
            raise DataError(text, "not-a-number", line=line(row), value=str(values[row])[:40])
    elif values.dtype.kind in "iufb":
        found = values.astype(numpy.float64)
    else:
        raise DataError(f"{source.name}: column {column} holds {values.dtype}, not numbers")
    beyond = numpy.isfinite(found) & (numpy.abs(found) > LARGEST)
    if beyond.any():
        row = int(numpy.flatnonzero(beyond)[0])
        text = f"{source.at(row)}: {column} is {found[row]}, beyond ±{LARGEST}: give it in larger units"
        raise DataError(text, "too-large-number", line=line(row), value=f"{found[row]:g}")
    infinite = numpy.flatnonzero(numpy.isinf(found))
    if len(infinite):
        row = int(infinite[0])
        raise DataError(
            f"{source.at(row)}: {column} is infinite ({len(infinite)} such in all); "
            "leave these values empty: what is missing is left out of the fit",
            "infinite", line=line(row),
        )  # fmt: skip
    return found


def covariate(values: NDArray[Any], column: str, source: Source) -> NDArray[Any]:
    """A covariate's column: numbers where all that is there are numbers, else words; "" is a missing word."""
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
    """Time timestamps as datetime64[us], or int64 where the column numbers its rows."""
    if values.dtype.kind == "M":
        timestamps = values.astype("datetime64[us]")
    elif values.dtype.kind in "iu":
        return values.astype(numpy.int64)
    else:
        text = pandas.Series(values.astype(object)).astype(str).str.strip()
        digits = text.str.fullmatch(r"[+-]?\d{1,15}")
        if date_format is None and digits.mean() > 0.5 and not text.str.fullmatch(r"(19|20)\d{6}").all():
            if not digits.all():
                row = int(numpy.flatnonzero(~digits)[0])
                text = f"{source.at(row)}: {column} is {values[row]!r}, not a whole number like the others"
                raise DataError(text, "not-a-row-number", line=line(row), value=str(values[row])[:40])
            return numpy.asarray(text.astype(numpy.int64))
        timestamps = _parse_dates(text, column, date_format, source)
    bad = numpy.flatnonzero(numpy.isnat(timestamps))
    if len(bad):
        row = int(bad[0])
        how = f"the format {date_format!r}" if date_format else "YYYY-MM-DD, with or without HH:MM:SS"
        raise DataError(
            f"{source.at(row)}: {column} is {str(values[row])!r}, not a date of {how}; "
            "name another format by date_format, for example %d.%m.%Y",
            "not-a-date", line=line(row), value=str(values[row])[:40],
        )  # fmt: skip
    return timestamps


def _parse_dates(text: Any, column: str, date_format: str | None, source: Source) -> NDArray[Any]:
    """NaT where a date can't be read. Day and month are never guessed: only ISO 8601 and dates with month names."""
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
    """A zone's days begin elsewhere than UTC's and its clock jumps: what follows would not be what was meant."""
    if zone is not None and str(zone) not in ("UTC", "UTC+00:00"):
        text = f"{source.name}: {column} has the time zone {zone}; convert it to UTC or drop the zone first"
        raise DataError(text, "time-zone", zone=str(zone))
