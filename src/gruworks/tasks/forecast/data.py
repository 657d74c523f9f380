"""Encoded series, the choice of their seasonal component, and training windows: causal and in units of the scale.

The rows of all series are concatenated in flat arrays, and a window is a range of indices. Components and targets,
which have K values a row, are computed when a window is drawn, so that nothing is stored K times.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

from gruworks.tasks.forecast.config import Config
from gruworks.tasks.forecast.features.difference_ar import cumulative_response, ratio
from gruworks.tasks.forecast.features.encoding import Codec, Encoding, components, encoding
from gruworks.tasks.forecast.features.seasonality import lagged_steps, season_basis
from gruworks.tasks.forecast.series.panel import Panel, Series

__all__ = [
    "FEWEST_ORIGINS", "Batch", "Encoded", "Windows", "encode", "float32", "split_rows", "weighed_from",
    "with_seasonal_lag",
]  # fmt: skip

Floats = NDArray[numpy.float64]
Ints = NDArray[numpy.int64]
Batch = dict[str, Tensor]

FEWEST_ORIGINS = 32  # training rows, below which no network is fitted
WARM_UP = 16  # rows until scale and slope have settled: they have no weight in the loss
WILD = 1e3  # rows whose autoregression exceeds so many scales (a slope above 1 far ahead) have no weight either
MOST_VALIDATED = 20_000  # validation rows
MOST_SERIES, MOST_ORIGINS = 100, 50  # that the seasonal component is chosen by
STOPPING = 1 / 3  # share of the validation rows that early stopping reads, the first ones; the rest weigh the network
CLEARLY = 0.9  # largest ratio of a lag's error to the climatology's for which the lag is chosen


def float32(array: NDArray[Any]) -> Tensor:
    """A float32 tensor of an array's values."""
    return torch.from_numpy(array.astype(numpy.float32))


@dataclass(frozen=True)
class Encoded:
    """Inputs of the encoder for the N rows of one series; each row depends on the rows up to its own only.

    features [N, I]; y [N], forward-filled, and its scale [N]; slope [N]; season_state [N, 1 + F] and basis [1 + F, K];
    observed [N]; ahead [N + K, C], the future covariates; gaps [N], steps since the row before where timestamps are
    irregular; lag, the season's steps where the seasonal component is the values one season ago.
    """

    features: Floats
    y: Floats
    scale: Floats
    slope: Floats
    season_state: Floats
    basis: Floats
    observed: NDArray[numpy.bool_]
    ahead: Floats
    gaps: Floats
    lag: int = 0

    @property
    def horizon(self) -> int:
        return int(self.basis.shape[1])

    def components(self, rows: Any = slice(None)) -> tuple[Floats, Floats]:
        """Autoregression on differences and seasonal component at `rows`, each [.., K]; see `encoding.components`."""
        found = Encoding(self.features[rows], self.scale[rows], self.slope[rows], self.season_state[rows])
        return components(found, self.basis, self.lag, self.y.__getitem__, numpy.arange(len(self.y))[rows])


def encode(series: Series, codec: Codec, horizon: int) -> Encoded:
    """Features and components of one series for a forecast of `horizon` steps."""
    y, observed, positions = series.filled(), series.observed, codec.frequency.positions(series.timestamps)
    own = encoding(codec, y, positions, observed)
    return Encoded(
        numpy.concatenate([own.features, codec.side_features(series)], 1), y, own.scale, own.slope, own.season_state,
        season_basis(list(codec.seasons), horizon), observed, codec.ahead_features(series, horizon),
        codec.gaps(series.timestamps), codec.lag,
    )  # fmt: skip


def split_rows(rows: int, horizon: int, share: float) -> tuple[int, int, int]:
    """Bounds (end, first, last) of training origins [0, end) and validation origins [first, last).

    No target of a training origin is a target of validation. `share` is that of the validation rows.
    """
    last = rows - horizon
    first = last - max(horizon, round(share * rows))
    return max(0, first - horizon), max(0, first), max(0, last)


def weighed_from(first: int, last: int, config: Config) -> int:
    """First validation origin that is kept from early stopping, for the network's weight in the combination.

    All validation origins serve both where they are few.
    """
    stopping = round(STOPPING * (last - first))
    return first + stopping if config.blend and last - first - stopping >= 4 * config.horizon else first


