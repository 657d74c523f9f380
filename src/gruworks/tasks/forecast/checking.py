"""Description of a table before a fit: columns, roles, frequency, gaps and seasons of each series."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy

from gruworks.errors import DataError
from gruworks.tasks.forecast.config import Config, column_names
from gruworks.tasks.forecast.features.encoding import Codec
from gruworks.tasks.forecast.series.columns import short
from gruworks.tasks.forecast.series.kinds import kind_of
from gruworks.tasks.forecast.series.layout import plain_name
from gruworks.tasks.forecast.series.panel import Panel, Series
from gruworks.tasks.forecast.series.raw_table import RawTable, raw_table
from gruworks.tasks.forecast.series.reading import read

__all__ = ["Columns", "SeriesFacts", "columns_of", "series_of"]

LOOKED_AT = 200  # rows from which the kind of a column is told


@dataclass(frozen=True)
class Columns:
    """The kind of each column, and the settings with the roles, of which `guessed` tells the guessed ones as flags."""

    kinds: dict[str, str]
    config: Config
    guessed: str
    understood: tuple[str, ...]


@dataclass(frozen=True)
class SeriesFacts:
    """One series: rows of its frequency, first and last time, missing values among them, and the seasons found."""

    name: str
    rows: int
    first: str
    last: str
    missing: int
    longest_gap: int
    seasons: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def columns_of(data: Any, config: Config) -> tuple[RawTable, Columns]:
    """The table and the kinds and roles of its columns; roles whose default column is absent are guessed.

    Raises:
        DataError: no table, or one without a column of numbers.
    """
    raw = raw_table(data, config)
    if raw is None:
        raise DataError(f"expected a file's path or a frame, got {data!r:.60}")
    kinds = {plain_name(name): kind_of(values[:LOOKED_AT], raw.separator) for name, values in raw.columns.items()}
    chosen, flags = config, []
    if not set(column_names(config.time)) <= set(kinds) and config.time == Config.time:
        dates = [name for name, kind in kinds.items() if kind.startswith("dates")]
        if dates:
            chosen = replace(chosen, time=dates[0])
            flags.append(f"--time {dates[0]!r}")
    if not set(config.targets) <= set(kinds) and config.target == Config.target:
        numbers = [name for name, kind in kinds.items() if kind == "numbers" and name != chosen.time]
        if numbers:
            chosen = replace(chosen, target=f'"{numbers[0]}"' if "," in numbers[0] else numbers[0])
            flags.append(f"--target {numbers[0]!r}")
    return raw, Columns(kinds, chosen, " ".join(flags), tuple(raw.understood))


def series_of(raw: RawTable, config: Config) -> tuple[Panel, list[SeriesFacts]]:
    """The series of the table, as a fit reads them."""
    panel = read(raw, config)
    return panel, [_facts(one, panel, config) for one in panel.series if one.target == 0]


def _facts(series: Series, panel: Panel, config: Config) -> SeriesFacts:
    seasons = Codec.of(replace(panel, series=[series]), config).seasons
    there = numpy.flatnonzero(series.observed)
    return SeriesFacts(
        series.name, len(series), short(series.timestamps[0]), short(series.timestamps[-1]),
        int((~series.observed).sum()), int(numpy.diff(there).max(initial=1)) - 1,
        tuple(f"{one.name} ({one.period:g})" for one in seasons),
    )  # fmt: skip
