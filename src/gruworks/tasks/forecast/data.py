"""From series to what the encoder reads: features, highway, season path and targets, all causal and scale-free.

Rows of all series stand behind one another in flat arrays; a window is an index into them, cut when it is drawn. What
a row needs for every step ahead (highway, season, target) is formed then, so that nothing is held K times.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

from gruworks.tasks.forecast.config import Config
from gruworks.tasks.forecast.features.difference_ar import causal_scale, causal_slope, differences, path
from gruworks.tasks.forecast.features.encoding import Codec
from gruworks.tasks.forecast.features.seasonality import coefficients, fourier, season_basis, season_state
from gruworks.tasks.forecast.series.panel import Series

__all__ = ["FEWEST_ORIGINS", "Batch", "Encoded", "Windows", "encode", "lagged_steps", "seasons_ahead", "split_rows"]

Floats = NDArray[numpy.float64]
Ints = NDArray[numpy.int64]
Batch = dict[str, Tensor]

FEWEST_ORIGINS = 32  # with fewer rows to learn from, the highway answers alone
WARM_UP = 16  # rows until scale and slope have settled; nothing is learnt from them
WILD = 1e3  # a highway beyond so many scales (a slope above 1 far ahead) teaches nothing
MOST_VALIDATED = 20_000  # rows of validation; more would not tell more and take the time of a fit


@dataclass(frozen=True)
class Encoded:
    """One series as the encoder reads it, N rows of it; each row knows only the past up to its own step.

    features [N, I]; y, the last value seen, and scale [N] in its units; slope [N]; seasonal [N, 1 + F] and basis
    [1 + F, K], whose product is the season path; observed [N]; ahead [N + K, C], the covariates known beforehand;
    gaps [N], steps since the row before where stamps are irregular; lag, by which the season path looks back instead.
    """

    features: Floats
    y: Floats
    scale: Floats
    slope: Floats
    seasonal: Floats
    basis: Floats
    observed: NDArray[numpy.bool_]
    ahead: Floats
    gaps: Floats = field(default_factory=lambda: numpy.zeros(0))
    lag: int = 0

    @property
    def horizon(self) -> int:
        return int(self.basis.shape[1])

    def highway(self, rows: Any = slice(None)) -> Floats:
        """What the AR(1) on differences would add to y, [.., K], in units of the scale.

        With a lag it is what the level has moved since one season before, to be added to the season path.
        """
        if self.lag:
            at = numpy.arange(len(self.y))[rows]
            moved = (self.y[at] - self.y[numpy.maximum(at - self.lag, 0)]) * (at >= self.lag)
            return _over(moved, self.scale[at])[:, None] * seasons_ahead(self.horizon, self.lag)
        moves = self.features[rows, 0]
        with numpy.errstate(over="ignore"):  # never 0 · ∞: after a step of zero the slope is 1 at most
            return numpy.asarray(moves[:, None] * path(self.slope[rows], self.horizon))

    def season(self, rows: Any = slice(None)) -> Floats:
        """What the climatology, or the season before, would add to y, [.., K], in units of the scale."""
        if self.lag:
            at = numpy.arange(len(self.y))[rows]
            before = numpy.maximum(at[:, None] + lagged_steps(self.horizon, self.lag), 0)
            moved = (self.y[before] - self.y[at, None]) * (at >= self.lag)[:, None]
            return _over(moved, self.scale[at, None])
        return numpy.asarray(self.seasonal[rows] @ self.basis)


def encode(series: Series, codec: Codec, horizon: int) -> Encoded:
    """Features, highway and season path of one series."""
    y, observed = series.filled(), series.observed
    scale = causal_scale(y, observed)
    moves = _over(differences(y), scale)
    positions = codec.frequency.positions(series.stamps)
    basis, seasonal, season_features = _seasonal(y, observed, scale, positions, codec, horizon)
    features = [moves[:, None], *season_features, codec.side_features(series, y, scale)]
    ahead = codec.ahead_features(series, horizon)
    gaps = codec.gaps(series.stamps)
    return Encoded(
        numpy.concatenate(features, 1), y, scale, causal_slope(y), seasonal, basis, observed, ahead, gaps, codec.lag
    )


def _seasonal(
    y: Floats, observed: Any, scale: Floats, positions: Floats, codec: Codec, horizon: int
) -> tuple[Floats, Floats, list[Floats]]:
    """The season path's basis and states, and the features that tell of it: anomaly, whether known, the waves."""
    seasons = list(codec.seasons)
    basis = season_basis(seasons, horizon)
    if not seasons:
        return basis, numpy.zeros((len(y), 1)), []
    waves = fourier(positions, seasons)
    fitted = coefficients(y, waves, observed)
    known = (positions - positions[0] >= max(s.period for s in seasons)).astype(numpy.float64)
    state = season_state(fitted, waves)
    state[:, 0] -= y
    state = _over(state, scale[:, None]) * known[:, None]
    here = state[:, 0] + state[:, 1::2].sum(1)
    return basis, state, [-here[:, None], known[:, None], waves]