def with_seasonal_lag(codec: Codec, panel: Panel, config: Config) -> Codec:
    """`codec` with the lag whose seasonal naive errors on held-out rows are clearly below the climatology's, if any."""
    shortest = min(len(series) for series in panel.series)
    lags = list(codec.lags(shortest - config.horizon, config.periods).values())
    if not config.season or config.model != "encoder" or codec.irregular or not lags:
        return codec
    chosen = numpy.random.default_rng(config.training.seed).permutation(len(panel.series))[:MOST_SERIES]
    errors = [_seasonal_errors(panel.series[which], codec, config, lags) for which in chosen]
    found = [one for one in errors if one is not None]
    if not found:
        return codec
    climatology, *of_lags = numpy.mean(found, 0)
    best = int(numpy.argmin(of_lags))
    return replace(codec, lag=lags[best]) if of_lags[best] < CLEARLY * climatology else codec


def _seasonal_errors(series: Series, codec: Codec, config: Config, lags: list[int]) -> list[float] | None:
    """Mean errors over the scale of the climatology (the last value where there is none) and of each lag."""
    _, first, last = split_rows(len(series), config.horizon, config.validation)
    if last - first < 1 or first < max(lags):
        return None
    rows = numpy.unique(numpy.linspace(first, last - 1, MOST_ORIGINS).astype(numpy.int64))
    encoded = encode(series, codec, config.horizon)
    y, scale = encoded.y, encoded.scale[rows[0]]
    if not scale > 0:
        return None
    truth = y[rows[:, None] + numpy.arange(1, config.horizon + 1)]
    forecasts = [y[rows, None] + encoded.scale[rows, None] * encoded.components(rows)[1]]
    forecasts += [y[rows[:, None] + lagged_steps(config.horizon, lag)] for lag in lags]
    return [float(numpy.abs(truth - one).mean() / scale) for one in forecasts]


