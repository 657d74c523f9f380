"""Alignment of rows to a panel: rows sorted, frequency inferred, missing rows filled, unusable series left out."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

import numpy
from numpy.typing import NDArray

from gruworks.errors import DataError, TooShortError
from gruworks.tasks.forecast.config import Reading
from gruworks.tasks.forecast.series.columns import Source, short
from gruworks.tasks.forecast.series.frequency import (
    IRREGULAR,
    Frequency,
    grid_frequency,
    infer_frequency,
    irregular_frequency,
)
from gruworks.tasks.forecast.series.gaps import fill, missing_notes, on_grid
from gruworks.tasks.forecast.series.panel import FEWEST_ROWS, Panel, Series
from gruworks.tasks.forecast.series.rows import Table, in_order

__all__ = ["Fitted", "assemble"]

Floats = NDArray[numpy.float64]
LONG = 8  # rows of a regular series, from which its frequency is its own and not that of the others with gaps
NAMED = 5  # series that a warning names


class Fitted(NamedTuple):
    """Frequency of a fit, and the names of its series, which single rows may continue."""

    frequency: Frequency
    names: frozenset[str]


class _Unusable(NamedTuple):
    """A series that can't be used: the error, and its reason in words."""

    name: str
    error: DataError
    reason: str


def assemble(
    tables: list[Table],
    source: Source,
    reading: Reading | None = None,
    backend: str = "pandas",
    sha256: str | None = None,
    fitted: Fitted | None = None,
) -> Panel:
    """The panel of these tables, with a series for each target.

    Series that can't be used (too few values, another frequency) are left out with a warning; `reading.strict` refuses
    them, and so does a table without any other.

    Raises:
        DataError, TooShortError: a time that occurs twice, no series that can be used.
    """
    reading = reading or Reading()
    notes: list[str] = []
    tables = in_order(tables, source, notes)
    usable, unusable = _long_enough(tables, source, reading, fitted)
    if not usable:
        raise unusable[0].error
    frequency, usable, others = _frequency(usable, source, fitted, reading, notes)
    unusable += others
    left_out = _left_out(unusable, reading)
    notes += left_out
    last = max(table.timestamps[table.observed][-1] for table in usable)
    filled = [fill(on_grid(table, frequency), frequency, reading, last) for table in usable]
    notes += missing_notes(usable, filled, frequency, reading)
    series = [one for table in filled for one in _series(table, source)]
    still = [one.name for one in series if numpy.nanmin(one.y) == numpy.nanmax(one.y)]
    if still and len(series) > 1:
        notes.append(f"{len(still)} series never move: {', '.join(still[:NAMED])}")
    return Panel(series, frequency, backend, sha256, tuple(notes), tuple(left_out))


def _long_enough(
    tables: list[Table], source: Source, reading: Reading, fitted: Fitted | None
) -> tuple[list[Table], list[_Unusable]]:
    """The tables from their first value on, and those with too few values.

    One value is enough for a fitted series, and where missing ones are 0.
    """
    usable, unusable = [], []
    for table in tables:
        there = numpy.flatnonzero(~numpy.isnan(table.y).any(1))
        few = reading.fill == "0" or (fitted is not None and table.name in fitted.names)
        least = 1 if few else FEWEST_ROWS
        count = int((~numpy.isnan(table.y)).sum(0).min()) if len(there) else 0
        if count >= least:
            usable.append(table[int(there[0]) :])
            continue
        what = f"{len(table.y)} rows" if len(table.y) < least else f"{count} values"
        error = TooShortError(
            f"{source.name}: series {table.name!r} has {what}; a forecast needs {least} at least",
            "too-few-values", series=table.name, count=count, least=least,
        )  # fmt: skip
        unusable.append(_Unusable(table.name, error, what))
    return usable, unusable


def _left_out(unusable: list[_Unusable], reading: Reading) -> list[str]:
    """Warnings about series that are left out; `reading.strict` refuses the first."""
    if unusable and reading.strict:
        raise unusable[0].error
    notes: list[str] = []
    reasons: dict[str, list[str]] = {}
    for one in unusable:
        reasons.setdefault(one.reason, []).append(one.name)
    for reason, names in reasons.items():
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        notes.append(f"{len(names)} series left out, with {reason}: {', '.join(names[:NAMED])}{more}")
    return notes