def lagged_steps(horizon: int, lag: int) -> NDArray[numpy.int64]:
    """Where the value one season (or as many as it takes) before each step ahead stands, from the origin: [K], ≤ 0."""
    return numpy.arange(1, horizon + 1) - lag * seasons_ahead(horizon, lag)


def seasons_ahead(horizon: int, lag: int) -> NDArray[numpy.int64]:
    """How many seasons lie between each step ahead and the value that the season path takes for it: [K]."""
    return -(-numpy.arange(1, horizon + 1) // lag)


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
        self.arrays = {name: found[name] for name in ("features", "slope", "seasonal", "gaps")}
        self.learnable = [
            float(self.weight[at : at + end].count_nonzero()) for at, end in zip(self.offsets, self.ends, strict=False)
        ]
        self.share = numpy.asarray(self.learnable) / max(1.0, sum(self.learnable))

    @property
    def enough(self) -> bool:
        """Whether there are rows enough to learn from, and some after them to validate on."""
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
        batch["highway"], batch["season"] = self._paths(batch.pop("slope"), batch.pop("seasonal"), batch, begin, row)
        ahead = torch.minimum(at[..., None] + torch.arange(1, K + 1), last)
        moved, scale = self.y[ahead] - self.y[at, None], self.scale[at, None]
        target = torch.where(scale > 0, moved / scale.clamp(min=1e-300), 0.0)
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

    def _paths(
        self, slope: Tensor, seasonal: Tensor, batch: Batch, begin: Tensor, row: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Highway and season path [B, T, K] of the rows `row` [B, T] of series that begin at `begin` [B, 1]."""
        if self.lag:
            return self._lagged(begin, row)
        powers = (slope[..., None].double() ** torch.arange(1, self.config.horizon + 1)).cumsum(-1)
        return (batch["features"][..., :1] * powers).clamp(-WILD, WILD).float(), seasonal @ self.basis

    def _lagged(self, begin: Tensor, row: Tensor) -> tuple[Tensor, Tensor]:
        """The two paths of `Encoded` with a lag."""
        K, at = self.config.horizon, begin + row
        here, scale = self.y[at, None], self.scale[at, None]
        known, scale = (scale > 0) & (row >= self.lag)[..., None], scale.clamp(min=1e-300)
        since = here - self.y[begin + (row - self.lag).clamp(min=0), None]
        before = (row[..., None] + torch.from_numpy(lagged_steps(K, self.lag))).clamp(min=0)
        moved = torch.where(known, self.y[begin[..., None] + before] - here, 0.0) / scale
        drift = torch.where(known, since, 0.0) / scale * torch.from_numpy(seasons_ahead(K, self.lag))
        return drift.float(), moved.float()


def _weights(one: Encoded, last: int) -> Floats:
    """Each row's weight in the loss [N]: 0 where its target lies beyond the end or its scale can't be told.

    The weight brings errors back to the units of the series, over its last scale, so that an early step with a tiny
    scale can't rule the fit.
    """
    N = len(one.y)
    with numpy.errstate(over="ignore", invalid="ignore"):
        highest = numpy.abs(one.features[:, 0] * path(one.slope, one.horizon)[:, -1])
    usable = (numpy.arange(N) < last) & (one.scale > 0) & (highest < WILD)
    usable[: min(WARM_UP, N // 4)] = False
    return numpy.where(usable, one.scale / max(one.scale[-1], numpy.finfo(numpy.float64).tiny), 0.0)


def _kept(one: Encoded, last: int) -> dict[str, Tensor]:
    """What windows are cut from, row by row: levels in float64, what is in units of the scale in float32."""
    exact = {"y": one.y, "scale": one.scale, "weight": _weights(one, last), "observed": one.observed}
    names = ("features", "slope", "seasonal", "gaps", "ahead")
    arrays = exact | {name: getattr(one, name).astype(numpy.float32) for name in names}
    return {name: torch.from_numpy(numpy.ascontiguousarray(array)) for name, array in arrays.items()}


def _over(a: Floats, b: Floats) -> Floats:
    """a / b, and 0 where b is 0: where nothing has moved yet, nothing is known of the scale."""
    shape = numpy.broadcast_shapes(a.shape, b.shape)
    result: Floats = numpy.divide(a, b, out=numpy.zeros(shape), where=numpy.broadcast_to(b, shape) > 0)
    return result
