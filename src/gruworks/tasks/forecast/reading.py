"""From a CSV file, a data frame or plain numbers to checked series. Every complaint says where and what to do."""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy
import pandas
from numpy.typing import NDArray

from gruworks.errors import DataError, TooShortError
from gruworks.tasks.forecast.calendar import Frequency, infer_frequency
from gruworks.tasks.forecast.config import Config

__all__ = ["FEWEST_ROWS", "Panel", "Series", "read"]

LARGEST = 1e150  # the squares of larger values leave float64
FEWEST_ROWS = 3  # two differences: the least from which a step to the next value can be told


@dataclass(frozen=True)
class Series:
    """One series: its name, its time stamps [N] (datetime64[us] or int64) and its values [N] (float64)."""

    name: str
    stamps: NDArray[Any]
    y: NDArray[numpy.float64]

    def __len__(self) -> int:
        return len(self.y)

    def until(self, end: int) -> Series:
        """The first `end` rows."""
        return Series(self.name, self.stamps[:end], self.y[:end])


@dataclass(frozen=True)
class Panel:
    """All series of one source, of one frequency. `backend` is the caller's frame library; `sha256` a file's."""

    series: list[Series]
    frequency: Frequency
    backend: str = "pandas"
    sha256: str | None = None

    def digest(self) -> str:
        """The file's sha256; where there is no file, that of the names, stamps and values."""
        if self.sha256 is not None:
            return self.sha256
        found = hashlib.sha256()
        for one in self.series:
            for part in (one.name.encode(), one.stamps.astype(numpy.int64).tobytes(), one.y.tobytes()):
                found.update(part)
        return found.hexdigest()


@dataclass(frozen=True)
class _Source:
    """Where rows come from, for error texts: a file's line, or a frame's row."""

    path: Path | None

    def at(self, row: int) -> str:
        return f"row {row}" if self.path is None else f"{self.path}, line {row + 2}"  # line 1 is the header

    @property
    def name(self) -> str:
        return "the frame" if self.path is None else str(self.path)


def read(data: Any, config: Config) -> Panel:
    """The series in a CSV file's path, a pandas, polars or other frame, or a sequence of numbers in order.

    Raises:
        DataError: what is wrong, with file and line or row: missing file or column, a date that can't be read, time
            stamps twice or out of order, a gap, a value that is missing, infinite or no number.
        TooShortError: fewer than three rows in a series.
    """
    if isinstance(data, str | Path):
        path = Path(data)
        return _from_table(_read_csv(path), config, _Source(path), "pandas", _sha256(path))
    try:
        frame = nw.from_native(data, eager_only=True)
    except TypeError:
        return _from_numbers(data)
    if config.time in frame.columns:
        _check_zone(getattr(frame[config.time].dtype, "time_zone", None), config.time, _Source(None))
    columns = {name: frame[name].to_numpy() for name in frame.columns}
    return _from_table(columns, config, _Source(None), frame.implementation.value, None)


def _from_numbers(data: Any) -> Panel:
    if isinstance(data, pandas.Series) and isinstance(data.index, pandas.DatetimeIndex):
        _check_zone(data.index.tz, "index", _Source(None))
        stamps = data.index.to_numpy()
    else:
        stamps = None
    try:
        y = numpy.asarray(data, dtype=numpy.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"expected a CSV's path, a data frame or a sequence of numbers, got {data!r:.80}") from error
    if y.ndim != 1:
        raise DataError(f"expected one sequence of numbers, got an array of shape {y.shape}; use a frame for more")
    source = _Source(None)
    columns = numpy.arange(len(y)) if stamps is None else _times(stamps, "index", None, source)
    series = _checked("0", columns, _values(y, "value", source), numpy.arange(len(y)), source)
    return Panel([series], _frequency([series], source, [numpy.arange(len(y))]))


