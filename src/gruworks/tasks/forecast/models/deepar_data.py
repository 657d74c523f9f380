"""Windows and sample paths of the DeepAR sampler."""

from __future__ import annotations

from typing import Any

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

from gruworks.errors import DataError
from gruworks.tasks.forecast.config import QUANTILES, Config
from gruworks.tasks.forecast.data import Batch, float32
from gruworks.tasks.forecast.decoding import Engine
from gruworks.tasks.forecast.features.encoding import Codec
from gruworks.tasks.forecast.features.seasonality import fourier
from gruworks.tasks.forecast.models.deepar import SamplerNet
from gruworks.tasks.forecast.models.segrnn_data import cut
from gruworks.tasks.forecast.series.panel import Series

__all__ = ["SamplerEngine", "SamplerWindows", "sampled_paths"]

Floats = NDArray[numpy.float64]
MOST_VALIDATED = 512  # validation windows
AT_ONCE = 1 << 14  # paths drawn in one batch


class SamplerEngine(Engine):
    """DeepAR's sampler: quantiles of sample paths."""

    def network(self) -> SamplerNet:
        c = self.config
        lags = tuple(self.codec.lags(c.window, c.periods).values())
        return SamplerNet(self.codec.seasons, lags, c.hidden_size, c.num_layers, c.dropout, c.distribution, c.reset)

    def windows(self, series: list[Series], whole: bool = False) -> SamplerWindows:
        return SamplerWindows(series, self.codec, self.config, whole)

    def network_quantiles(self, model: SamplerNet, series: Series, origins: NDArray[Any], which: int) -> Floats:
        paths = sampled_paths(model, series, self.codec, self.config, origins, self.config.paths)
        return numpy.moveaxis(numpy.quantile(paths, QUANTILES, axis=1), 0, -1)


class SamplerWindows:
    """Batches of windows of `config.window` steps; the target of each step is the next value.

    `learnable` is the number of training steps of each series. With `whole` the held-out rows are trained on too.
    """

    def __init__(self, series: list[Series], codec: Codec, config: Config, whole: bool = False) -> None:
        self.codec, self.config, self.series = codec, config, series
        self.filled = [one.filled() for one in series]
        self.reach = max((*codec.lags(config.window, config.periods).values(), 2)) - 1
        lengths = [len(one) for one in series]
        self.firsts = [n - (0 if whole else max(config.horizon, round(config.validation * n))) for n in lengths]
        self.learnable = [
            max(0, first - 2) * bool(numpy.ptp(y[:first])) for first, y in zip(self.firsts, self.filled, strict=True)
        ]
        if config.distribution == "negative_binomial":
            _check_counts(series)

    def draw(self, epoch: int, index: int) -> Batch:
        """A batch of random windows, a function of seed, epoch and index."""
        rng = numpy.random.default_rng([self.config.training.seed, epoch, index])
        weights = numpy.sqrt(numpy.asarray(self.learnable, dtype=numpy.float64))
        which = rng.choice(len(weights), self.config.training.batch_size, p=weights / weights.sum())
        low = [min(self.config.window, self.firsts[w] - 1) for w in which]
        origins = [int(rng.integers(a - 1, max(a, self.firsts[w] - 1))) for a, w in zip(low, which, strict=True)]
        return self._batch(list(map(int, which)), origins, None)

    def validation(self) -> list[Batch]:
        """A window for each series that ends with its held-out rows; other rows have weight 0."""
        order = numpy.random.default_rng(self.config.training.seed).permutation(len(self.series))
        held_out = [len(one) - first for one, first in zip(self.series, self.firsts, strict=True)]
        kept = [int(w) for w in order if self.learnable[w] and held_out[w] >= 1][:MOST_VALIDATED]
        return [self._batch([w], [len(self.series[w]) - 2], held_out[w]) for w in kept]

    def _batch(self, which: list[int], origins: list[int], counted: int | None) -> Batch:
        """Windows by series and origin, of which the last `counted` steps have weight 1 (None: all)."""
        T = self.config.window if counted is None else max(self.config.window, counted)
        rows = [
            _row(self.series[w], self.filled[w], self.codec, t, T, self.reach, self.config)
            for w, t in zip(which, origins, strict=True)
        ]
        target, weight = numpy.zeros((len(which), T)), numpy.zeros((len(which), T))
        for i, (w, t) in enumerate(zip(which, origins, strict=True)):
            at = numpy.arange(t - T + 1, t + 1)
            y = self.series[w].y[numpy.clip(at + 1, 0, len(self.series[w]) - 1)]
            usable = (at >= 1) & ~numpy.isnan(y) & (numpy.arange(T) >= T - (counted or T))
            level = 0.0 if self.config.distribution == "negative_binomial" else self.filled[w][t]
            target[i], weight[i] = numpy.where(usable, y - level, 0.0), usable
        return _stacked(rows) | {"target": float32(target), "weight": float32(weight)}


def sampled_paths(
    model: SamplerNet, series: Series, codec: Codec, config: Config, origins: NDArray[Any], paths: int
) -> Floats:
    """Sample paths [O, paths, K] after the rows `origins` [O], a function of the seed."""
    y = series.filled()
    rows = [_row(series, y, codec, int(t), config.window, model.longest, config, config.horizon) for t in origins]
    values, waves, scale = _stacked(rows).values()
    level = 0.0 if model.counts else y[origins][:, None, None]
    piece, parts = max(1, AT_ONCE // paths), []
    with torch.random.fork_rng():
        torch.manual_seed(config.training.seed)
        for at in numpy.array_split(numpy.arange(len(rows)), -(-len(rows) // piece)):
            parts.append(model.sample(values[at], waves[at], scale[at], paths, config.horizon).double().numpy())
    return numpy.asarray(numpy.concatenate(parts) + level)


def _row(
    series: Series, y: Floats, codec: Codec, origin: int, steps: int, reach: int, config: Config, beyond: int = 0
) -> tuple[Floats, Floats, Floats]:
    """Values [P + T] up to the origin, Fourier terms [T + beyond, F] of the rows after each, the window's scale."""
    values = cut(y, 0, numpy.array([origin]), reach + steps)[0]
    positions = codec.frequency.positions(series.timestamps[[origin]])[0] + numpy.arange(2 - steps, 2 + beyond)
    waves = fourier(positions, list(codec.seasons))
    if config.distribution == "negative_binomial":
        return values, waves, numpy.asarray(1 + values.mean())
    moved = numpy.abs(numpy.diff(values)).mean()
    fallback = numpy.abs(numpy.diff(y[: origin + 1])).mean() if origin else 0.0
    return values - y[origin], waves, numpy.asarray(moved or fallback or 1.0)


def _stacked(rows: list[tuple[Floats, Floats, Floats]]) -> dict[str, Tensor]:
    """Inputs of the network for a batch of `_row`: values [B, P + T], waves [B, T + beyond, F], scale [B]."""
    parts = zip(("values", "waves", "scale"), zip(*rows, strict=True), strict=True)
    return {name: float32(numpy.stack(part)) for name, part in parts}


def _check_counts(series: list[Series]) -> None:
    for one in series:
        y = one.y[one.observed]
        wrong = numpy.flatnonzero((y < 0) | (y != numpy.round(y)))
        if len(wrong):
            raise DataError(
                f"the negative binomial is for counts, and series {one.name!r} has the value {y[wrong[0]]}: "
                "take distribution='student'"
            )
