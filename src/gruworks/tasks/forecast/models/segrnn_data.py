"""Windows and forecasts of the segment model: look-back windows cut from one array of all series when drawn."""

from __future__ import annotations

from typing import Any

import numpy
import torch
from numpy.typing import NDArray

from gruworks.tasks.forecast.config import QUANTILES, Config
from gruworks.tasks.forecast.data import Batch, float32, split_rows, weighed_from
from gruworks.tasks.forecast.decoding import Engine
from gruworks.tasks.forecast.models.segrnn import SegmentNet
from gruworks.tasks.forecast.series.panel import Series

__all__ = ["SegmentEngine", "SegmentWindows", "cut"]

Floats = NDArray[numpy.float64]
Ints = NDArray[Any]
MOST_VALIDATED = 8_192  # validation windows
PIECE = 1_024  # windows of one validation batch
AT_ONCE = 4_096  # windows of one forecast batch


class SegmentEngine(Engine):
    """SegRNN over the last `window` rows; each forecast encodes a whole window."""

    def network(self) -> SegmentNet:
        c = self.config
        channels = self.count if 1 < self.count <= c.hidden_size else 1  # few series have embeddings of their own
        return SegmentNet(
            c.look_back, c.horizon, c.segment, c.hidden_size, len(QUANTILES), c.dropout, c.norm, channels, c.linear
        )

    def windows(self, series: list[Series], whole: bool = False) -> SegmentWindows:
        return SegmentWindows(series, self.config, whole)

    @torch.no_grad()
    def network_quantiles(self, model: SegmentNet, series: Series, origins: Ints, which: int) -> Floats:
        y, absolute, parts = series.filled(), self.config.norm == "mean", []
        for at in numpy.array_split(origins, -(-len(origins) // AT_ONCE)):
            values = cut(y, 0, at, self.config.look_back)
            level = 0.0 * values[:, -1:] if absolute else values[:, -1:]  # float32 keeps moves, not levels far from 0
            answer = model(float32(values - level), torch.full((len(at),), which))
            parts.append(answer.double().numpy() + level[..., None])
        return numpy.concatenate(parts)


class SegmentWindows:
    """Batches of windows; a window is a series and an origin, its last row.

    `learnable` is the number of training windows of each series. With `whole` the held-out rows are trained on too.
    """

    def __init__(self, series: list[Series], config: Config, whole: bool = False) -> None:
        self.config = config
        lengths = numpy.array([len(one) for one in series])
        self.offsets = numpy.concatenate([[0], numpy.cumsum(lengths)])
        self.filled = numpy.concatenate([one.filled() for one in series])
        self.y = numpy.concatenate([one.y for one in series])
        self.scale = numpy.array([_scale(one, config) for one in series])
        bounds = [split_rows(int(n), config.horizon, config.validation) for n in lengths]
        ends, self.firsts, self.lasts = numpy.array(bounds).T
        self.begins = numpy.minimum(config.look_back, lengths // 2) - 1  # a shorter history is padded on the left
        self.learnable = numpy.maximum(0, (self.lasts if whole else ends) - self.begins) * (self.scale > 0)

    def draw(self, epoch: int, index: int) -> Batch:
        """A batch of random windows, a function of seed, epoch and index.

        A series is drawn in proportion to the square root of its windows, so that long ones don't dominate.
        """
        rng = numpy.random.default_rng([self.config.training.seed, epoch, index])
        weights = numpy.cumsum(numpy.sqrt(self.learnable))
        which = numpy.searchsorted(weights, rng.random(self.config.training.batch_size) * weights[-1], side="right")
        rows = (rng.random(len(which)) * self.learnable[which]).astype(numpy.int64)
        return self.batch(which, self.begins[which] + rows)

    def validation(self) -> list[Batch]:
        """At most `MOST_VALIDATED` windows, evenly spread, whose targets are in no training window."""
        weighed = [weighed_from(a, b, self.config) for a, b in zip(self.firsts, self.lasts, strict=True)]
        ends = numpy.where(weighed > self.firsts, weighed, self.lasts)
        counts = (ends - self.firsts) * (self.scale > 0)
        which = numpy.repeat(numpy.arange(len(counts)), counts)
        origins = numpy.arange(len(which)) - numpy.repeat(numpy.cumsum(counts) - counts - self.firsts, counts)
        kept = numpy.unique(numpy.linspace(0, len(which) - 1, min(len(which), MOST_VALIDATED)).astype(numpy.int64))
        pieces = numpy.array_split(kept, -(-len(kept) // PIECE) or 1)
        return [self.batch(which[at], origins[at]) for at in pieces if len(at)]

    def batch(self, which: Ints, origins: Ints) -> Batch:
        """Windows by series and origin, [R] each: values [R, L], target [R, K], channel [R], scale [R]."""
        starts = self.offsets[which]
        values = cut(self.filled, starts, origins, self.config.look_back)
        ahead = (starts + origins)[:, None] + numpy.arange(1, self.config.horizon + 1)
        scale = self.scale[which]
        if self.config.norm in ("mean", "moves"):
            moved = numpy.abs(numpy.diff(values, axis=1)).mean(1)
            scale = numpy.maximum(moved, 0.1 * scale)  # a bound, so that constant windows don't dominate
        arrays = {"values": values, "target": self.y[ahead], "scale": scale}
        found = {name: float32(array) for name, array in arrays.items()}
        return found | {"channel": torch.from_numpy(which.astype(numpy.int64))}


def cut(y: Floats, starts: Any, origins: Ints, length: int) -> Floats:
    """The `length` values up to each origin, [R, length], padded on the left with the first value of the series."""
    back = numpy.maximum(origins[:, None] + numpy.arange(1 - length, 1), 0)
    return numpy.asarray(y[numpy.asarray(starts).reshape(-1, 1) + back])


def _scale(series: Series, config: Config) -> float:
    """The unit of a series' errors: its mean absolute difference, or for "last" and "revin" its standard deviation."""
    y = series.filled()
    past = y[: max(2, split_rows(len(y), config.horizon, config.validation)[1])]
    return float(past.std() if config.norm in ("last", "revin") else numpy.abs(numpy.diff(past)).mean())
