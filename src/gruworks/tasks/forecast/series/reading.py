"""Reading of series from a file, a data frame or a sequence of numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy
import pandas
from numpy.typing import NDArray

from gruworks.errors import DataError
from gruworks.tasks.forecast.config import Config
from gruworks.tasks.forecast.series.aggregation import aggregated
from gruworks.tasks.forecast.series.alignment import Fitted, assemble
from gruworks.tasks.forecast.series.columns import Formats, Numbers, Source
from gruworks.tasks.forecast.series.panel import Panel
from gruworks.tasks.forecast.series.raw_table import raw_table, renamed, without_zone
from gruworks.tasks.forecast.series.roles import with_roles
from gruworks.tasks.forecast.series.rows import Table
from gruworks.tasks.forecast.series.table_reader import TypedTable, typed_table

__all__ = ["read", "read_future"]

ROLES = ("static", "past", "future")


def read(data: Any, config: Config, known: Formats | None = None, fitted: Fitted | None = None) -> Panel:
    """Read and check the series in `data`.

    Values may be missing (empty, NaN, null), and so may rows of a regular frequency: `Panel.notes` tells how many, and
    what was guessed about the format and the columns. Irregular timestamps are kept.

    Args:
        data: the path of a file (CSV, Parquet, Arrow or workbook, compressed or not; "-" is standard input), a frame of
            pandas, polars or another library, a sequence of numbers in order of time, or a dict of columns, each a list
            of texts as in a CSV.
        known: formats of the rows of a fit, which are tried first.
        fitted: the frequency and the series of a fit that the rows may continue.

    Raises:
        DataError: what is wrong, with file and line or row: a missing file or column, a date that can't be read, a
            time that occurs twice, a value that is infinite or no number.
        TooShortError: fewer than three values in every series.
    """
    raw = raw_table(data, config)
    if raw is None:
        return _from_numbers(data, config, fitted)
    raw, config = renamed(raw, config)
    if fitted is None:
        config, guessed = with_roles(raw.columns, config, raw.separator)
        raw = raw.told(f"{name!r} as the {role} (--{role})" for role, name in guessed.items())
    roles = {role: config.targets if role == "target" else getattr(config, role) for role in ("target", *ROLES)}
    table = typed_table(raw, config, known or Formats(), roles)
    tables, reading, combined = aggregated(_tables(table), config.reading, table.source)
    panel = assemble(tables, table.source, reading, table.backend, table.sha256, fitted)
    told = ((table.note,) if table.note else ()) + combined
    return replace(panel, notes=told + panel.notes, formats=table.formats, types=table.types, config=table.config)


def read_future(
    data: Any, config: Config, known: Formats | None = None
) -> dict[str, tuple[NDArray[Any], dict[str, NDArray[Any]]]]:
    """Future covariates in a file or frame, by series: timestamps and the columns that `config.future` names."""
    raw = raw_table(data, config)
    if raw is None:
        raise DataError(f"future covariates come as a file's path or a frame, not {data!r:.60}")
    raw, config = renamed(raw, config)
    table = typed_table(raw, config, known or Formats(), {"future": config.future})
    return {one.name: (one.timestamps, one.side["future"]) for one in _tables(table)}


def _tables(table: TypedTable) -> list[Table]:
    """The rows of each series, in the order of the first row of each."""
    order = numpy.argsort(table.ids, kind="stable")
    cuts = numpy.flatnonzero(table.ids[order][1:] != table.ids[order][:-1]) + 1
    groups = sorted(numpy.split(order, cuts), key=lambda rows: int(rows[0]))
    return [
        Table(
            str(table.ids[at[0]]), table.timestamps[at], table.y[at], at,
            {kind: {name: values[at] for name, values in found.items()} for kind, found in table.side.items()},
        )
        for at in groups
    ]  # fmt: skip


def _from_numbers(data: Any, config: Config, fitted: Fitted | None) -> Panel:
    """The panel of one sequence of numbers, or of a pandas Series with its timestamps."""
    source, timestamps, told = Source(None), None, ""
    if isinstance(data, pandas.Series) and isinstance(data.index, pandas.PeriodIndex):
        data = data.to_timestamp()
    if isinstance(data, pandas.Series) and isinstance(data.index, pandas.DatetimeIndex):
        index, told = without_zone(pandas.Series(data.index))
        timestamps = index.to_numpy().astype("datetime64[us]")
    try:
        y = numpy.asarray(data, dtype=numpy.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"expected a file's path, a data frame or a sequence of numbers, got {data!r:.80}") from error
    if y.ndim != 1:
        raise DataError(
            f"expected one sequence of numbers, got an array of shape {y.shape}; pass a data frame for several series"
        )
    at = numpy.arange(len(y))
    table = Table("0", at if timestamps is None else timestamps, Numbers(source).column(y, "value")[:, None], at)
    panel = assemble([table], source, config.reading, fitted=fitted)
    return replace(panel, notes=((f"the index: {told}",) if told else ()) + panel.notes)