def _read_csv(path: Path) -> dict[str, NDArray[Any]]:
    """All columns as text; blank lines are kept, so that a row's line number is known."""
    if not path.is_file():
        raise DataError(f"{path} is a folder, not a CSV file" if path.is_dir() else f"there is no file {path}")
    try:
        with path.open(encoding="utf-8-sig") as lines:
            header = lines.readline()
        if not header.strip():
            raise DataError(f"{path} is empty: expected a header line with the columns' names, then a row a line")
        if "\0" in header:
            raise DataError(f"{path} is a binary file, not a CSV")
        delimiter = max(",;\t", key=header.count)
        with warnings.catch_warnings(action="error", category=pandas.errors.ParserWarning):
            table = pandas.read_csv(
                path,
                sep=delimiter,
                dtype=str,
                keep_default_na=False,
                skip_blank_lines=False,
                encoding="utf-8-sig",
                index_col=False,
            ).fillna("")
    except OSError as error:
        raise DataError(f"can't read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text (byte {_first_bad_byte(path)}): save it as UTF-8") from error
    except (pandas.errors.ParserError, pandas.errors.EmptyDataError, pandas.errors.ParserWarning) as error:
        raise DataError(f"{path} is not a well-formed CSV: {error}") from error
    filled = (table != "").any(axis=1).to_numpy()
    last = int(filled.nonzero()[0][-1]) + 1 if filled.any() else 0  # blank lines at the end mean nothing
    return {str(name).strip(): table[name].to_numpy(dtype=object)[:last] for name in table.columns}


def _first_bad_byte(path: Path) -> int:
    """Counted from the file's start; a decoder that reads in blocks counts from its block."""
    try:
        path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start
    return 0


def _from_table(columns: dict[str, Any], config: Config, source: _Source, backend: str, sha256: str | None) -> Panel:
    for role, name in (("time", config.time), ("target", config.target)):
        if name not in columns:
            there = ", ".join(columns)
            raise DataError(
                f"{source.name} has no column {name!r} for the {role}; it has: {there}. "
                f"Name one: --{role} NAME, in Python {role}=NAME"
            )
    if config.series not in columns and config.series != Config.series:
        raise DataError(f"{source.name} has no column {config.series!r} for the series; it has: {', '.join(columns)}")
    if not len(columns[config.target]):
        raise TooShortError(f"{source.name} has no rows below its header")
    stamps = _times(columns[config.time], config.time, config.date_format, source)
    y = _values(columns[config.target], config.target, source)
    names = _names(columns.get(config.series, numpy.zeros(len(y), dtype=numpy.int64)), config.series, source)
    rows = {str(name): numpy.flatnonzero(names == name) for name in dict.fromkeys(names)}
    series = [_checked(name, stamps[at], y[at], at, source) for name, at in rows.items()]
    return Panel(series, _frequency(series, source, list(rows.values())), backend, sha256)


def _names(values: NDArray[Any], column: str, source: _Source) -> NDArray[Any]:
    """Each row's series as text."""
    missing = numpy.flatnonzero(pandas.isna(values) | (values.astype(str) == ""))
    if len(missing):
        raise DataError(f"{source.at(int(missing[0]))}: {column} is missing ({len(missing)} such in all)")
    return values.astype(str)


def _values(values: NDArray[Any], column: str, source: _Source) -> NDArray[numpy.float64]:
    if values.dtype == object or values.dtype.kind in "US":
        text = pandas.Series(values.astype(object))
        numbers = pandas.to_numeric(text, errors="coerce").to_numpy(dtype=numpy.float64)
        missing = text.isna() | text.astype(str).str.strip().str.lower().isin(["", "na", "nan", "null", "none"])
        wrong = numpy.flatnonzero(numpy.isnan(numbers) & ~missing.to_numpy())
        if len(wrong):
            row = int(wrong[0])
            raise DataError(f"{source.at(row)}: {column} is {str(values[row])!r}, not a number")
    elif values.dtype.kind in "iufb":
        numbers = values.astype(numpy.float64)
    else:
        raise DataError(f"{source.name}: column {column} holds {values.dtype}, not numbers")
    beyond = numpy.isfinite(numbers) & (numpy.abs(numbers) > LARGEST)
    if beyond.any():
        row = int(numpy.flatnonzero(beyond)[0])
        raise DataError(f"{source.at(row)}: {column} is {numbers[row]}, beyond ±{LARGEST}: give it in larger units")
    for kind, bad in (("missing", numpy.isnan(numbers)), ("infinite", numpy.isinf(numbers))):
        if bad.any():
            row, count = int(numpy.flatnonzero(bad)[0]), int(bad.sum())
            raise DataError(
                f"{source.at(row)}: {column} is {kind} ({count} such in all); fill or remove these rows"
                " and close the gap in time"
            )
    return numpy.asarray(numbers)


