"""Windows of the segment model: indices into one array of all series, cut when they are drawn."""

from __future__ import annotations

from typing import Any

import numpy
import torch
from numpy.typing import NDArray

from gruworks.tasks.forecast.config import Config
from gruworks.tasks.forecast.data import FEWEST_ORIGINS, Batch, split_rows
from gruworks.tasks.forecast.series.panel import Series

__all__ = ["SegmentWindows", "cut"]

Floats = NDArray[numpy.float64]
MOST_VALIDATED = 8_192  # windows of validation
PIECE = 1_024  # windows of one validation batch


class SegmentWindows:
    """Look-back, target and scale of windows of all series. A window is a series and an origin, its last row.

    With `whole` the held-out rows are learnt from too.
    """

    def __init__(self, series: list[Series], config: Config, whole: bool = False) -> None:
        self.config = config
        lengths = numpy.array([len(one) for one in series])
        self.offsets = numpy.concatenate([[0], numpy.cumsum(lengths)])
        self.filled = numpy.concatenate([one.filled() for one in series])
        self.y = numpy.concatenate([one.y for one in series])
        self.scale = numpy.array([window_scale(one, config) for one in series])
        ends, firsts, lasts = (
            numpy.array(part)
            for part in zip(*[split_rows(int(n), config.horizon, config.validation) for n in lengths], strict=True)
        )
        self.begins = numpy.minimum(config.window, lengths // 2) - 1  # a shorter history is filled up at its left
        self.firsts, self.lasts = firsts, lasts
        moves = self.scale > 0
        self.learnable = numpy.maximum(0, (lasts if whole else ends) - self.begins) * moves

    @property
    def enough(self) -> bool:
        """True where there are windows enough to train on."""
        return int(self.learnable.sum()) >= FEWEST_ORIGINS

    def draw(self, epoch: int, index: int) -> Batch:
        """A batch of random windows: a function of the seed, the epoch and the index.

        A series is drawn by the square root of its windows, so that a long one does not silence the short ones.
        """
        rng = numpy.random.default_rng([self.config.training.seed, epoch, index])
        share = numpy.cumsum(numpy.sqrt(self.learnable))
        which = numpy.searchsorted(share, rng.random(self.config.training.batch_size) * share[-1], side="right")
        return self.batch(
            which, self.begins[which] + (rng.random(len(which)) * self.learnable[which]).astype(numpy.int64)
        )

    def validation(self) -> list[Batch]:
        """Windows whose targets no training window has touched, at most `MOST_VALIDATED`, evenly spread."""
        which = numpy.repeat(numpy.arange(len(self.lasts)), (self.lasts - self.firsts) * (self.scale > 0))
        origins = numpy.concatenate(
            [numpy.arange(f, n) for f, n, s in zip(self.firsts, self.lasts, self.scale, strict=True) if s > 0]
            or [numpy.zeros(0)]
        )
        kept = numpy.unique(numpy.linspace(0, len(which) - 1, min(len(which), MOST_VALIDATED)).astype(numpy.int64))
        return [
            self.batch(which[at], origins[at].astype(numpy.int64))
            for at in numpy.array_split(kept, -(-len(kept) // PIECE))
            if len(at)
        ]

    def batch(self, which: NDArray[Any], origins: NDArray[Any]) -> Batch:
        """Windows by series and origin: values [R, L], target [R, K], channel [R], scale [R]."""
        starts = self.offsets[which]
        values = cut(self.filled, starts, origins, self.config.window)
        ahead = (starts + origins)[:, None] + numpy.arange(1, self.config.horizon + 1)
        scale = self.scale[which]
        if self.config.norm in ("mean", "moves"):
            moved = numpy.abs(numpy.diff(values, axis=1)).mean(1)
            scale = numpy.maximum(moved, 0.1 * scale)  # a window that stands still is not worth more than others
        arrays = {"values": values, "target": self.y[ahead], "scale": scale}
        found = {name: torch.from_numpy(array.astype(numpy.float32)) for name, array in arrays.items()}
        return found | {"channel": torch.from_numpy(which.astype(numpy.int64))}


def cut(y: Floats, starts: Any, origins: NDArray[Any], length: int) -> Floats:
    """The `length` values up to each origin, [R, length]; before a series' start stands its first value."""
    back = numpy.maximum(origins[:, None] + numpy.arange(1 - length, 1), 0)
    return numpy.asarray(y[numpy.asarray(starts).reshape(-1, 1) + back])


def window_scale(series: Series, config: Config) -> float:
    """The unit of errors in this series: its mean move, or for "last" and "revin" its deviation."""
    y = series.filled()
    past = y[: max(2, split_rows(len(y), config.horizon, config.validation)[1])]
    return float(past.std() if config.norm in ("last", "revin") else numpy.abs(numpy.diff(past)).mean())
