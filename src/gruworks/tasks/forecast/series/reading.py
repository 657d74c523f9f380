"""Reading of series from a CSV or Parquet file, a data frame or a sequence of numbers."""

from __future__ import annotations

import collections
import csv
import hashlib
import warnings
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy
import pandas
from numpy.typing import NDArray

from gruworks.errors import DataError, TooShortError, require
from gruworks.files import named_path
from gruworks.tasks.forecast.config import Config
from gruworks.tasks.forecast.series.alignment import Table, assemble
from gruworks.tasks.forecast.series.columns import Source, check_zone, covariate, names, numbers, times
from gruworks.tasks.forecast.series.panel import Panel

__all__ = ["read", "read_future"]

PARQUET = (".parquet", ".pq")


def read(data: Any, config: Config) -> Panel:
    """Read and check the series in `data`.

    Values may be missing (empty, NaN, null), and so may rows of a regular frequency: `Panel.notes` tells how many.
    Irregular timestamps are kept.

    Args:
        data: the path of a CSV or Parquet file, a frame of pandas, polars or another library, a sequence of numbers in
            order of time, or a dict of columns, each a list of texts as in a CSV.

    Raises:
        DataError: what is wrong, with file and line or row: a missing file or column, a date that can't be read,
            timestamps twice or out of order, a value that is infinite or no number.
        TooShortError: fewer than three values in a series.
    """
    if isinstance(data, dict):
        columns = {str(name): numpy.array(values, dtype=object) for name, values in data.items()}
        return _from_table(columns, config, Source(Path("the table")), "pandas", None)
    found = _columns_of(data, config)
    if found is None:
        return _from_numbers(data)
    columns, source, backend = found
    sha256 = None if source.path is None else hashlib.sha256(source.path.read_bytes()).hexdigest()
    return _from_table(columns, config, source, backend, sha256)


def read_future(data: Any, config: Config) -> dict[str, tuple[NDArray[Any], dict[str, NDArray[Any]]]]:
    """Future covariates in a file or frame, by series: timestamps and the columns that `config.future` names."""
    loaded = _columns_of(data, config)
    if loaded is None:
        raise DataError(f"future covariates come as a file's path or a frame, not {data!r:.60}")
    columns, source, _ = loaded
    _need(columns, [(config.time, "time"), *((name, "future") for name in config.future)], source)
    timestamps = times(columns[config.time], config.time, config.date_format, source)
    ids = names(columns.get(config.series, numpy.zeros(len(timestamps), dtype=numpy.int64)), config.series, source)
    found = {name: covariate(columns[name], name, source) for name in config.future}
    rows = {str(name): numpy.flatnonzero(ids == name) for name in dict.fromkeys(ids)}
    return {name: (timestamps[at], {c: values[at] for c, values in found.items()}) for name, at in rows.items()}


def _columns_of(data: Any, config: Config) -> tuple[dict[str, NDArray[Any]], Source, str] | None:
    """Columns by name, their source and the frame library of a file or frame; None for other data."""
    if isinstance(data, str | Path):
        path = named_path(data)
        return _read_parquet(path, config) if path.suffix in PARQUET else _read_csv(path), Source(path), "pandas"
    frame: Any = nw.from_native(data, eager_only=True, pass_through=True)
    return (
        (_columns(frame, config), Source(None), frame.implementation.value) if isinstance(frame, nw.DataFrame) else None
    )


def _columns(frame: Any, config: Config) -> dict[str, NDArray[Any]]:
    """Columns of a narwhals frame; a time zone other than UTC is refused."""
    if config.time in frame.columns:
        check_zone(getattr(frame[config.time].dtype, "time_zone", None), config.time, Source(None))
    return {name: frame[name].to_numpy() for name in frame.columns}