def _times(values: NDArray[Any], column: str, date_format: str | None, source: _Source) -> NDArray[Any]:
    """Time stamps as datetime64[us], or int64 where the column numbers its rows."""
    if values.dtype.kind == "M":
        stamps = values.astype("datetime64[us]")
    elif values.dtype.kind in "iu":
        return values.astype(numpy.int64)
    else:
        text = pandas.Series(values.astype(object)).astype(str).str.strip()
        digits = text.str.fullmatch(r"[+-]?\d{1,15}")
        if date_format is None and digits.mean() > 0.5 and not text.str.fullmatch(r"(19|20)\d{6}").all():
            if not digits.all():
                row = int(numpy.flatnonzero(~digits)[0])
                raise DataError(f"{source.at(row)}: {column} is {values[row]!r}, not a whole number like the others")
            return numpy.asarray(text.astype(numpy.int64))
        stamps = _parse_dates(text, column, date_format, source)
    bad = numpy.flatnonzero(numpy.isnat(stamps))
    if len(bad):
        row = int(bad[0])
        how = f"the format {date_format!r}" if date_format else "YYYY-MM-DD, with or without HH:MM:SS"
        raise DataError(
            f"{source.at(row)}: {column} is {str(values[row])!r}, not a date of {how}; "
            "name another format by date_format, for example %d.%m.%Y"
        )
    return stamps


def _parse_dates(text: Any, column: str, date_format: str | None, source: _Source) -> NDArray[Any]:
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
        raise DataError(f"{source.name}: {column} can't be read as dates: {error}") from error
    if getattr(parsed.dt, "tz", None) is not None:
        _check_zone(parsed.dt.tz, column, source)
        parsed = parsed.dt.tz_localize(None)
    return numpy.asarray(parsed.to_numpy(), dtype="datetime64[us]")


def _check_zone(zone: Any, column: str, source: _Source) -> None:
    """A zone's days begin elsewhere than UTC's and its clock jumps: what follows would not be what was meant."""
    if zone is not None and str(zone) not in ("UTC", "UTC+00:00"):
        raise DataError(f"{source.name}: {column} has the time zone {zone}; convert it to UTC or drop the zone first")


def _checked(name: str, stamps: Any, y: Any, rows: NDArray[numpy.int64], source: _Source) -> Series:
    if len(y) < FEWEST_ROWS:
        raise TooShortError(
            f"{source.name}: series {name!r} has {len(y)} rows; a forecast needs {FEWEST_ROWS} at least"
        )
    steps = numpy.diff(stamps).astype(numpy.int64)
    for i in numpy.flatnonzero(steps <= 0)[:1]:
        what = "stands twice" if steps[i] == 0 else f"comes after {_stamp(stamps[i])}: sort the rows by time"
        raise DataError(f"{source.at(int(rows[i + 1]))}: the time {_stamp(stamps[i + 1])} {what} (series {name!r})")
    return Series(name, stamps, y)


def _frequency(series: list[Series], source: _Source, rows: list[NDArray[numpy.int64]]) -> Frequency:
    """The one frequency of all series; a gap is named by the line after it."""
    first = infer_frequency(series[0].stamps)
    for one, at in zip(series, rows, strict=True):
        frequency = infer_frequency(one.stamps)
        if frequency is None:
            i = int(numpy.argmax(numpy.diff(one.stamps).astype(numpy.float64)))
            raise DataError(
                f"{source.at(int(at[i + 1]))}: the time {_stamp(one.stamps[i + 1])} follows {_stamp(one.stamps[i])} "
                f"out of rhythm (series {one.name!r}): fill the gap, or number the rows 1, 2, 3 ... in the time column"
            )
        if frequency != first:
            raise DataError(f"{source.name}: series {series[0].name!r} is {first} and {one.name!r} is {frequency}")
    assert first is not None  # refused above
    return first


def _stamp(stamp: Any) -> str:
    return str(stamp).removesuffix(".000000").removesuffix("T00:00:00")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
