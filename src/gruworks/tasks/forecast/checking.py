"""Description of a table before a fit: columns, roles, frequency, gaps and seasons of each series."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy

from gruworks.errors import DataError
from gruworks.tasks.forecast.config import Config
from gruworks.tasks.forecast.features.encoding import Codec
from gruworks.tasks.forecast.series.columns import short
from gruworks.tasks.forecast.series.panel import Panel, Series
from gruworks.tasks.forecast.series.raw_table import RawTable, raw_table, renamed
from gruworks.tasks.forecast.series.reading import read
from gruworks.tasks.forecast.series.roles import kinds_of, with_roles

__all__ = ["Columns", "SeriesFacts", "columns_of", "series_of"]


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
    raw, config = renamed(raw, config)
    kinds = kinds_of(raw.columns, raw.separator)
    chosen, guessed = with_roles(raw.columns, config, raw.separator)
    flags = " ".join(f"--{role} {name!r}" for role, name in guessed.items())
    return raw, Columns(kinds, chosen, flags, tuple(raw.understood))


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
