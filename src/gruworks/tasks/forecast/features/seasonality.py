"""Seasonal component of a forecast: a causal harmonic climatology, or the values one season ago; NumPy and torch.

The climatology is a least-squares fit of an intercept and the seasons' sines and cosines to y_0 ... y_t, renewed at
every t from running sums, so it is causal. A small ridge on the harmonics alone keeps it defined from the first row
on, and equivariant.

`xp` is numpy or torch; y and positions are [..., N], waves [..., N, F].
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
from numpy.typing import NDArray

from gruworks.tasks.forecast.features.difference_ar import ratio
from gruworks.tasks.forecast.series.frequency import Season

__all__ = [
    "RunningClimatology",
    "climatology",
    "climatology_state",
    "coefficients",
    "fourier",
    "lagged_component",
    "lagged_steps",
    "moves_since_a_season",
    "season_basis",
    "season_state",
    "seasons_ahead",
    "usable_seasons",
]

Array = Any  # numpy.ndarray or torch.Tensor
Floats = NDArray[numpy.float64]
RIDGE = 1.0
SHORT = 60  # steps; a longer season moves too little from step to step to be tested on differences
CLEAR = 3.0  # F statistic from which a short season is taken as there


def usable_seasons(seasons: list[Season], panel: list[tuple[Floats, Floats]]) -> list[Season]:
    """Those of which the longest series holds two whole periods, and which, if short, show in the differences.

    With fewer than two periods a season can't be told from a trend; one that isn't there only adds noise. `panel`
    holds each series' values [N] and positions [N].
    """
    longest = max(len(y) for y, _ in panel)
    whole = [season for season in seasons if longest >= 2 * season.period]
    return [s for s in whole if s.period > SHORT or numpy.mean([_f_statistic(y, at, s) for y, at in panel]) > CLEAR]


def _f_statistic(y: Floats, positions: Floats, season: Season) -> float:
    """Variance of the differences that the season's harmonics explain beyond as many random columns."""
    d = numpy.diff(y)
    waves = fourier(positions[1:], [season])
    waves = waves[:, numpy.abs(waves).max(0) > 1e-9]  # the last sine of an even period is nothing
    free = len(d) - 1 - waves.shape[1]
    if free < 1 or not d.any():
        return 0.0
    rows = _with_level(waves)
    rest = d - rows @ numpy.linalg.lstsq(rows, d)[0]
    unexplained = float(rest @ rest) / free
    explained = (float(((d - d.mean()) ** 2).sum()) - float(rest @ rest)) / waves.shape[1]
    return explained / unexplained if unexplained > 0 else float("inf")


def fourier(positions: Array, seasons: list[Season], xp: Any = numpy) -> Array:
    """Cosines and sines of every harmonic at positions [...] in steps: [..., 2 · harmonics]."""
    angles = [2 * numpy.pi * k * positions / s.period for s in seasons for k in range(1, s.harmonics + 1)]
    columns = [wave(angle) for angle in angles for wave in (xp.cos, xp.sin)]
    return xp.stack(columns, -1) if columns else positions[..., None][..., :0]


def coefficients(
    y: Array,
    waves: Array,
    observed: Array | None = None,
    xp: Any = numpy,
    solve: Callable[[Array, Array], Array] | None = None,
) -> Array:
    """The fit to y_0 ... y_t for every t: [..., N, 1 + F]; only `observed` rows count.

    `solve` is for positive definite systems [..., F, F] and [..., F, 1]; `xp.linalg.solve` where it isn't given.
    """
    rows = _with_level(waves, xp)
    if observed is not None:
        rows = rows * observed[..., None]
    base = y[..., :1]  # a level far from zero would cost digits in the sums
    squares = xp.cumsum(rows[..., :, None] * rows[..., None, :], -3)
    products = xp.cumsum(rows * (y - base)[..., None], -2)
    fitted = (solve or xp.linalg.solve)(squares + _ridge(rows.shape[-1], xp), products[..., None])[..., 0]
    return xp.concatenate([fitted[..., :1] + base[..., None], fitted[..., 1:]], -1)


def climatology(fitted: Array, waves: Array) -> Array:
    """The fit's value where the waves are [..., F]: coefficients [..., 1 + F] broadcast against them."""
    return fitted[..., 0] + (fitted[..., 1:] * waves).sum(-1)


def season_state(fitted: Array, waves: Array, xp: Any = numpy) -> Array:
    """The climatology of each row in the phase of that row: [..., N, 1 + F] from coefficients and waves.

    Its product with `season_basis` is the climatology of the steps ahead: a harmonic's two entries are turned back by
    the row's own angle, so that one basis serves all rows.
    """
    a, b, cos, sin = fitted[..., 1::2], fitted[..., 2::2], waves[..., 0::2], waves[..., 1::2]
    turned = xp.stack([a * cos + b * sin, b * cos - a * sin], -1).reshape(waves.shape)
    return xp.concatenate([fitted[..., :1], turned], -1)


def season_basis(seasons: list[Season], horizon: int) -> Floats:
    """The harmonics 1 ... `horizon` steps ahead of angle 0: [1 + F, horizon]."""
    return numpy.asarray(_with_level(fourier(numpy.arange(1.0, horizon + 1), seasons)).T)


