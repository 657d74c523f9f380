"""Seasonal component of a forecast: a causal harmonic climatology, or the values one season ago; NumPy and torch.

The climatology is a least-squares fit of an intercept and the seasons' sines and cosines to y_0 ... y_t, updated at
each t from running sums, so that it is causal. A small ridge penalty on the harmonics alone makes it unique from the
first row on, and equivariant.

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
SHORT = 60  # steps, up to which a season is tested on differences: longer ones change too little in a step
CLEAR = 3.0  # F statistic from which a short season is used


def usable_seasons(seasons: list[Season], panel: list[tuple[Floats, Floats]]) -> list[Season]:
    """Seasons with two whole periods in the longest series that, if short, explain its differences.

    With fewer than two periods a season can't be distinguished from a trend, and an absent one only adds noise.

    Args:
        panel: values [N] and positions [N] of each series.
    """
    longest = max(len(y) for y, _ in panel)
    whole = [season for season in seasons if longest >= 2 * season.period]
    return [s for s in whole if s.period > SHORT or numpy.mean([_f_statistic(y, at, s) for y, at in panel]) > CLEAR]


def _f_statistic(y: Floats, positions: Floats, season: Season) -> float:
    """F statistic of a season's harmonics in a regression of the differences of y [N] at positions [N]."""
    d = numpy.diff(y)
    waves = fourier(positions[1:], [season])
    waves = waves[:, numpy.abs(waves).max(0) > 1e-9]  # the last sine of an even period is 0
    free = len(d) - 1 - waves.shape[1]
    if free < 1 or not d.any():
        return 0.0
    rows = _with_level(waves)
    rest = d - rows @ numpy.linalg.lstsq(rows, d)[0]
    unexplained = float(rest @ rest) / free
    explained = (float(((d - d.mean()) ** 2).sum()) - float(rest @ rest)) / waves.shape[1]
    return explained / unexplained if unexplained > 0 else float("inf")


def fourier(positions: Array, seasons: list[Season], xp: Any = numpy) -> Array:
    """Fourier terms: cosines and sines of all harmonics at positions [...] in steps, [..., F]."""
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
    """Coefficients of the climatology of y_0 ... y_t for each t, [..., N, 1 + F], from the `observed` rows.

    Args:
        waves: Fourier terms [..., N, F].
        solve: solver of positive definite systems; `xp.linalg.solve` if not given.
    """
    rows = _with_level(waves, xp)
    if observed is not None:
        rows = rows * observed[..., None]
    base = y[..., :1]  # sums of values far from 0 would lose digits
    squares = xp.cumsum(rows[..., :, None] * rows[..., None, :], -3)
    products = xp.cumsum(rows * (y - base)[..., None], -2)
    fitted = (solve or xp.linalg.solve)(squares + _ridge(rows.shape[-1], xp), products[..., None])[..., 0]
    return xp.concatenate([fitted[..., :1] + base[..., None], fitted[..., 1:]], -1)


def climatology(fitted: Array, waves: Array) -> Array:
    """Climatology [...] at Fourier terms [..., F], with coefficients [..., 1 + F] broadcast against them."""
    return fitted[..., 0] + (fitted[..., 1:] * waves).sum(-1)


def season_state(fitted: Array, waves: Array, xp: Any = numpy) -> Array:
    """Coefficients [..., N, 1 + F] of the climatology relative to the phase of each row.

    Each harmonic's two coefficients are rotated by the angle of the row, so that the product with `season_basis`, which
    is the same for all rows, is the climatology of the steps ahead.
    """
    a, b, cos, sin = fitted[..., 1::2], fitted[..., 2::2], waves[..., 0::2], waves[..., 1::2]
    turned = xp.stack([a * cos + b * sin, b * cos - a * sin], -1).reshape(waves.shape)
    return xp.concatenate([fitted[..., :1], turned], -1)


