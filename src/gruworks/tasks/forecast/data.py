"""Training windows of the encoder: features, components and targets, all causal and scale-free.

Rows of all series stand behind one another in flat arrays; a window is an index into them, cut when it is drawn. What
a row needs for every step ahead (components, target) is formed then, so that nothing is held K times.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

from gruworks.tasks.forecast.config import Config
from gruworks.tasks.forecast.features.difference_ar import cumulative_response, ratio
from gruworks.tasks.forecast.features.encoding import Codec, Encoding, components, encoding
from gruworks.tasks.forecast.features.seasonality import season_basis
from gruworks.tasks.forecast.series.panel import Series

__all__ = ["FEWEST_ORIGINS", "Batch", "Encoded", "Windows", "encode", "split_rows"]

Floats = NDArray[numpy.float64]
Ints = NDArray[numpy.int64]
Batch = dict[str, Tensor]

FEWEST_ORIGINS = 32  # with fewer rows to learn from, the autoregression on differences answers alone
WARM_UP = 16  # rows until scale and slope have settled; nothing is learnt from them
WILD = 1e3  # an autoregression beyond so many scales (a slope above 1 far ahead) teaches nothing
MOST_VALIDATED = 20_000  # rows of validation; more would not tell more and take the time of a fit


@dataclass(frozen=True)
class Encoded:
    """One series as the encoder reads it, N rows of it; each row knows only the past up to its own step.

    features [N, I]; y, the last value seen, and scale [N] in its units; slope [N]; season_state [N, 1 + F] and basis
    [1 + F, K]; observed [N]; ahead [N + K, C], the covariates known beforehand; gaps [N], steps since the row before
    where timestamps are irregular; lag, by which the seasonal component looks back instead.
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
    """Features and components of one series."""
    y, observed, positions = series.filled(), series.observed, codec.frequency.positions(series.timestamps)
    own = encoding(codec, y, positions, observed)
    return Encoded(
        numpy.concatenate([own.features, codec.side_features(series)], 1), y, own.scale, own.slope, own.season_state,
        season_basis(list(codec.seasons), horizon), observed, codec.ahead_features(series, horizon),
        codec.gaps(series.timestamps), codec.lag,
    )  # fmt: skip


def split_rows(rows: int, horizon: int, share: float) -> tuple[int, int, int]:
    """(end, first, last): origins before `end` are learnt from, those from `first` to before `last` validate.

    No target of a learnt origin lies among the targets of validation.
    """
    last = rows - horizon
    first = last - max(horizon, round(share * rows))
    return max(0, first - horizon), max(0, first), max(0, last)


class Windows:
    """Training and validation batches over encoded series; windows are cut when drawn, never stored.

    With `whole` the held-out rows are learnt from too.
    """

    def __init__(self, encoded: Iterable[Encoded], config: Config, whole: bool = False) -> None:
        self.config = config
        parts: dict[str, list[Tensor]] = {}
        self.lengths, splits = [], []
        for one in encoded:  # one at a time: in float64 all of them take four times the room of what is kept
            self.lengths.append(len(one.y))
            splits.append(split_rows(len(one.y), config.horizon, config.validation))
            for name, array in _kept(one, splits[-1][2]).items():
                parts.setdefault(name, []).append(array)
        self.offsets = numpy.concatenate([[0], numpy.cumsum(self.lengths)]).astype(numpy.int64)
        self.ends, self.firsts, self.lasts = (list(part) for part in zip(*splits, strict=True))
        if whole:
            self.ends = self.lasts
        self.basis, self.lag = torch.from_numpy(one.basis.astype(numpy.float32)), one.lag
        found = {name: torch.cat(parts.pop(name)) for name in list(parts)}
        self.y, self.scale, self.weight, self.observed = (found.pop(n) for n in ("y", "scale", "weight", "observed"))
        self.ahead = found.pop("ahead") if one.ahead.size else None  # K rows more a series than the rest
        self.arrays = {name: found[name] for name in ("features", "slope", "season_state", "gaps")}
        self.learnable = [
            float(self.weight[at : at + end].count_nonzero()) for at, end in zip(self.offsets, self.ends, strict=False)
        ]
        self.share = numpy.asarray(self.learnable) / max(1.0, sum(self.learnable))

    @property
    def enough(self) -> bool:
        """True where there are rows enough to train on, and some after them to validate on."""
        return sum(self.learnable) >= FEWEST_ORIGINS

    def draw(self, epoch: int, index: int) -> Batch:
        """A batch of random windows: a function of the seed, the epoch and the index."""
        rng = numpy.random.default_rng([self.config.training.seed, epoch, index])
        which = rng.choice(len(self.share), self.config.training.batch_size, p=self.share)
        length, ends = self.config.window, numpy.asarray(self.ends)[which]
        starts = numpy.array([rng.integers(0, max(1, end - length + 1)) for end in ends])
        batch = self._cut(which, starts, numpy.minimum(starts + length, ends), length)
        batch["weight"][torch.from_numpy(starts > 0), :WARM_UP] = 0  # the state starts from zero here
        return batch

    def validation(self) -> list[Batch]:
        """The held-out tail of each series, with rows before it to warm the state up. No target is in training."""
        batches, room = [], MOST_VALIDATED
        order = numpy.random.default_rng(self.config.training.seed).permutation(len(self.lengths))
        for which in map(int, order if len(order) > 1 else [0]):
            last, first = self.lasts[which], self.firsts[which]
            start = max(0, first - 2 * self.config.window)
            at = int(self.offsets[which])
            if room > 0 and last > first and self.weight[at + first : at + last].any():
                batch = {name: array[None] for name, array in self.rows(which, start, last).items()}
                batch["weight"][:, : first - start] = 0
                batches.append(batch)
                room -= last - first
        return batches

    def rows(self, which: int, start: int, stop: int) -> Batch:
        """Rows `start` to `stop` of a series as the network and its loss take them."""
        batch = self._cut(numpy.array([which]), numpy.array([start]), numpy.array([stop]), stop - start)
        return {name: array[0] for name, array in batch.items()}

    def _cut(self, which: Ints, starts: Ints, stops: Ints, length: int) -> Batch:
        """Windows [B, length] of the series `which` [B], all at once; what lies behind a window's stop is 0."""
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
        """The components [B, T, K] of the rows `row` [B, T] of series that begin at `begin` [B, 1]."""

        def values(rows: Tensor) -> Tensor:
            return self.y[begin.reshape(-1, *[1] * (rows.ndim - 1)) + rows]

        change, seasonal = components(own, self.basis, self.lag, values, row, torch)
        return (change if self.lag else change.clamp(-WILD, WILD)).float(), seasonal.float()


def _weights(one: Encoded, last: int) -> Floats:
    """Each row's weight in the loss [N]: 0 where its target lies beyond the end or its scale can't be told.

    The weight brings errors back to the units of the series, over its last scale, so that an early step with a tiny
    scale can't rule the fit.
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
    names = ("features", "slope", "season_state", "gaps", "ahead")
    arrays = exact | {name: getattr(one, name).astype(numpy.float32) for name in names}
    return {name: torch.from_numpy(numpy.ascontiguousarray(array)) for name, array in arrays.items()}