class Windows:
    """Training and validation batches over encoded series, cut when they are drawn.

    `learnable` is the number of training rows of each series. With `whole` the held-out rows are trained on too.
    """

    def __init__(self, encoded: Iterable[Encoded], config: Config, whole: bool = False) -> None:
        self.config = config
        parts: dict[str, list[Tensor]] = {}
        self.lengths, splits = [], []
        for one in encoded:  # one at a time: in float64 all of them take four times the memory of what is kept
            self.lengths.append(len(one.y))
            splits.append(split_rows(len(one.y), config.horizon, config.validation))
            for name, array in _kept(one, splits[-1][2]).items():
                parts.setdefault(name, []).append(array)
        self.offsets = numpy.concatenate([[0], numpy.cumsum(self.lengths)]).astype(numpy.int64)
        self.ends, self.firsts, self.lasts = (list(part) for part in zip(*splits, strict=True))
        if whole:
            self.ends = self.lasts
        self.basis, self.lag = float32(one.basis), one.lag
        found = {name: torch.cat(parts.pop(name)) for name in list(parts)}
        self.y, self.scale, self.weight, self.observed = (found.pop(n) for n in ("y", "scale", "weight", "observed"))
        self.ahead = found.pop("ahead") if one.ahead.size else None  # K rows more a series than the rest
        self.arrays = {name: found[name] for name in ("features", "slope", "season_state", "gaps")}
        self.learnable = [
            float(self.weight[at : at + end].count_nonzero()) for at, end in zip(self.offsets, self.ends, strict=False)
        ]
        self.share = numpy.asarray(self.learnable) / max(1.0, sum(self.learnable))

    def draw(self, epoch: int, index: int) -> Batch:
        """A batch of random windows, a function of seed, epoch and index."""
        rng = numpy.random.default_rng([self.config.training.seed, epoch, index])
        which = rng.choice(len(self.share), self.config.training.batch_size, p=self.share)
        length, ends = self.config.window, numpy.asarray(self.ends)[which]
        starts = numpy.array([rng.integers(0, max(1, end - length + 1)) for end in ends])
        batch = self._cut(which, starts, numpy.minimum(starts + length, ends), length)
        batch["weight"][torch.from_numpy(starts > 0), :WARM_UP] = 0  # the state starts from zero here
        return batch

    def validation(self) -> list[Batch]:
        """A batch of the held-out rows of each series, after rows of weight 0 that warm the state up."""
        batches, room = [], MOST_VALIDATED
        order = numpy.random.default_rng(self.config.training.seed).permutation(len(self.lengths))
        for which in map(int, order if len(order) > 1 else [0]):
            last, first = self.lasts[which], self.firsts[which]
            weighed = weighed_from(first, last, self.config)
            last = weighed if weighed > first else last
            start = max(0, first - 2 * self.config.window)
            at = int(self.offsets[which])
            if room > 0 and last > first and self.weight[at + first : at + last].any():
                batch = {name: array[None] for name, array in self.rows(which, start, last).items()}
                batch["weight"][:, : first - start] = 0
                batches.append(batch)
                room -= last - first
        return batches

    def rows(self, which: int, start: int, stop: int) -> Batch:
        """Rows `start` to `stop` of a series as a batch without its first dimension."""
        batch = self._cut(numpy.array([which]), numpy.array([start]), numpy.array([stop]), stop - start)
        return {name: array[0] for name, array in batch.items()}

    def _cut(self, which: Ints, starts: Ints, stops: Ints, length: int) -> Batch:
        """Windows [B, length] of the series `which` [B], padded with 0 from `stops` [B] on."""
        K, steps = self.config.horizon, starts[:, None] + numpy.arange(length)
        beyond = torch.from_numpy(steps >= stops[:, None])
        row = torch.from_numpy(numpy.minimum(steps, stops[:, None] - 1))
        begin = torch.from_numpy(self.offsets[which])[:, None]
        at, last = begin + row, torch.from_numpy(self.offsets[which + 1])[:, None, None] - 1
        batch = {name: array[at] for name, array in self.arrays.items() if array.numel()}
        scale = self.scale[at]
        own = Encoding(batch["features"], scale, batch.pop("slope").double(), batch.pop("season_state"))
        batch["difference_ar"], batch["seasonal"] = self._components(own, begin, row)
        ahead = torch.minimum(at[..., None] + torch.arange(1, K + 1), last)
        target = ratio(self.y[ahead] - self.y[at, None], scale[..., None], torch)
        batch["weight"] = self.weight[at].float()
        target[batch["weight"] == 0] = 0
        target[~self.observed[ahead]] = torch.nan
        batch["target"] = target.float()
        if self.ahead is not None:
            known = (begin + K * torch.from_numpy(which)[:, None] + row)[..., None] + torch.arange(K + 1)
            batch["ahead"] = self.ahead[known]  # [B, T, K + 1, C]
        if beyond.any():
            for array in batch.values():
                array[beyond] = 0
        return batch

    def _components(self, own: Encoding, begin: Tensor, row: Tensor) -> tuple[Tensor, Tensor]:
        """Both components [B, T, K] of the rows `row` [B, T] of series that begin at `begin` [B, 1]."""

        def values(rows: Tensor) -> Tensor:
            return self.y[begin.reshape(-1, *[1] * (rows.ndim - 1)) + rows]

        change, seasonal = components(own, self.basis, self.lag, values, row, torch)
        return (change if self.lag else change.clamp(-WILD, WILD)).float(), seasonal.float()


def _weights(one: Encoded, last: int) -> Floats:
    """Weight of each row in the loss, [N]: its scale over the last one, so that early tiny scales don't dominate.

    0 where the target lies beyond the end or the scale is unknown.
    """
    N = len(one.y)
    with numpy.errstate(over="ignore", invalid="ignore"):
        highest = numpy.abs(one.features[:, 0] * cumulative_response(one.slope, one.horizon)[:, -1])
    usable = (numpy.arange(N) < last) & (one.scale > 0) & (highest < WILD)
    usable[: min(WARM_UP, N // 4)] = False
    return numpy.where(usable, one.scale / max(one.scale[-1], numpy.finfo(numpy.float64).tiny), 0.0)


def _kept(one: Encoded, last: int) -> dict[str, Tensor]:
    """Rows that windows are cut from: levels in float64, values in units of the scale in float32."""
    exact = {"y": one.y, "scale": one.scale, "weight": _weights(one, last), "observed": one.observed}
    scaled = {name: getattr(one, name) for name in ("features", "slope", "season_state", "gaps", "ahead")}
    kept = {name: torch.from_numpy(numpy.ascontiguousarray(array)) for name, array in exact.items()}
    return kept | {name: float32(array) for name, array in scaled.items()}
