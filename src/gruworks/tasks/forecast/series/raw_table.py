"""Columns of a file, frame or dict as they are stored, before their values are parsed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy
import pandas
from numpy.typing import NDArray

from gruworks.files import named_path
from gruworks.tasks.forecast.config import Config, column_names
from gruworks.tasks.forecast.series.columns import FrameTypes, Source
from gruworks.tasks.forecast.series.layout import parsed, plain_name
from gruworks.tasks.forecast.series.opening import STDIN, file_bytes, opened

__all__ = ["RawTable", "raw_table", "renamed", "without_zone"]

Column = NDArray[Any]


@dataclass(frozen=True)
class RawTable:
    """Columns by name, of any type, their source, and what was found out so far."""

    columns: dict[str, Column]
    source: Source
    backend: str = "pandas"
    sha256: str | None = None
    separator: str = ","
    understood: list[str] = field(default_factory=list)
    text: bool = False
    types: dict[str, FrameTypes] = field(default_factory=dict)

    def told(self, guesses: Iterable[str]) -> RawTable:
        """The table with these guesses among what was understood."""
        return replace(self, understood=[*self.understood, *guesses])

    def keep(self, rows: NDArray[numpy.bool_]) -> RawTable:
        lines = None if self.source.lines is None else self.source.lines[rows]
        if self.source.lines is None and self.source.path is not None:
            lines = numpy.flatnonzero(rows) + 2
        source = Source(self.source.path, lines)
        return replace(self, columns={k: v[rows] for k, v in self.columns.items()}, source=source)


def raw_table(data: Any, config: Config) -> RawTable | None:
    """Columns of a file, frame or dict; None for other data."""
    if isinstance(data, RawTable):
        return data
    if isinstance(data, dict):
        columns = {str(name): numpy.array(values, dtype=object) for name, values in data.items()}
        return RawTable(columns, Source(Path("the table")), text=True)
    if isinstance(data, str | Path):
        path = STDIN if str(data) == "-" else named_path(data)
        return _file(path, config)
    told: list[str] = []
    if isinstance(data, pandas.DataFrame):
        data = _with_index(data, config)
    frame: Any = nw.from_native(data, eager_only=True, pass_through=True)
    if not isinstance(frame, nw.DataFrame):
        return None
    types: dict[str, FrameTypes] = {}
    columns = _columns(frame, told, types)
    return RawTable(columns, Source(None), frame.implementation.value, understood=told, types=types)


def renamed(raw: RawTable, config: Config) -> tuple[RawTable, Config]:
    """The table with plain column names, and the settings with names that contain a comma quoted.

    A name in the settings also stands for the only column that differs from it by upper and lower case.
    """
    plain = {plain_name(name): column for name, column in raw.columns.items()}
    named = (*column_names(config.time), *config.targets, config.series, *config.covariates)
    for name in (one for one in named if one not in plain):
        alike = [one for one in plain if one.casefold() == name.casefold()]
        if len(alike) == 1:
            plain[name] = plain.pop(alike[0])
    raw = replace(raw, columns=plain)
    target = plain_name(config.target)
    if "," in target and '"' not in target and target in plain:
        config = replace(config, target=f'"{target}"')
    return raw, config


def _file(path: Path, config: Config) -> RawTable:
    content = file_bytes(path)
    sha256 = hashlib.sha256(content).hexdigest()
    found = opened(content, path, config.reading)
    if found.text is None:
        columns = _columns(nw.from_native(found.frame), found.understood)
        return RawTable(columns, Source(path), "pandas", sha256, understood=found.understood)
    wanted = {plain_name(one) for one in (*column_names(config.time), *config.targets)}
    table = parsed(found.text, Source(path).name, config.reading, wanted)
    told = found.understood + table.understood
    return RawTable(table.columns, Source(path, table.lines), "pandas", sha256, table.separator, told, True)


def _with_index(frame: pandas.DataFrame, config: Config) -> pandas.DataFrame:
    """The frame with the levels of its index that hold times or have a needed name as columns."""
    index = frame.index
    times = isinstance(index, pandas.DatetimeIndex | pandas.PeriodIndex)
    needed = {config.time, config.series} - set(map(str, frame.columns))
    if times and config.time in needed:
        return frame.set_axis(index.rename(config.time)).reset_index()
    return frame.reset_index() if needed & {str(one) for one in index.names if one is not None} else frame


def _columns(frame: Any, told: list[str], types: dict[str, FrameTypes] | None = None) -> dict[str, Column]:
    """Columns of a narwhals frame, times without their zone; their own types by name are added to `types`."""
    types = {} if types is None else types
    found = {}
    for name in frame.columns:
        column = frame[name]
        own = column.to_native().dtype
        zone = own.tz if isinstance(own, pandas.DatetimeTZDtype) else getattr(column.dtype, "time_zone", None)
        if zone is not None:
            series, meaning = without_zone(pandas.Series(pandas.to_datetime(column.to_list(), utc=True)), str(zone))
            found[str(name)] = series.to_numpy()
            told += [f"{name}: {meaning}"] if meaning else []
            types[plain_name(name)] = FrameTypes(times=str(zone), local=meaning.startswith("local"))
        else:
            found[str(name)] = column.to_numpy()
            if column.dtype == nw.Date:
                types[plain_name(name)] = FrameTypes(times="date")
    return found


def without_zone(times: Any, zone: str | None = None) -> tuple[Any, str]:
    """Times without their zone, and their meaning: local ones of a constant offset or of days, else UTC."""
    zone = zone or getattr(times.dt, "tz", None)
    if zone is None:
        return times, ""
    aware = times.dt.tz_convert(zone)
    local, utc = aware.dt.tz_localize(None), times.dt.tz_convert("UTC").dt.tz_localize(None)
    if str(zone) in ("UTC", "UTC+00:00"):
        return utc, ""
    if (local - utc).nunique() <= 1 or (local == local.dt.normalize()).all():
        return local, f"local times of {zone}"
    return utc, f"times of {zone} in UTC"
