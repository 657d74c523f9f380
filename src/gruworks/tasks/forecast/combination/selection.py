"""Choice of the weights of a combination by rolling origins inside the history, and calibration of its intervals.

The statistical members are weighted on the validation rows or, where these are few or there is no network, on origins
in the last half of a series; the network's weight is chosen on the validation rows that didn't choose its weights.
Intervals are calibrated on errors of combinations whose weights were chosen on other origins.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy
from numpy.typing import NDArray

from gruworks.tasks.forecast.combination.blending import UNSEEN, Blend, Judged, fit_blends, fit_references
from gruworks.tasks.forecast.combination.bounds import fit_bounds
from gruworks.tasks.forecast.combination.conformal import calibrate
from gruworks.tasks.forecast.combination.predictor import Member, Predictor, smoothers_of
from gruworks.tasks.forecast.data import split_rows, weighed_from
from gruworks.tasks.forecast.decoding import recent_scale
from gruworks.tasks.forecast.features.difference_ar import causal_scale
from gruworks.tasks.forecast.features.naive import naive_forecasts, naive_names
from gruworks.tasks.forecast.features.smoothing import (
    FEWEST_SMOOTHED,
    LONGEST_SEASON,
    SMOOTHERS,
    Smoother,
    season_length,
)
from gruworks.tasks.forecast.series.panel import Series

__all__ = ["FEWEST_COMBINED", "fit_combination"]

Floats = NDArray[numpy.float64]
Ints = NDArray[numpy.int64]
MOST_JUDGED = 20_000  # forecasts that weights and calibration are computed from
FEWEST_JUDGED = 200  # of one series, where it has so many
MOST_ORIGINS = 200  # of one series, that statistical members are weighted by
MOST_SMOOTHED = 60  # series of a panel, up to which the smoothing methods are members
WIDTH_WEIGHTS = (1.0, 0.5, 0.0)  # of the network's interval widths, that are tried
LEAST_WIDTH_GAIN = 0.02  # of the interval score, from which another weight than 1 is taken
MOST_REESTIMATED = 20  # series, up to which the smoothing methods are estimated again on all rows
RECENT_HORIZONS = 4  # that the validation rows hold, from which statistical members are weighted on them alone
FEWEST_COMBINED = 8  # rows of the longest series, below which the autoregression on differences answers alone


def fit_combination(predictor: Predictor, panel: list[Series], unseen: bool = False) -> None:
    """Set combination, bounds and calibration of a predictor from rolling origins in `panel`.

    Args:
        unseen: True where the network has seen none of these series.
    """
    config = predictor.config
    predictor.bounds = fit_bounds(panel, predictor.codec, config.min, config.max)
    if predictor.model is None and (not config.blend or max(map(len, panel)) < FEWEST_COMBINED):
        return
    judges = [
        one for one in (_Judge(predictor, panel, w, unseen) for w in _chosen(predictor, len(panel))) if one.usable
    ]
    if not judges:
        return
    halves: list[list[Blend]] = []
    if config.blend:
        names = list(dict.fromkeys(name for one in judges for name in one.names))
        references = _references(judges, names)
        blends = references
        if predictor.model is not None:
            blends = fit_blends([one.held for one in judges], references)
            halves = [fit_blends([one.held.part(one.half(h)) for one in judges], references) for h in (0, 1)]
        else:
            halves = [_references(judges, names, h) for h in (0, 1)]
        predictor.blend = blends[-1]
        predictor.members = {
            (one.series.name, one.series.target): one.member(blend) for one, blend in zip(judges, blends, strict=False)
        }
    _calibrate(predictor, judges, halves)


def _chosen(predictor: Predictor, count: int) -> list[int]:
    """Numbers of the series that are judged, at most as many as `MOST_JUDGED` forecasts allow."""
    each = max(FEWEST_JUDGED, MOST_JUDGED // max(1, count))
    most = max(1, MOST_JUDGED // min(each, 20))
    order = numpy.random.default_rng(predictor.config.training.seed).permutation(count)[:most]
    return sorted(map(int, order))


def _references(judges: list[_Judge], names: list[str], half: int | None = None) -> list[Blend]:
    """The combinations of the statistical members, from all origins or those of one half."""
    judged = [one.wide if half is None else one.wide.part(one.half(half, one.wide)) for one in judges]
    return fit_references(judged, names, list(SMOOTHERS), judges[0].predictor.model is None)


class _Judge:
    """Forecasts of all members at the rolling origins of one series."""

    def __init__(self, predictor: Predictor, panel: list[Series], which: int, unseen: bool) -> None:
        self.predictor, self.series, self.which = predictor, panel[which], which
        config, series = predictor.config, self.series
        most = min(MOST_ORIGINS, max(20, MOST_JUDGED // len(panel)))
        self.rows = _origins(len(series), config.horizon, list(predictor.codec.lags(len(series)).values()), most)
        if predictor.model is not None:
            each = max(FEWEST_JUDGED, MOST_JUDGED // len(panel))
            held = _held_out(series, config, min(each, max(1, MOST_JUDGED // len(panel))), unseen)
            self.rows = self._recent(most) if len(held) else held
        self.scale = causal_scale(series.filled(), series.observed)
        self.usable = bool(len(self.rows)) and bool(self.scale[self.rows[0]] > 0) and self._has_truth(self.rows)
        if not self.usable:
            return
        plain = predictor.codec.irregular or not config.smoothing or len(panel) > MOST_SMOOTHED
        first = series.until(int(self.rows[0]) + 1)
        smooth = config.blend and not plain
        self.again = len(panel) <= MOST_REESTIMATED
        self.smoothers = smoothers_of(first, predictor.codec, config) if smooth else []
        self.evidence = 1.0 if not smooth or self._season(first) == self._season(series) else UNSEEN
        self.names = naive_names(predictor.codec, len(first), config.horizon, config.periods)
        if predictor.model is None:
            ours = predictor.engine.quantiles(None, series, self.rows, which)[..., 1]
            self.wide = self.held = self._judged(self.rows, ours)
            return
        self.wide = self._judged(self.rows, numpy.zeros((len(self.rows), config.horizon)))
        self.rows, self.quantiles = held, predictor.engine.quantiles(predictor.model, series, held, which)
        self.held = self._judged(held, self.quantiles[..., 1])
        self.names = [name for name in self.names if name in self.held.others]

    def _recent(self, most: int) -> Ints:
        """All validation origins, where they hold several horizons: the smoothing methods have not seen them."""
        rows = _held_out(self.series, self.predictor.config, most, True)
        return (
            rows if len(rows) and rows[-1] - rows[0] >= RECENT_HORIZONS * self.predictor.config.horizon else self.rows
        )

    def _judged(self, rows: Ints, ours: Floats) -> Judged:
        config, series = self.predictor.config, self.series
        others = naive_forecasts(series, self.predictor.codec, rows, config.horizon, config.periods)
        others |= {one.name: one.forecasts(series, rows, config.horizon) for one in self.smoothers}
        truth = _truth(series, rows, config.horizon)
        return Judged(ours, others, truth, self.scale[rows], self.evidence, float(rows[-1] - rows[0]))

    def _season(self, series: Series) -> int:
        """Season of the smoothing methods for these rows."""
        lags = self.predictor.codec.lags(len(series), self.predictor.config.periods)
        return season_length(series.filled(), list(lags.values()))

    def _has_truth(self, rows: Ints) -> bool:
        return not numpy.isnan(_truth(self.series, rows, self.predictor.config.horizon)).all()

    def half(self, which: int, judged: Judged | None = None) -> Ints:
        """Indices of the origins in the first or second half."""
        count = len((judged or self.held).truth)
        return numpy.array_split(numpy.arange(count), 2)[which] if count > 1 else numpy.arange(count)

    def member(self, blend: Blend) -> Member:
        """The combination with its smoothers, estimated on all rows."""
        wanted: list[Smoother] = []
        if blend.smoothing:
            predictor = self.predictor
            known = smoothers_of(self.series, predictor.codec, predictor.config) if self.again else self.smoothers
            wanted = [one for one in known if one.name in blend.smoothing]
        begun = self.series.timestamps[wanted[0].begin] if wanted else None
        return Member(blend, wanted, begun)

    def combined(self, blend: Blend) -> Floats:
        """Low, median and high [O, K, 3] at the origins by a combination, before calibration."""
        held, model = self.held, self.predictor.model is not None
        if model:
            found = self.quantiles
        else:
            width = recent_scale(self.series, self.rows, self.predictor.codec)[:, None]
            found = numpy.stack([held.ours - width, held.ours, held.ours + width], -1)
        if blend.weight < 1:
            found = numpy.asarray(blend.quantiles(found, held.others[blend.naive], held.others))
        return numpy.asarray(blend.with_widths(found, held.scale[:, None]))


class _Half(NamedTuple):
    """Forecasts [O, K, 3] and true values [O, K] at one half of the origins of a series, and their unit."""

    which: int
    found: Floats
    truth: Floats
    scale: float


def _calibrate(predictor: Predictor, judges: list[_Judge], halves: list[list[Blend]]) -> None:
    """Set widths and calibration by the errors at each half of the origins, combined as the other half chose."""
    tried = WIDTH_WEIGHTS if predictor.model is not None else (1.0,)
    made = {weight: _halves(predictor, judges, halves, weight) for weight in tried}
    weight = _width_weight(made)
    predictor.blend = replace(predictor.blend, width_weight=weight)
    predictor.members = {
        key: replace(one, blend=replace(one.blend, width_weight=weight)) for key, one in predictor.members.items()
    }
    predictor.calibration = calibrate([one.found for one in made[weight]], [one.truth for one in made[weight]])


def _halves(predictor: Predictor, judges: list[_Judge], halves: list[list[Blend]], weight: float) -> list[_Half]:
    """The halves of all series, with the network's widths at this weight."""
    made = []
    for at, one in enumerate(judges):
        for half in (0, 1) if len(one.held.truth) > 1 else (0,):
            rows, blend = one.half(half), halves[1 - half][at] if halves else predictor.blend
            found = one.combined(replace(blend, width_weight=weight))[rows]
            made.append(_Half(half, found, one.held.truth[rows], float(one.held.scale[rows].mean())))
    return made


