"""From series to what the network reads: features, highway, season path and targets, all causal and scale-free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

from gruworks.tasks.forecast.calendar import Frequency, Season
from gruworks.tasks.forecast.config import Config
from gruworks.tasks.forecast.highway import causal_scale, causal_slope, differences, path
from gruworks.tasks.forecast.reading import Panel, Series
from gruworks.tasks.forecast.season import climatology, coefficients, fourier, usable_seasons

__all__ = ["FEWEST_ORIGINS", "Batch", "Codec", "Encoded", "Windows", "encode"]

Floats = NDArray[numpy.float64]
Batch = dict[str, Tensor]

FEWEST_ORIGINS = 32  # with fewer rows to learn from, the highway answers alone
WARM_UP = 16  # rows until scale and slope have settled; nothing is learnt from them
WILD = 1e3  # a highway beyond so many scales (a slope above 1 far ahead) teaches nothing


@dataclass(frozen=True)
class Codec:
    """What turns a series into features: its frequency and the seasons that the fit found usable."""

    frequency: Frequency
    seasons: tuple[Season, ...]

    @classmethod
    def of(cls, panel: Panel, config: Config) -> Codec:
        frequency = panel.frequency
        values = [(series.y, frequency.positions(series.stamps)) for series in panel.series]
        return cls(frequency, tuple(usable_seasons(frequency.seasons(), values) if config.season else []))

    @property
    def inputs(self) -> int:
        """I: entries of one step's features."""
        return 1 + (2 + 2 * sum(season.harmonics for season in self.seasons) if self.seasons else 0)

    def to_dict(self) -> dict[str, Any]:
        seasons = [season._asdict() for season in self.seasons]
        return {"frequency": {"code": self.frequency.code, "multiple": self.frequency.multiple}, "seasons": seasons}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Codec:
        return cls(Frequency(**values["frequency"]), tuple(Season(**season) for season in values["seasons"]))


@dataclass(frozen=True)
class Encoded:
    """One series as the network reads it, N steps of it; each row knows only the past up to its own step.

    features [N, I]; highway and season [N, H]: what each would add to y_t, in units of the scale; y and scale [N].
    """

    features: Floats
    highway: Floats
    season: Floats
    y: Floats
    scale: Floats

    def targets(self) -> tuple[Floats, Floats]:
        """What each step should answer, [N, H], in units of its scale, and each step's weight in the loss, [N].

        The weight brings errors back to the units of the series, over its mean scale, so that an early step with a
        tiny scale can't rule the fit. It is 0 where the target lies beyond the end or the scale can't be told.
        """
        N, H = self.highway.shape
        ahead = numpy.arange(N)[:, None] + numpy.arange(1, H + 1)
        inside = ahead[:, -1] < N
        moved = self.y[numpy.minimum(ahead, N - 1)] - self.y[:, None]
        usable = inside & (self.scale > 0) & (numpy.abs(self.highway).max(1) < WILD)
        usable[: min(WARM_UP, N // 4)] = False
        weight = numpy.where(usable, self.scale / max(self.scale[-1], numpy.finfo(numpy.float64).tiny), 0.0)
        return _over(moved, self.scale[:, None]) * usable[:, None], weight


def encode(series: Series, codec: Codec, horizon: int) -> Encoded:
    """Features, highway and season path of one series."""
    y, scale = series.y, causal_scale(series.y)
    moves = _over(differences(y), scale)
    with numpy.errstate(over="ignore"):  # never 0 · ∞: after a step of zero the slope is 1 at most
        highway = moves[:, None] * path(causal_slope(y), horizon)
    features = [moves[:, None]]
    season = numpy.zeros_like(highway)
    if codec.seasons:
        positions = codec.frequency.positions(series.stamps)
        waves = fourier(positions, list(codec.seasons))
        fitted = coefficients(y, waves)
        known = (positions - positions[0] >= max(s.period for s in codec.seasons)).astype(numpy.float64)
        anomaly = _over(y - climatology(fitted, waves), scale) * known
        for k in range(1, horizon + 1):
            ahead = climatology(fitted, fourier(positions + k, list(codec.seasons)))
            season[:, k - 1] = _over(ahead - y, scale) * known
        features += [anomaly[:, None], known[:, None], waves]
    return Encoded(numpy.concatenate(features, 1), highway, season, y, scale)


class Windows:
    """Training and validation batches over encoded series; windows are cut when drawn, never stored."""

    def __init__(self, encoded: list[Encoded], config: Config) -> None:
        self.config = config
        self.arrays = [_tensors(one) for one in encoded]
        self.lasts = [len(one.y) - config.horizon for one in encoded]  # rows that have a whole horizon after them
        self.tails = [max(config.horizon, round(0.15 * len(one.y))) for one in encoded]
        self.ends = [max(0, last - tail - config.horizon) for last, tail in zip(self.lasts, self.tails, strict=True)]
        self.learnable = [
            float(a["weight"][:end].count_nonzero()) for a, end in zip(self.arrays, self.ends, strict=True)
        ]

    @property
    def enough(self) -> bool:
        """Whether there are rows enough to learn from, and some after them to validate on."""
        return sum(self.learnable) >= FEWEST_ORIGINS

    def draw(self, epoch: int, index: int) -> Batch:
        """A batch of random windows: a function of the seed, the epoch and the index."""
        rng = numpy.random.default_rng([self.config.training.seed, epoch, index])
        share = numpy.asarray(self.learnable) / sum(self.learnable)
        rows = [
            self._window(int(which), rng) for which in rng.choice(len(share), self.config.training.batch_size, p=share)
        ]
        return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}

    def validation(self) -> list[Batch]:
        """The held-out tail of each series, with rows before it to warm the state up. No target is in training."""
        batches = []
        for arrays, last, tail in zip(self.arrays, self.lasts, self.tails, strict=True):
            start, first = max(0, last - tail - 2 * self.config.window), max(0, last - tail)
            if last > first and arrays["weight"][first:last].any():
                batch = {name: array[start:last][None].clone() for name, array in arrays.items()}
                batch["weight"][:, : first - start] = 0
                batches.append(batch)
        return batches

    def _window(self, which: int, rng: numpy.random.Generator) -> Batch:
        """One window, zero-padded after its end where the series is shorter."""
        length, end = self.config.window, self.ends[which]
        start = int(rng.integers(0, max(1, end - length + 1)))
        cut = {name: array[start : min(start + length, end)] for name, array in self.arrays[which].items()}
        window = {name: torch.cat([a, a.new_zeros(length - len(a), *a.shape[1:])]) for name, a in cut.items()}
        if start:
            window["weight"][:WARM_UP] = 0  # the state starts from zero here
        return window


def _tensors(encoded: Encoded) -> Batch:
    target, weight = encoded.targets()
    arrays = {
        "features": encoded.features,
        "highway": numpy.clip(encoded.highway, -WILD, WILD),
        "season": encoded.season,
        "target": target,
        "weight": weight,
    }
    return {name: torch.from_numpy(array.astype(numpy.float32)) for name, array in arrays.items()}


def _over(a: Floats, b: Floats) -> Floats:
    """a / b, and 0 where b is 0: where nothing has moved yet, nothing is known of the scale."""
    shape = numpy.broadcast_shapes(a.shape, b.shape)
    result: Floats = numpy.divide(a, b, out=numpy.zeros(shape), where=numpy.broadcast_to(b, shape) > 0)
    return result
