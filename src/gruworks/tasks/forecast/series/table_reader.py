"""Typed columns of a table: timestamps, names, numbers and words, and what was understood of its format.

Rows that are no data (units, totals, notes) are dropped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy
import pandas
from numpy.typing import NDArray

from gruworks.errors import DataError, TooShortError
from gruworks.tasks.forecast.config import Config, column_names
from gruworks.tasks.forecast.series.columns import Formats, FrameTypes, Numbers, Source, check_times, names
from gruworks.tasks.forecast.series.date_forms import ISO, NUMBERS, Times
from gruworks.tasks.forecast.series.dates import parse_times
from gruworks.tasks.forecast.series.raw_table import RawTable
from gruworks.tasks.forecast.series.time_columns import combined

__all__ = ["TypedTable", "typed_table"]

Column = NDArray[Any]
MOST_HEAD_ROWS = 3  # below the header: units, descriptions
TOTALS = re.compile(
    r"(?i)(?:.*[\s\d])?(?:(?:grand|sub)?[- ]?totals?|sum|summe|gesamt|insgesamt|somme|suma|totale|average|mean|"
    r"mittelwert|moyenne|promedio|media|合计|总计|小计|总和|平均)(?:[\s:\d].*)?"
)


@dataclass(frozen=True)
class TypedTable:
    """Timestamps [N], names [N], targets y [N, D] and covariates by role of the rows of a table.

    Args:
        formats: formats of its text.
        types: types of the frame that it was.
        config: the settings with the column names as they are in the table.
        understood: what was guessed, each with the flag that sets it.
    """

    source: Source
    timestamps: Column
    ids: Column
    y: NDArray[numpy.float64]
    side: dict[str, dict[str, Column]]
    backend: str
    sha256: str | None
    formats: Formats
    types: FrameTypes
    config: Config
    understood: tuple[str, ...]

    @property
    def note(self) -> str:
        """The guesses about the format, in one line; "" for a plain table."""
        return f"{self.source.name} was read with {', '.join(self.understood)}" if self.understood else ""


def typed_table(raw: RawTable, config: Config, known: Formats, roles: dict[str, tuple[str, ...]]) -> TypedTable:
    """The columns of the roles (target, static, past, future), parsed.

    Raises:
        DataError: a column that is missing, or a value that can't be read, with its place.
        TooShortError: no rows.
    """
    time = (config.time,) if config.time in raw.columns else column_names(config.time)
    _need(raw.columns, [(name, "time") for name in time], raw.source)
    _need(raw.columns, [(name, role) for role, found in roles.items() for name in found], raw.source)
    ids = _id_columns(raw, config)
    if not len(raw.columns[time[0]]):
        raise TooShortError(f"{raw.source.name} has no rows below its header", "no-rows")
    times = _times(raw, time, config, known)
    raw, times, told = _data_rows(raw, time, times, roles.get("target", ()), config)
    check_times(times, _time_values(raw, time), " and ".join(time), config.date_format, raw.source)
    reading, source = config.reading, raw.source
    decimal = None if reading.decimal == "auto" else reading.decimal
    parser = Numbers(source, decimal, known.decimal, reading.missing, raw.separator)
    targets = [parser.column(raw.columns[name], name) for name in roles.get("target", ())]
    y = numpy.stack(targets, 1) if targets else numpy.zeros((len(times.timestamps), 0))
    side = {
        role: {name: parser.covariate(raw.columns[name], name) for name in found}
        for role, found in roles.items() if role != "target"
    }  # fmt: skip
    told = raw.understood + _told(times, config, raw.text) + told + _told_numbers(parser)
    return TypedTable(
        source, times.timestamps, _ids(raw, ids), y, side, raw.backend, raw.sha256,
        Formats(parser.found if raw.text else known.decimal, times.form if raw.text else known.dates),
        replace(raw.types.get(time[0], FrameTypes()), ids=_ids_type(raw, ids)), config, tuple(told),
    )  # fmt: skip


def _id_columns(raw: RawTable, config: Config) -> tuple[str, ...]:
    """Columns that identify the series; none where the default one is absent."""
    found = (config.series,) if config.series in raw.columns else column_names(config.series)
    lacking = [name for name in found if name not in raw.columns]
    if not lacking:
        return found
    if config.series != Config.series:
        there = ", ".join(raw.columns)
        raise DataError(f"{raw.source.name} has no column {lacking[0]!r} for the series; it has: {there}")
    return ()


def _ids(raw: RawTable, columns: tuple[str, ...]) -> Column:
    """The name of the series of each row; those of several columns joined by "/"."""
    if not columns:
        return numpy.full(len(next(iter(raw.columns.values()))), "0")
    parts = [names(raw.columns[name], name, raw.source) for name in columns]
    return parts[0] if len(parts) == 1 else numpy.array(["/".join(row) for row in zip(*parts, strict=True)])


def _ids_type(raw: RawTable, columns: tuple[str, ...]) -> str:
    return "integer" if len(columns) == 1 and raw.columns[columns[0]].dtype.kind in "iu" else "text"


def _need(columns: dict[str, Any], wanted: list[tuple[str, str]], source: Source) -> None:
    for name, role in wanted:
        if name not in columns:
            there = ", ".join(columns)
            raise DataError(
                f"{source.name} has no column {name!r} for the {role}; it has: {there}. "
                f"Name one: --{role} NAME, in Python {role}=NAME",
                "no-column", column=name, role=role,
            )  # fmt: skip


def _time_values(raw: RawTable, time: tuple[str, ...]) -> Column:
    return raw.columns[time[0]] if len(time) == 1 else combined({name: raw.columns[name] for name in time})


def _times(raw: RawTable, time: tuple[str, ...], config: Config, known: Formats) -> Times:
    try:
        return parse_times(_time_values(raw, time), config.date_format, known.dates)
    except DataError as error:
        raise DataError(f"{raw.source.name}: {' and '.join(time)}: {error}", error.fault or "not-dates") from error


def _data_rows(
    raw: RawTable, time: tuple[str, ...], times: Times, targets: tuple[str, ...], config: Config
) -> tuple[RawTable, Times, list[str]]:
    """The rows of data, without totals and the rows above and below that have neither a time nor a number."""
    if not raw.text or times.ok.all():
        return raw, times, []
    text = pandas.Series(_time_values(raw, time)).astype(str)
    totals = ~times.ok & text.str.fullmatch(TOTALS.pattern).to_numpy(dtype=bool)
    parser = Numbers(raw.source, None if config.reading.decimal == "auto" else config.reading.decimal)
    numbers = numpy.zeros(len(text), dtype=bool)
    for name in targets:
        numbers |= ~numpy.isnan(parser.parsed(raw.columns[name], name))
    empty = ~times.ok & ~numbers & ~text.str.contains(r"\d{4}|\d[-/.]\d", regex=True).to_numpy()
    empty &= (text.str.len() != 1).to_numpy() | (text == "").to_numpy()
    words = ~times.ok & text.str.contains(r"[^\W\d_]{3}", regex=True).to_numpy() & ~text.str.contains(r"\d").to_numpy()
    note = ~times.ok & ~numbers & text.str.match(r"\W*[^\W\d_]{3,}\b").to_numpy()
    totals |= _is_sum(text, numbers, raw, targets, parser)
    rest = empty | totals | words | note
    data = numpy.flatnonzero(~(empty | totals))
    first, last = (int(data[0]), int(data[-1])) if len(data) else (0, len(text) - 1)
    at = numpy.arange(len(text))
    last = int(numpy.flatnonzero(~rest)[-1]) if not rest.all() else last
    above, below = empty & (at < first), rest & ~totals & (at > last)
    if first > MOST_HEAD_ROWS:
        above[:] = False
    drop = totals | above | below
    told = [
        f"{int(rows.sum())} {what} row{'s' * (int(rows.sum()) > 1)} left out ({text[rows].iloc[0]!r:.40})"
        for rows, what in ((above, "units"), (totals, "total"), (below, "note")) if rows.any()
    ]  # fmt: skip
    keep = ~drop
    return raw.keep(keep), Times(times.timestamps[keep], times.ok[keep], times.form, times.zone), told


def _is_sum(
    text: Any, numbers: NDArray[numpy.bool_], raw: RawTable, targets: tuple[str, ...], parser: Numbers
) -> NDArray[numpy.bool_]:
    """Mask of the last row, where it has no time and the sum of the other rows."""
    found = numpy.zeros(len(text), dtype=bool)
    if len(text) > 3 and text.iloc[-1] == "" and numbers[-1]:
        y = numpy.stack([parser.parsed(raw.columns[name], name) for name in targets])
        found[-1] = numpy.allclose(numpy.nansum(y[:, :-1], 1), y[:, -1], rtol=1e-3)
    return found


def _told(times: Times, config: Config, text: bool) -> list[str]:
    """The form of the dates, where it is not plain."""
    told = []
    if config.date_format is None and times.form not in (ISO, NUMBERS, "YYYY-MM"):
        what = {"serial": "spreadsheet serials", "years": "years with fractions"}.get(times.form, times.form)
        told.append(f"dates as {what}{' since 1970' * what.endswith('seconds')} (--date-format)")
    return told + ([times.zone] if times.zone else [])


def _told_numbers(parser: Numbers) -> list[str]:
    told = ["decimal comma (--decimal)"] if parser.decimal is None and parser.found == "," else []
    notes: dict[str, list[str]] = {}
    for name, note in parser.told.items():
        notes.setdefault(note, []).append(name)
    return told + [f"{note} in {' and '.join(columns[:3])}" for note, columns in notes.items()]