def _width_weight(made: dict[float, list[_Half]]) -> float:
    """The weight of the network's widths whose intervals, calibrated on the other half, have the least score.

    Widths that vary without telling the size of the error make calibrated intervals far too wide at some times: where
    they were 0 to the errors of one half, the largest of the other half are multiplied by as much.
    """
    scores = {weight: _interval_score(halves) for weight, halves in made.items()}
    if len(scores) == 1 or not numpy.isfinite(scores[1.0]):
        return 1.0
    best = min(scores, key=lambda weight: numpy.nan_to_num(scores[weight], nan=numpy.inf))
    return best if scores[best] < (1 - LEAST_WIDTH_GAIN) * scores[1.0] else 1.0


def _interval_score(halves: list[_Half]) -> float:
    """Mean score of the 80 % intervals of each half by the other half's calibration, in units of the scale."""
    scores = []
    for which in (0, 1):
        others = [one for one in halves if one.which != which]
        if not others:
            return numpy.nan
        calibration = calibrate([one.found for one in others], [one.truth for one in others])
        for one in (one for one in halves if one.which == which and one.scale > 0):
            low, high = numpy.moveaxis(calibration.quantiles(one.found, [0.1, 0.9]), -1, 0)
            missed = numpy.maximum(low - one.truth, 0) + numpy.maximum(one.truth - high, 0)
            scores.append((high - low + 2 / 0.2 * missed) / one.scale)
    known = [one[~numpy.isnan(one)].mean() for one in scores if not numpy.isnan(one).all()]
    return float(numpy.mean(known)) if known else numpy.nan


