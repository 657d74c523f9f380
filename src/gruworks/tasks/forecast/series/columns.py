"""Columns of a table, checked: timestamps, numbers, words. Errors tell the place and the remedy."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import numpy
import pandas
from numpy.typing import NDArray

from gruworks.errors import DataError
from gruworks.tasks.forecast.series.date_forms import ISO, NUMBERS, Times
from gruworks.tasks.forecast.series.numbers import decimal_mark, is_missing, number_texts, parse_numbers

__all__ = ["LARGEST", "ON_COMMAND_LINE", "Formats", "FrameTypes", "Numbers", "Source", "check_times", "names", "short"]

ON_COMMAND_LINE = "; on the command line "  # before the flags that a message names
LARGEST = 1e150  # the squares of larger values are beyond float64


@dataclass(frozen=True)
class Formats:
    """Formats of the text of a table, which a fit remembers for the tables that come after it; None without any."""

    decimal: str | None = None
    dates: str | None = None


@dataclass(frozen=True)
class FrameTypes:
    """Types of a caller's frame, which the forecast has too.

    Args:
        ids: "integer" where the series are named by whole numbers.
        times: "datetime", "date" for days without a time, or the time zone of the times.
        local: True where the series have the local times of that zone, False for UTC.
    """

    ids: str = "text"
    times: str = "datetime"
    local: bool = False


@dataclass(frozen=True)
class Source:
    """Origin of rows, for error messages: a file, with the lines of its rows, or a frame (path None)."""

    path: Path | None
    lines: NDArray[numpy.int64] | None = None

    def line(self, row: int) -> int:
        """Line of a row; without known lines that below a header of one line."""
        return row + 2 if self.lines is None else int(self.lines[row])

    def at(self, row: int) -> str:
        return f"row {row}" if self.path is None else f"{self.name}, line {self.line(row)}"

    def refuse(self, row: int, text: str, fault: str, **facts: Any) -> NoReturn:
        """Raise a DataError about a row."""
        raise DataError(f"{self.at(row)}: {text}", fault, line=self.line(row), **facts)

    @property
    def name(self) -> str:
        if self.path is None:
            return "the frame"
        return "standard input" if str(self.path) == "-" else str(self.path)


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


def check_times(times: Times, values: NDArray[Any], column: str, date_format: str | None, source: Source) -> None:
    """Refuse a time that could not be read."""
    bad = numpy.flatnonzero(~times.ok)
    if not len(bad):
        return
    row = int(bad[0])
    value = "NaT" if pandas.isna(values[row]) else str(values[row])
    if times.form == NUMBERS:
        told = f"{column} is {value!r}, not a whole number like the others"
        source.refuse(row, told, "not-a-row-number", value=value[:40])
    if times.zone and times.zone.startswith("times without"):
        source.refuse(row, f"{column} is {value!r}, without an offset from UTC like the others", "not-a-date")
    how = f"the format {date_format!r}" if date_format else f"the form {times.form}"
    how += ", with or without HH:MM:SS" if times.form == ISO and not date_format else ""
    told = f"{column} is {value!r}, not a date of {how}; name another format by date_format, for example %d.%m.%Y"
    source.refuse(row, told, "not-a-date", value=value[:40])


@dataclass
class Numbers:
    """Parser of the numbers in a table's columns, with one decimal mark for those that show none.

    Args:
        decimal: the decimal mark, None where it is found in the columns.
        known: that of the rows of a fit, which is tried first.
        marks: further marks of missing values.
        separator: that of the columns.
    """

    source: Source
    decimal: str | None = None
    known: str | None = None
    marks: tuple[str, ...] = ()
    separator: str = ","
    told: dict[str, str] = field(default_factory=dict)
    found: str | None = None

    def parsed(self, values: NDArray[Any], column: str, affixes: bool = True) -> NDArray[numpy.float64]:
        """Numbers of a column, NaN where a value is missing or no number."""
        if values.dtype.kind in "iufb":
            return values.astype(numpy.float64)
        text = pandas.Series(values.astype(object), copy=True)
        quick = pandas.to_numeric(text, errors="coerce")
        rest = quick.isna().to_numpy()
        text.loc[rest] = text[rest].mask(is_missing(text[rest], self.marks), "")
        mark = self._mark(text)
        if mark == "." and (text[rest] == "").all():
            return numpy.asarray(quick, dtype=numpy.float64)
        found, note = parse_numbers(text, mark, affixes)
        if note and not (numpy.isnan(found) & (text != "").to_numpy()).any():
            self.told[column] = note
        return found

    def _mark(self, text: Any) -> str:
        """The decimal mark of a column."""
        if self.decimal is not None:
            return self.decimal
        bare = number_texts(text[text != ""])
        if self.known is not None and self.found is None:
            values, _ = parse_numbers(bare, self.known)
            if not numpy.isnan(values).any():
                self.found = self.known
                return self.known
        mark = decimal_mark(bare, self.separator)
        self.found = self.found or mark
        return mark or self.found or "."

    def missing(self, values: NDArray[Any]) -> NDArray[numpy.bool_]:
        return is_missing(pandas.Series(values.astype(object)), self.marks)

    def column(self, values: NDArray[Any], column: str) -> NDArray[numpy.float64]:
        """Numbers of a column, NaN where missing; other texts and infinite values are refused."""
        if values.dtype.kind not in "iufbOUS":
            raise DataError(f"{self.source.name}: column {column} holds {values.dtype}, not numbers")
        found = self.parsed(values, column)
        wrong = numpy.flatnonzero(numpy.isnan(found) & ~self.missing(values))
        if len(wrong) and values.dtype.kind in "OUS":
            text = str(values[wrong[0]])
            told = f"{column} is {text!r}, not a number"
            self.source.refuse(int(wrong[0]), told, "not-a-number", value=text[:40])
        self._check_size(found, column)
        return found

    def _check_size(self, found: NDArray[numpy.float64], column: str) -> None:
        beyond = numpy.flatnonzero(numpy.isfinite(found) & (numpy.abs(found) > LARGEST))
        if len(beyond):
            value = found[beyond[0]]
            text = f"{column} is {value}, beyond ±{LARGEST}: give it in larger units"
            self.source.refuse(int(beyond[0]), text, "too-large-number", value=f"{value:g}")
        infinite = numpy.flatnonzero(numpy.isinf(found))
        if len(infinite):
            such = f"({len(infinite)} such in all)"
            text = f"{column} is infinite {such}; leave these values empty: missing ones are allowed"
            self.source.refuse(int(infinite[0]), text, "infinite")

    def covariate(self, values: NDArray[Any], column: str) -> NDArray[Any]:
        """Values of a covariate: numbers if all that are present are numbers, else words; "" is a missing word."""
        words = values.dtype.kind in "OUS"
        missing = self.missing(values) if words else numpy.zeros(len(values), dtype=bool)
        if values.dtype.kind == "b" or (words and numpy.isnan(self.parsed(values, column, False))[~missing].any()):
            self.told.pop(column, None)
            text = values.astype(str).astype(object)
            text[missing] = ""
            return text
        return self.column(values, column)
