"""Windows of the sampler, its loss, and quantiles of what it draws."""

from __future__ import annotations

from typing import Any

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

from gruworks.errors import DataError
from gruworks.tasks.forecast.config import QUANTILES, Config
from gruworks.tasks.forecast.data import FEWEST_ORIGINS, Batch
from gruworks.tasks.forecast.features.encoding import Codec
from gruworks.tasks.forecast.features.seasonality import fourier
from gruworks.tasks.forecast.models.deepar import SamplerNet
from gruworks.tasks.forecast.models.segrnn_data import cut
from gruworks.tasks.forecast.series.panel import Series
from gruworks.training.parallel import mean

__all__ = ["SamplerWindows", "sampled_paths", "sampled_quantiles", "sampler_loss"]

Floats = NDArray[numpy.float64]
MOST_VALIDATED = 512  # windows of validation
AT_ONCE = 1 << 14  # paths drawn side by side


class SamplerWindows:
    """Windows of `config.window` steps that end at an origin; the value after each of them is what is learnt."""

    def __init__(self, series: list[Series], codec: Codec, config: Config, whole: bool = False) -> None:
        self.codec, self.config = codec, config
        self.series = series
        self.filled = [one.filled() for one in series]
        self.reach = max((*codec.lags(config.window, config.periods).values(), 2)) - 1
        lengths = [len(one) for one in series]
        self.firsts = [n - max(config.horizon, round(config.validation * n)) for n in lengths]  # rows held out begin
        if whole:
            self.firsts = lengths
        self.learnable = [
            max(0, first - 2) * bool(numpy.ptp(y[:first])) for first, y in zip(self.firsts, self.filled, strict=True)
        ]
        if config.distribution == "negative_binomial":
            _check_counts(series)

    @property
    def enough(self) -> bool:
        """True where there are steps enough to train on."""
        return sum(self.learnable) >= FEWEST_ORIGINS

    def draw(self, epoch: int, index: int) -> Batch:
        """A batch of random windows: a function of the seed, the epoch and the index."""
        rng = numpy.random.default_rng([self.config.training.seed, epoch, index])
        share = numpy.sqrt(numpy.asarray(self.learnable, dtype=numpy.float64))
        which = rng.choice(len(share), self.config.training.batch_size, p=share / share.sum())
        low = [min(self.config.window, self.firsts[w] - 1) for w in which]
        origins = [int(rng.integers(a - 1, max(a, self.firsts[w] - 1))) for a, w in zip(low, which, strict=True)]
        return self._batch(list(map(int, which)), origins, None)

    def validation(self) -> list[Batch]:
        """Windows that end with the held-out rows; only the value after each of those counts."""
        order = numpy.random.default_rng(self.config.training.seed).permutation(len(self.series))
        kept = [int(w) for w in order if self.learnable[w] and len(self.series[w]) - self.firsts[w] >= 1][
            :MOST_VALIDATED
        ]
        return [self._batch([w], [len(self.series[w]) - 2], len(self.series[w]) - self.firsts[w]) for w in kept]

    def _batch(self, which: list[int], origins: list[int], counted: int | None) -> Batch:
        T = self.config.window if counted is None else max(self.config.window, counted)
        rows = [
            _row(self.series[w], self.filled[w], self.codec, t, T, self.reach, self.config)
            for w, t in zip(which, origins, strict=True)
        ]
        values, waves, scale = (
            torch.from_numpy(numpy.stack(part).astype(numpy.float32)) for part in zip(*rows, strict=True)
        )
        target, weight = numpy.zeros((len(which), T)), numpy.zeros((len(which), T))
        for i, (w, t) in enumerate(zip(which, origins, strict=True)):
            at = numpy.arange(t - T + 1, t + 1)
            y = self.series[w].y[numpy.clip(at + 1, 0, len(self.series[w]) - 1)]
            usable = (at >= 1) & ~numpy.isnan(y) & (numpy.arange(T) >= T - (counted or T))
            level = 0.0 if self.config.distribution == "negative_binomial" else self.filled[w][t]
            target[i], weight[i] = numpy.where(usable, y - level, 0.0), usable
        return {
            "values": values, "waves": waves, "scale": scale,
            "target": torch.from_numpy(target.astype(numpy.float32)),
            "weight": torch.from_numpy(weight.astype(numpy.float32)),
        }  # fmt: skip


def sampler_loss(model: torch.nn.Module, batch: Batch) -> Tensor:
    """Mean negative log-likelihood of the value after each step, free of the unit."""
    likelihood = model(batch["values"], batch["waves"], batch["scale"]).log_prob(batch["target"])
    unit = 0.0 if getattr(model, "counts", False) else batch["scale"].log()[:, None]
    loss: Tensor = -((likelihood + unit) * batch["weight"]).sum() / mean(batch["weight"].sum()).clamp(min=1)
    return loss


def sampled_paths(
    model: SamplerNet, series: Series, codec: Codec, config: Config, origins: NDArray[Any], paths: int
) -> Floats:
    """Paths [O, paths, K] after the rows `origins`; the same ones for the same seed."""
    y = series.filled()
    rows = [_row(series, y, codec, int(t), config.window, model.longest, config, config.horizon) for t in origins]
    values, waves, scale = (
        torch.from_numpy(numpy.stack(part).astype(numpy.float32)) for part in zip(*rows, strict=True)
    )
    level = 0.0 if model.counts else y[origins][:, None, None]
    piece, parts = max(1, AT_ONCE // paths), []
    with torch.random.fork_rng():
        torch.manual_seed(config.training.seed)
        for at in numpy.array_split(numpy.arange(len(rows)), -(-len(rows) // piece)):
            parts.append(model.sample(values[at], waves[at], scale[at], paths, config.horizon).double().numpy())
    return numpy.asarray(numpy.concatenate(parts) + level)


def sampled_quantiles(model: SamplerNet, series: Series, codec: Codec, config: Config, origins: NDArray[Any]) -> Floats:
    """Low, median and high [O, K, 3] of the paths."""
    found = numpy.quantile(sampled_paths(model, series, codec, config, origins, config.paths), QUANTILES, axis=1)
    return numpy.moveaxis(found, 0, -1)


def _row(
    series: Series, y: Floats, codec: Codec, origin: int, steps: int, reach: int, config: Config, beyond: int = 0
) -> tuple[Floats, Floats, Floats]:
    """Values [P + T] up to the origin, waves [T + beyond, F] of the rows after each, and the window's scale."""
    values = cut(y, 0, numpy.array([origin]), reach + steps)[0]
    positions = codec.frequency.positions(series.timestamps[[origin]])[0] + numpy.arange(2 - steps, 2 + beyond)
    waves = fourier(positions, list(codec.seasons))
    if config.distribution == "negative_binomial":
        return values, waves, numpy.asarray(1 + values.mean())
    moved = numpy.abs(numpy.diff(values)).mean()
    fallback = numpy.abs(numpy.diff(y[: origin + 1])).mean() if origin else 0.0
    return values - y[origin], waves, numpy.asarray(moved or fallback or 1.0)


def _check_counts(series: list[Series]) -> None:
    for one in series:
        y = one.y[one.observed]
        wrong = numpy.flatnonzero((y < 0) | (y != numpy.round(y)))
        if len(wrong):
            raise DataError(
                f"the negative binomial is for counts, and series {one.name!r} has the value {y[wrong[0]]}: "
                "take distribution='student'"
            )