def _origins(rows: int, horizon: int, lags: list[int], most: int) -> Ints:
    """Origins [O] in the last half of a series or, if it is short, after two of its seasons; targets may be missing."""
    first = rows // 2
    for lag in sorted(one for one in lags if one <= LONGEST_SEASON):
        for need in (lag + 1, 2 * lag + FEWEST_SMOOTHED):
            if first < need <= rows - 1 - min(horizon, lag) // 2:
                first = need
    last = rows - horizon if rows - horizon - first >= 2 * horizon else rows - 1
    found = numpy.arange(max(2, min(first, last - 1)), last)
    return found[numpy.unique(numpy.linspace(0, len(found) - 1, min(len(found), most)).astype(numpy.int64))]


def _truth(series: Series, origins: Ints, horizon: int) -> Floats:
    """True values after each origin, [O, K]; NaN beyond the end."""
    padded = numpy.concatenate([series.y, numpy.full(horizon, numpy.nan)])
    return numpy.asarray(padded[origins[:, None] + numpy.arange(1, horizon + 1)])


def _held_out(series: Series, config: Any, most: int, unseen: bool) -> Ints:
    """Validation origins [O] that didn't choose the network's weights, evenly spread if more than `most`."""
    _, first, last = split_rows(len(series), config.horizon, config.validation)
    first = first if unseen else weighed_from(first, last, config)
    rows = numpy.arange(max(first, 2), last)
    if len(rows) <= most:
        return rows
    return rows[numpy.unique(numpy.linspace(0, len(rows) - 1, most).astype(numpy.int64))]