def climatology_state(
    y: Array,
    scale: Array,
    positions: Array,
    seasons: list[Season],
    observed: Array | None = None,
    xp: Any = numpy,
    solve: Callable[[Array, Array], Array] | None = None,
) -> tuple[Array, list[Array]]:
    """The season state of y - y_t in units of the scale [..., N, 1 + F], 0 before a whole season, and its features.

    The features are the anomaly, 1 where a whole season has passed, and the waves, each [..., N, *].
    """
    waves = fourier(positions, seasons, xp)
    longest = max(season.period for season in seasons)
    known = xp.ones_like(y) * (positions - positions[..., :1] >= longest)
    state = season_state(coefficients(y, waves, observed, xp, solve), waves, xp)
    state = xp.concatenate([state[..., :1] - y[..., None], state[..., 1:]], -1)
    state = ratio(state, scale[..., None], xp) * known[..., None]
    anomaly = -(state[..., 0] + state[..., 1::2].sum(-1))
    return state, [anomaly[..., None], known[..., None], waves]


def seasons_ahead(horizon: int, lag: int, xp: Any = numpy) -> Array:
    """Number of seasons between each step ahead and the value that the seasonal component takes for it: [K]."""
    return -(-xp.arange(1, horizon + 1) // lag)


def lagged_steps(horizon: int, lag: int, xp: Any = numpy) -> Array:
    """Where the value one season (or as many as it takes) before each step ahead stands, from the origin: [K], ≤ 0."""
    return xp.arange(1, horizon + 1) - lag * seasons_ahead(horizon, lag, xp)


def moves_since_a_season(
    values: Callable[[Array], Array], rows: Array, scale: Array, lag: int, xp: Any = numpy
) -> Array:
    """(y_t - y_{t-lag}) / s_t at `rows`, 0 for the first `lag` rows; values(rows) looks y up, scale is that of rows."""
    moved = values(rows) - values(xp.clip(rows - lag, 0, None))
    return ratio(moved * (rows >= lag), scale, xp)


def lagged_component(
    values: Callable[[Array], Array], rows: Array, scale: Array, horizon: int, lag: int, xp: Any = numpy
) -> Array:
    """The values one season before each step ahead, less y_t and over s_t: [..., K]; arguments as above."""
    before = values(xp.clip(rows[..., None] + lagged_steps(horizon, lag, xp), 0, None))
    moved = (before - values(rows)[..., None]) * (rows >= lag)[..., None]
    return ratio(moved, scale[..., None], xp)


class RunningClimatology:
    """The least squares of `coefficients`, row by row: begun on y [N] at positions [N] a step apart, all observed.

    The normal equations are kept in the phase of the last row and turned by one step's angles with each new one: there
    a new row's waves are always those of angle 0, and the solution is `season_state` as it stands.
    """

    def __init__(self, seasons: list[Season], y: Floats, positions: Floats, horizon: int) -> None:
        self.longest = max(season.period for season in seasons)
        rows = _with_level(fourier(positions - positions[-1], seasons))
        self.base = y[0]
        self.squares = rows.T @ rows + _ridge(rows.shape[1])
        self.products = rows.T @ (y - self.base)
        self.basis = season_basis(seasons, horizon)
        self.wave = _with_level(fourier(positions[-1:], seasons))[0]
        self.new = numpy.zeros(rows.shape[1])
        self.new[0] = self.new[1::2] = 1.0  # the waves of angle 0
        self.outer = numpy.outer(self.new, self.new)
        self.turn = numpy.eye(rows.shape[1])
        for i, (cos, sin) in enumerate(self.basis.T[0, 1:].reshape(-1, 2)):
            self.turn[1 + 2 * i : 3 + 2 * i, 1 + 2 * i : 3 + 2 * i] = [[cos, sin], [-sin, cos]]
        self.back = numpy.ascontiguousarray(self.turn.T)
        self._solve()

    def step(self, value: float, missing: bool) -> None:
        """One more row; a `missing` one moves the phase alone."""
        self.squares = self.turn.dot(self.squares).dot(self.back)  # `dot` costs half of `@` at this size
        self.products = self.turn.dot(self.products)
        self.wave = self.back.dot(self.wave)
        if not missing:
            self.squares += self.outer
            self.products += self.new * (value - self.base)
        self._solve()

    def _solve(self) -> None:
        self.state = numpy.linalg.solve(self.squares, self.products)
        self.state[0] += self.base
        self.here = float(self.state.dot(self.new))  # the climatology at the last row

    def ahead(self) -> Floats:
        """The climatology of the steps ahead, [horizon]."""
        return numpy.asarray(self.state.dot(self.basis))


def _with_level(waves: Array, xp: Any = numpy) -> Array:
    """A column of ones before the waves."""
    return xp.concatenate([xp.ones((*waves.shape[:-1], 1), dtype=waves.dtype), waves], -1)


def _ridge(size: int, xp: Any = numpy) -> Array:
    """RIDGE on the diagonal but for the intercept."""
    return RIDGE * xp.eye(size) * (xp.arange(size) > 0)