def _frequency(
    tables: list[Table], source: Source, fitted: Fitted | None, reading: Reading, notes: list[str]
) -> tuple[Frequency, list[Table], list[_Unusable]]:
    """The frequency of most rows, the series that have it, and the others."""
    strict = [infer_frequency(table.timestamps) if len(table.y) >= FEWEST_ROWS else None for table in tables]
    if fitted is not None and fitted.frequency.code == IRREGULAR and tables[0].timestamps.dtype.kind == "M":
        return fitted.frequency, tables, []
    frequency = fitted.frequency if fitted is not None else _common(tables, strict, reading.fill != "0")
    if frequency is None:
        if tables[0].timestamps.dtype.kind != "M":
            raise _wrong_step(tables[0], source)
        frequency = irregular_frequency([table.timestamps for table in tables])
        notes.append(f"the timestamps are irregular: {frequency}; the time between rows is an input")
        return frequency, tables, []
    usable, unusable = [], []
    for table, own in zip(tables, strict, strict=True):
        if own == frequency or _fits(table, own, frequency, reading):
            usable.append(table)
        else:
            unusable.append(_other_frequency(table, own, frequency, source, fitted is not None))
    if not usable:
        raise unusable[0].error
    return frequency, usable, unusable


def _common(tables: list[Table], strict: list[Frequency | None], slots: bool) -> Frequency | None:
    """The frequency that most rows have; that of the longest series with gaps, where none is regular."""
    rows: Counter[Frequency] = Counter()
    longest = max(tables, key=lambda table: len(table.timestamps))
    for table, own in zip(tables, strict, strict=True):
        if own is not None and (len(table.timestamps) >= LONG or len(longest.timestamps) < LONG):
            rows[own] += len(table.timestamps)
    gapped = [table for table, own in zip(tables, strict, strict=True) if own is None]
    if gapped and sum(len(table.timestamps) for table in gapped) > sum(rows.values()):
        found = grid_frequency(max(gapped, key=lambda table: len(table.timestamps)).timestamps, slots)
        if found is not None:
            rows[found] += sum(len(table.timestamps) for table in gapped)
        elif not rows:
            return None
    found = rows.most_common(1)[0][0] if rows else grid_frequency(longest.timestamps, slots)
    return found if found is None or found.slots is None else _open_in_any(tables, found)


def _open_in_any(tables: list[Table], frequency: Frequency) -> Frequency:
    """The frequency whose days and hours are open where any series has rows."""
    times = numpy.unique(numpy.concatenate([table.timestamps for table in tables]))
    return infer_frequency(times) or grid_frequency(times) or frequency


def _fits(table: Table, own: Frequency | None, frequency: Frequency, reading: Reading) -> bool:
    """True where the rows lie on the frequency, with gaps; a long series that is regular by itself is another one."""
    if table.timestamps.dtype.kind != ("M" if frequency.dated else "i"):
        return False
    grid = frequency.grid(table.timestamps[0], table.timestamps[-1])
    if not numpy.isin(table.timestamps, grid).all():
        return False
    sparse = len(grid) >= 2 * len(table.timestamps) + FEWEST_ROWS
    return not sparse or reading.fill == "0" or len(table.timestamps) < LONG or own is None


def _other_frequency(
    table: Table, own: Frequency | None, frequency: Frequency, source: Source, fitted: bool
) -> _Unusable:
    if own is None:
        return _Unusable(table.name, _wrong_step(table, source), f"timestamps off the frequency ({frequency})")
    text = f"{source.name}: series {table.name!r} is {own} and the others are {frequency}: they must agree"
    error = DataError(
        f"the data is {own} and the fit was on {frequency}: they must agree" if fitted else text,
        "two-frequencies", one=table.name, other=str(frequency),
    )  # fmt: skip
    return _Unusable(table.name, error, f"the frequency {own}, while the others are {frequency}")


def _wrong_step(table: Table, source: Source) -> DataError:
    """The error about the longest step between two timestamps."""
    stamp, before = short(table.timestamps[0]), ""
    told, row = f"the time {stamp} is off the frequency (series {table.name!r})", int(table.rows[0])
    if len(table.timestamps) > 1:
        i = int(numpy.argmax(numpy.diff(table.timestamps).astype(numpy.float64)))
        before, stamp, row = short(table.timestamps[i]), short(table.timestamps[i + 1]), int(table.rows[i + 1])
        told = (
            f"the time {stamp} follows {before} off the frequency (series {table.name!r}): "
            "fill the gap, or number the rows 1, 2, 3 ... in the time column"
        )
    facts = {"time": stamp, "before": before, "series": table.name}
    return DataError(f"{source.at(row)}: {told}", "out-of-rhythm", line=source.line(row), **facts)


def _series(table: Table, source: Source) -> list[Series]:
    """A series for each target, with the other targets as its inputs; rows after the last value are to be forecast."""
    static = {name: _constant(name, values, table, source) for name, values in table.side.get("static", {}).items()}
    end = int(numpy.flatnonzero(table.observed)[-1]) + 1
    past = {name: values[:end] for name, values in table.side.get("past", {}).items()}
    y = table.y[:end]
    return [
        Series(
            table.name, table.timestamps[:end], y[:, d], d, numpy.delete(y, d, 1), static, past,
            table.side.get("future", {}),
        )
        for d in range(y.shape[1])
    ]  # fmt: skip


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
