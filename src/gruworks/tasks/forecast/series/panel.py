"""Series and panels: what has been read and checked."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import Any

import numpy
from numpy.typing import NDArray

from gruworks.tasks.forecast.series.frequency import Frequency

__all__ = ["FEWEST_ROWS", "Panel", "Series", "forward_filled"]

FEWEST_ROWS = 3  # two differences: the least from which a step to the next value can be told

Floats = NDArray[numpy.float64]
Columns = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Series:
    """One series: its name, its timestamps [N] (datetime64[us] or int64) and its values [N] (float64).

    A value may be NaN: it is missing. `target` is the column of y, `others` [N, D - 1] the other target columns.
    `past` and `future` hold covariates' columns as they came, `future` up to the horizon after the last row where
    they are known; `static` one value each.
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
        """Mask of the values that are there, [N]."""
        return ~numpy.isnan(self.y)

    def filled(self) -> Floats:
        """y with the last value seen in place of each missing one; the first value is always there."""
        return forward_filled(self.y)

    def until(self, end: int) -> Series:
        """The first `end` rows; covariates known beforehand stay known."""
        return replace(
            self, timestamps=self.timestamps[:end], y=self.y[:end], others=self.others[:end],
            past={name: values[:end] for name, values in self.past.items()},
        )  # fmt: skip

    def after(self, earlier: Series) -> Series:
        """`earlier` with this series' rows behind it."""
        join = numpy.concatenate
        return replace(
            self,
            timestamps=join([earlier.timestamps, self.timestamps]),
            y=join([earlier.y, self.y]),
            others=join([earlier.others, self.others]),
            past={name: join([earlier.past[name], values]) for name, values in self.past.items()},
            future={name: join([earlier.future[name][: len(earlier)], values]) for name, values in self.future.items()},
        )


@dataclass(frozen=True)
class Panel:
    """All series of one source, of one frequency. `backend` is the caller's frame library; `sha256` a file's.

    `notes` say what was found and mended: values missing, timestamps missing, irregular timestamps.
    """

    series: list[Series]
    frequency: Frequency
    backend: str = "pandas"
    sha256: str | None = None
    notes: tuple[str, ...] = ()

    def digest(self) -> str:
        """The file's sha256; where there is no file, that of the names, timestamps and values."""
        if self.sha256 is not None:
            return self.sha256
        found = hashlib.sha256()
        for one in self.series:
            for part in (one.name.encode(), one.timestamps.astype(numpy.int64).tobytes(), one.y.tobytes()):
                found.update(part)
        return found.hexdigest()


def forward_filled(y: Floats) -> Floats:
    """The last value that is there in place of each NaN; NaN stays before the first one."""
    there = ~numpy.isnan(y)
    if there.all():
        return y
    last = numpy.maximum.accumulate(numpy.where(there, numpy.arange(len(y)), 0))
    return numpy.asarray(y[last])
