"""Series and panels of series, after they are read and checked."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import Any

import numpy
from numpy.typing import NDArray

from gruworks.tasks.forecast.config import Config
from gruworks.tasks.forecast.series.columns import Formats, FrameTypes
from gruworks.tasks.forecast.series.frequency import Frequency

__all__ = ["FEWEST_ROWS", "Panel", "Series", "forward_filled"]

FEWEST_ROWS = 3  # of a series: two differences, the least that an autoregression on them needs

Floats = NDArray[numpy.float64]
Columns = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Series:
    """One series: its name, timestamps [N] (datetime64[us] or int64) and values y [N] (float64, NaN where missing).

    Args:
        target: number of the target column that y is.
        others: the other target columns, [N, D - 1].
        static: static covariates, one value each.
        past: past covariates by name, [N] each.
        future: future covariates by name, [N] or more each: for some or all rows to forecast too.
    """

    name: str
    timestamps: NDArray[Any]
    y: Floats
    target: int = 0
    others: Floats = field(default_factory=lambda: numpy.zeros((0, 0)))
    static: dict[str, Any] = field(default_factory=dict)
    past: Columns = field(default_factory=dict)
    future: Columns = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.y)

    @property
    def observed(self) -> NDArray[numpy.bool_]:
        """Mask of the values that are not missing, [N]."""
        return ~numpy.isnan(self.y)

    def filled(self) -> Floats:
        """y [N] with missing values forward-filled; the first value is never missing."""
        return forward_filled(self.y)

    def until(self, end: int) -> Series:
        """The first `end` rows; future covariates are kept whole."""
        return replace(
            self, timestamps=self.timestamps[:end], y=self.y[:end], others=self.others[:end],
            past={name: values[:end] for name, values in self.past.items()},
        )  # fmt: skip


@dataclass(frozen=True)
class Panel:
    """All series of one source, of one frequency.

    Args:
        backend: the caller's frame library.
        sha256: that of the file; None without one.
        notes: warnings about the format, series left out, missing values and rows, and irregular timestamps.
        warnings: those of the notes that tell of rows left out or replaced.
        formats: formats of the text that the rows were read from.
        types: types of the caller's frame.
        config: the settings with the column names of the table; None for plain numbers.
    """

    series: list[Series]
    frequency: Frequency
    backend: str = "pandas"
    sha256: str | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    formats: Formats = Formats()
    types: FrameTypes = FrameTypes()
    config: Config | None = None

    def digest(self) -> str:
        """The sha256 of the file or, without one, of names, timestamps and values."""
        if self.sha256 is not None:
            return self.sha256
        found = hashlib.sha256()
        for one in self.series:
            for part in (one.name.encode(), one.timestamps.astype(numpy.int64).tobytes(), one.y.tobytes()):
                found.update(part)
        return found.hexdigest()


def forward_filled(y: Floats) -> Floats:
    """y [N] with each NaN replaced by the last value before it, if there is one."""
    there = ~numpy.isnan(y)
    if there.all():
        return y
    last = numpy.maximum.accumulate(numpy.where(there, numpy.arange(len(y)), 0))
    return numpy.asarray(y[last])