def season_basis(seasons: list[Season], horizon: int) -> Floats:
    """Intercept and Fourier terms 1 ... `horizon` steps after angle 0, [1 + F, horizon]."""
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
    """Season state of y - y_t over the scale, [..., N, 1 + F], 0 within the first season, and seasonal features.

    The features are the anomaly y_t less its climatology, 1 after the first whole season, and the Fourier terms, each
    [..., N, *].
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
    """Number of seasons from the value that is the seasonal component to each step ahead, [K]."""
    return -(-xp.arange(1, horizon + 1) // lag)


def lagged_steps(horizon: int, lag: int, xp: Any = numpy) -> Array:
    """Steps from the origin to the last known value in the phase of each step ahead, [K], at most 0."""
    return xp.arange(1, horizon + 1) - lag * seasons_ahead(horizon, lag, xp)


def moves_since_a_season(
    values: Callable[[Array], Array], rows: Array, scale: Array, lag: int, xp: Any = numpy
) -> Array:
    """Seasonal differences (y_t - y_{t-lag}) / s_t at `rows` [...], 0 at the first `lag` rows.

    Args:
        values: function from row numbers to the values of y.
        scale: scale of the rows [...].
    """
    moved = values(rows) - values(xp.clip(rows - lag, 0, None))
    return ratio(moved * (rows >= lag), scale, xp)


def lagged_component(
    values: Callable[[Array], Array], rows: Array, scale: Array, horizon: int, lag: int, xp: Any = numpy
) -> Array:
    """Values one season before each step ahead, less y_t and over s_t, [..., K]; see `moves_since_a_season`."""
    before = values(xp.clip(rows[..., None] + lagged_steps(horizon, lag, xp), 0, None))
    moved = (before - values(rows)[..., None]) * (rows >= lag)[..., None]
    return ratio(moved, scale[..., None], xp)


class RunningClimatology:
    """Climatology of `coefficients`, updated with each new row at a cost that doesn't depend on their number.

    The normal equations are relative to the phase of the last row and are rotated by the angles of one step with each
    new row. There the Fourier terms of a new row are those of angle 0, and the solution equals `season_state`.

    Args:
        y: values [N], none of them missing.
        positions: [N], a step apart.
        anomalies: keep the moments that the autoregression on anomalies is computed from.
    """

    def __init__(
        self, seasons: list[Season], y: Floats, positions: Floats, horizon: int, anomalies: bool = False
    ) -> None:
        self.longest = max(season.period for season in seasons)
        rows = _with_level(fourier(positions - positions[-1], seasons))
        self.base = y[0]
        self.squares = rows.T @ rows + _ridge(rows.shape[1])
        self.products = rows.T @ (y - self.base)
        self.basis = season_basis(seasons, horizon)
        self.wave = _with_level(fourier(positions[-1:], seasons))[0]
        self.new = numpy.zeros(rows.shape[1])
        self.new[0] = self.new[1::2] = 1.0  # Fourier terms of angle 0
        self.outer = numpy.outer(self.new, self.new)
        self.turn = numpy.eye(rows.shape[1])
        for i, (cos, sin) in enumerate(self.basis.T[0, 1:].reshape(-1, 2)):
            self.turn[1 + 2 * i : 3 + 2 * i, 1 + 2 * i : 3 + 2 * i] = [[cos, sin], [-sin, cos]]
        self.back = numpy.ascontiguousarray(self.turn.T)
        self.moments = Moments(rows, y - self.base, self.turn) if anomalies else None
        self._solve()

    def step(self, value: float, missing: bool) -> None:
        """Add a row; a `missing` value changes the phase alone."""
        self.squares = self.turn.dot(self.squares).dot(self.back)  # `dot` costs half of `@` at this size
        self.products = self.turn.dot(self.products)
        self.wave = self.back.dot(self.wave)
        if not missing:
            self.squares += self.outer
            self.products += self.new * (value - self.base)
        if self.moments is not None:
            self.moments.step(self.new, None if missing else value - self.base)
        self._solve()

    def _solve(self) -> None:
        self.state = numpy.linalg.solve(self.squares, self.products)
        self.state[0] += self.base
        self.here = float(self.state.dot(self.new))  # the climatology at the last row

    def ahead(self) -> Floats:
        """Climatology of the steps ahead, [horizon]."""
        return numpy.asarray(self.state.dot(self.basis))

    def anomaly_moments(self) -> tuple[float, float]:
        """Sums of the products at lag 1 and of the squares of the anomalies."""
        assert self.moments is not None
        of_row = numpy.append(-self.state, 1.0)
        of_row[0] += self.base
        return float(of_row @ self.moments.lagged @ of_row), float(of_row @ self.moments.same @ of_row)


class Moments:
    """Second moments of the Fourier terms and value of each row, with themselves and with those of the row before."""

    def __init__(self, rows: Floats, y: Floats, turn: Floats) -> None:
        joined = numpy.concatenate([rows, y[:, None]], 1)
        self.same, self.lagged = joined.T @ joined, joined[1:].T @ joined[:-1]
        self.turn = numpy.eye(len(turn) + 1)
        self.turn[:-1, :-1] = turn
        self.back = numpy.ascontiguousarray(self.turn.T)
        self.last: Floats | None = joined[-1]

    def step(self, terms: Floats, value: float | None) -> None:
        """Add a row; a missing one (None) changes the phase alone."""
        self.same = self.turn.dot(self.same).dot(self.back)
        self.lagged = self.turn.dot(self.lagged).dot(self.back)
        before = None if self.last is None else self.turn.dot(self.last)
        self.last = None if value is None else numpy.append(terms, value)
        if self.last is not None:
            self.same += numpy.outer(self.last, self.last)
            if before is not None:
                self.lagged += numpy.outer(self.last, before)


def _with_level(waves: Array, xp: Any = numpy) -> Array:
    """Fourier terms [..., F] after a column of ones, [..., 1 + F]."""
    return xp.concatenate([xp.ones((*waves.shape[:-1], 1), dtype=waves.dtype), waves], -1)


def _ridge(size: int, xp: Any = numpy) -> Array:
    """Ridge penalty: RIDGE on the diagonal, but 0 for the intercept."""
    return RIDGE * xp.eye(size) * (xp.arange(size) > 0)