def _from_numbers(data: Any) -> Panel:
    """The panel of one sequence of numbers, or of a pandas Series with its timestamps."""
    source, timestamps = Source(None), None
    if isinstance(data, pandas.Series) and isinstance(data.index, pandas.DatetimeIndex):
        check_zone(data.index.tz, "index", source)
        timestamps = times(data.index.to_numpy(), "index", None, source)
    try:
        y = numpy.asarray(data, dtype=numpy.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"expected a file's path, a data frame or a sequence of numbers, got {data!r:.80}") from error
    if y.ndim != 1:
        raise DataError(
            f"expected one sequence of numbers, got an array of shape {y.shape}; pass a data frame for several series"
        )
    at = numpy.arange(len(y))
    table = Table("0", at if timestamps is None else timestamps, numbers(y, "value", source)[:, None], at)
    return assemble([table], source)


def _from_table(columns: dict[str, Any], config: Config, source: Source, backend: str, sha256: str | None) -> Panel:
    kinds = [("static", config.static), ("past", config.past), ("future", config.future)]
    wanted = [("time", (config.time,)), ("target", config.targets), *kinds]
    _need(columns, [(name, role) for role, found in wanted for name in found], source)
    if config.series not in columns and config.series != Config.series:
        raise DataError(f"{source.name} has no column {config.series!r} for the series; it has: {', '.join(columns)}")
    if not len(columns[config.time]):
        raise TooShortError(f"{source.name} has no rows below its header", "no-rows")
    timestamps = times(columns[config.time], config.time, config.date_format, source)
    y = numpy.stack([numbers(columns[name], name, source) for name in config.targets], 1)
    ids = names(columns.get(config.series, numpy.zeros(len(y), dtype=numpy.int64)), config.series, source)
    side = {kind: {name: covariate(columns[name], name, source) for name in found} for kind, found in kinds}
    order = numpy.argsort(ids, kind="stable")
    cuts = numpy.flatnonzero(ids[order][1:] != ids[order][:-1]) + 1
    groups = sorted(numpy.split(order, cuts), key=lambda rows: int(rows[0]))
    tables = [
        Table(str(ids[at[0]]), timestamps[at], y[at], at,
              {kind: {name: values[at] for name, values in found.items()} for kind, found in side.items()})
        for at in groups
    ]  # fmt: skip
    return assemble(tables, source, backend, sha256)


def _need(columns: dict[str, Any], wanted: list[tuple[str, str]], source: Source) -> None:
    for name, role in wanted:
        if name not in columns:
            there = ", ".join(columns)
            raise DataError(
                f"{source.name} has no column {name!r} for the {role}; it has: {there}. "
                f"Name one: --{role} NAME, in Python {role}=NAME",
                "no-column", column=name, role=role,
            )  # fmt: skip


def _read_parquet(path: Path, config: Config) -> dict[str, NDArray[Any]]:
    if not path.is_file():
        raise DataError(f"{path} is a folder, not a Parquet file" if path.is_dir() else f"there is no file {path}")
    try:
        frame = require("polars", extra="parquet").read_parquet(path)
    except OSError as error:
        raise DataError(f"can't read {path}: {error}") from error
    except Exception as error:  # polars' own errors have no common base that says "not Parquet"
        if type(error).__module__.split(".")[0] not in ("polars", "builtins"):
            raise
        raise DataError(f"{path} is not a Parquet file that can be read: {error}") from error
    return _columns(nw.from_native(frame), config)


def _read_csv(path: Path) -> dict[str, NDArray[Any]]:
    """Columns of a CSV as text; blank lines are kept, so that line numbers can be told."""
    if not path.is_file():
        raise DataError(f"{path} is a folder, not a CSV file" if path.is_dir() else f"there is no file {path}")
    try:
        with path.open(encoding="utf-8-sig") as lines:
            header = lines.readline()
        if not header.strip():
            what = "begins with a blank line" if header else "is empty"
            raise DataError(f"{path} {what}: expected a header line with the columns' names, then a row a line")
        if "\0" in header:
            raise DataError(f"{path} is a binary file, not a CSV")
        delimiter = max(",;\t", key=header.count)
        found = [name.strip() for name in next(csv.reader([header], delimiter=delimiter))]
        twice = [name for name, count in collections.Counter(found).items() if count > 1]
        if twice:
            raise DataError(
                f"{path}, line 1: the column name {twice[0]!r} occurs twice: give each column a unique name"
            )
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
    """Offset of the first byte that is not UTF-8; pandas counts from the start of its block."""
    try:
        path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start
    return 0
