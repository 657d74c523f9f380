"""Alignment of rows to a panel: timestamps checked, frequency inferred, missing rows filled with NaN."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy
from numpy.typing import NDArray

from gruworks.errors import DataError, TooShortError
from gruworks.tasks.forecast.series.columns import Source, short
from gruworks.tasks.forecast.series.frequency import Frequency, grid_frequency, infer_frequency, irregular_frequency
from gruworks.tasks.forecast.series.panel import FEWEST_ROWS, Panel, Series

__all__ = ["Table", "assemble"]

Floats = NDArray[numpy.float64]


@dataclass(frozen=True)
class Table:
    """Rows of one series: timestamps [N], targets y [N, D], row numbers in the source [N], covariates by kind."""

    name: str
    timestamps: NDArray[Any]
    y: Floats
    rows: NDArray[numpy.int64]
    side: dict[str, dict[str, NDArray[Any]]] = field(default_factory=dict)

    def rearranged(
        self, timestamps: NDArray[Any], rows: NDArray[numpy.int64], change: Callable[[NDArray[Any]], NDArray[Any]]
    ) -> Table:
        """The table at other timestamps and rows, with `change` applied to each column."""
        side = {kind: {name: change(values) for name, values in found.items()} for kind, found in self.side.items()}
        return Table(self.name, timestamps, change(self.y), rows, side)


def assemble(tables: list[Table], source: Source, backend: str = "pandas", sha256: str | None = None) -> Panel:
    """The panel of these tables, with a series for each target.

    Raises:
        DataError, TooShortError: timestamps twice or out of order, two frequencies, too few values.
    """
    for table in tables:
        _check(table, source)
    frequency, notes = _frequency(tables, source)
    missing = sum(int(numpy.isnan(table.y).sum()) for table in tables)
    if missing:
        notes.append(f"{missing} values are missing: they are read as such and left out of the loss")
    filled = [_trimmed(_on_grid(table, frequency), source) for table in tables]
    added = sum(len(f.timestamps) for f in filled) - sum(len(t.timestamps) for t in tables)
    if added > 0:
        notes.append(f"about {added} rows are missing between the others ({frequency}): read as missing values")
    series = [one for table in filled for one in _series(table, source)]
    still = [one.name for one in series if numpy.nanmin(one.y) == numpy.nanmax(one.y)]
    if still and len(series) > 1:
        notes.append(f"{len(still)} series never move: {', '.join(still[:5])}")
    return Panel(series, frequency, backend, sha256, tuple(notes))


def _check(table: Table, source: Source) -> None:
    _need_rows(table, source, len(table.y), "rows")
    steps = numpy.diff(table.timestamps).astype(numpy.int64)
    for i in numpy.flatnonzero(steps <= 0)[:1]:
        again = table.timestamps[i + 1] in table.timestamps[: i + 1]
        what = "occurs twice" if again else f"comes after {short(table.timestamps[i])}: sort the rows by time"
        stamp, fault = short(table.timestamps[i + 1]), "time-twice" if again else "time-back"
        text = f"the time {stamp} {what} (series {table.name!r})"
        source.refuse(int(table.rows[i + 1]), text, fault, time=stamp, series=table.name)


def _need_rows(table: Table, source: Source, count: int, what: str) -> None:
    if count < FEWEST_ROWS:
        raise TooShortError(
            f"{source.name}: series {table.name!r} has {count} {what}; a forecast needs {FEWEST_ROWS} at least",
            "too-few-values", series=table.name, count=count, least=FEWEST_ROWS,
        )  # fmt: skip


def _frequency(tables: list[Table], source: Source) -> tuple[Frequency, list[str]]:
    """The common frequency of all series, and warnings about it."""
    strict = [infer_frequency(table.timestamps) for table in tables]
    told = [(table, found) for table, found in zip(tables, strict, strict=True) if found is not None]
    for table, found in told[1:]:
        if found != told[0][1]:
            first = f"series {told[0][0].name!r} is {told[0][1]}"
            facts = {"one": told[0][0].name, "other": table.name}
            raise DataError(
                f"{source.name}: expected one frequency for all series, but {first} and {table.name!r} is {found}",
                "two-frequencies",
                **facts,
            )
    if told and len(told) == len(tables):
        return told[0][1], []
    frequency = told[0][1] if told else grid_frequency(max(tables, key=lambda t: len(t.timestamps)).timestamps)
    if frequency is not None and all(_fits(table, frequency) for table in tables):
        return frequency, []
    if told or tables[0].timestamps.dtype.kind != "M":
        odd = next(t for t, found in zip(tables, strict, strict=True) if found is None)
        _refuse_step(odd, source)
    frequency = irregular_frequency([table.timestamps for table in tables])
    return frequency, [f"the timestamps are irregular: {frequency}; the time between rows is an input"]


def _fits(table: Table, frequency: Frequency) -> bool:
    grid = frequency.grid(table.timestamps[0], table.timestamps[-1])
    return bool(len(grid) < 2 * len(table.timestamps) + FEWEST_ROWS and numpy.isin(table.timestamps, grid).all())


def _refuse_step(table: Table, source: Source) -> NoReturn:
    """Refuse the longest step between two timestamps."""
    i = int(numpy.argmax(numpy.diff(table.timestamps).astype(numpy.float64)))
    before, after = short(table.timestamps[i]), short(table.timestamps[i + 1])
    text = (
        f"the time {after} follows {before} off the frequency (series {table.name!r}): "
        "fill the gap, or number the rows 1, 2, 3 ... in the time column"
    )
    source.refuse(int(table.rows[i + 1]), text, "out-of-rhythm", time=after, before=before, series=table.name)


def _on_grid(table: Table, frequency: Frequency) -> Table:
    """The table with a row for each timestamp of the frequency."""
    if frequency.code == "irregular":
        return table
    grid = frequency.grid(table.timestamps[0], table.timestamps[-1])
    if len(grid) == len(table.timestamps):
        return table
    at = numpy.searchsorted(grid, table.timestamps)

    def spread(values: NDArray[Any]) -> NDArray[Any]:
        empty: Any = "" if values.dtype == object else numpy.nan
        made = numpy.full((len(grid), *values.shape[1:]), empty, dtype=values.dtype)
        made[at] = values
        return made

    rows = table.rows[numpy.maximum(0, numpy.searchsorted(table.timestamps, grid, side="right") - 1)]
    return table.rearranged(grid, rows, spread)


def _trimmed(table: Table, source: Source) -> Table:
    """The table from its first complete row on; rows after the last value are kept for their future covariates."""
    there = numpy.flatnonzero(~numpy.isnan(table.y).any(1))
    _need_rows(table, source, int((~numpy.isnan(table.y)).sum(0).min()) if len(there) else 0, "values")
    first = int(there[0])
    return table.rearranged(table.timestamps[first:], table.rows[first:], lambda values: values[first:])


def _series(table: Table, source: Source) -> list[Series]:
    """A series for each target, with the other targets as its inputs."""
    static = {name: _constant(name, values, table, source) for name, values in table.side.get("static", {}).items()}
    future = table.side.get("future", {})
    seen = numpy.flatnonzero(~numpy.isnan(table.y).all(1))
    end = int(seen[-1]) + 1 if future else len(table.y)  # later rows are rows to forecast
    past = {name: values[:end] for name, values in table.side.get("past", {}).items()}
    y = table.y[:end]
    return [
        Series(table.name, table.timestamps[:end], y[:, d], d, numpy.delete(y, d, 1), static, past, future)
        for d in range(y.shape[1])
    ]


def _constant(name: str, values: NDArray[Any], table: Table, source: Source) -> Any:
    """The value of a static covariate; "" or NaN where it is missing in all rows."""
    kept = [v for v in values.tolist() if v != "" and v == v]
    for i, value in enumerate(values.tolist()):
        if kept and value != kept[0] and value != "" and value == value:
            raise DataError(
                f"{source.at(int(table.rows[i]))}: the static column {name} is {value!r} and was {kept[0]!r} before "
                f"(series {table.name!r}): make it a past or future covariate"
            )
    return kept[0] if kept else ("" if values.dtype == object else float("nan"))
