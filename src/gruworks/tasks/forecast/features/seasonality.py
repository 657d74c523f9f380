"""The season path: at every step, the harmonic climatology that the past up to there gives.

A least-squares fit of an intercept and the seasons' sines and cosines to y_0 ... y_t, renewed at every t from running
sums, so it is causal. A small ridge on the harmonics alone keeps it defined from the first row on, and equivariant.
"""

from __future__ import annotations

import numpy
from numpy.typing import NDArray

from gruworks.tasks.forecast.series.frequency import Season

__all__ = [
    "RunningClimatology",
    "climatology",
    "coefficients",
    "fourier",
    "season_basis",
    "season_state",
    "usable_seasons",
]

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
    """How much more of the differences' variance the season's harmonics explain than as many random columns would."""
    d = numpy.diff(y)
    waves = fourier(positions[1:], [season])
    waves = waves[:, numpy.abs(waves).max(0) > 1e-9]  # the last sine of an even period is nothing
    free = len(d) - 1 - waves.shape[1]
    if free < 1 or not d.any():
        return 0.0
    rows = numpy.concatenate([numpy.ones((len(d), 1)), waves], 1)
    rest = d - rows @ numpy.linalg.lstsq(rows, d)[0]
    unexplained = float(rest @ rest) / free
    explained = (float(((d - d.mean()) ** 2).sum()) - float(rest @ rest)) / waves.shape[1]
    return explained / unexplained if unexplained > 0 else float("inf")


def fourier(positions: Floats, seasons: list[Season]) -> Floats:
    """Sines and cosines of every harmonic at positions [N] in steps: [N, 2 · harmonics]."""
    angles = [2 * numpy.pi * k * positions / s.period for s in seasons for k in range(1, s.harmonics + 1)]
    columns = [wave(angle) for angle in angles for wave in (numpy.cos, numpy.sin)]
    return numpy.stack(columns, 1) if columns else numpy.zeros((len(positions), 0))


def coefficients(y: Floats, waves: Floats, observed: NDArray[numpy.bool_] | None = None) -> Floats:
    """The fit to y_0 ... y_t for every t: [N, 1 + F] from y [N] and waves [N, F]; only `observed` rows count."""
    rows = numpy.concatenate([numpy.ones((len(y), 1)), waves], 1)
    if observed is not None and not observed.all():
        rows = rows * observed[:, None]
    base = y[:1]  # a level far from zero would cost digits in the sums
    squares = numpy.cumsum(rows[:, :, None] * rows[:, None, :], 0)
    products = numpy.cumsum(rows * (y - base)[:, None], 0)
    ridge = numpy.diag([0.0] + [RIDGE] * waves.shape[1])
    fitted: Floats = numpy.linalg.solve(squares + ridge, products[:, :, None])[:, :, 0]
    fitted[:, 0] += base
    return fitted


def season_state(fitted: Floats, waves: Floats) -> Floats:
    """What the climatology is at each row, in the phase of that row: [N, 1 + F] from coefficients and waves.

    Its product with `season_basis` is the climatology of the steps ahead: a harmonic's two entries are turned back by
    the row's own angle, so that one basis serves all rows.
    """
    a, b, cos, sin = fitted[:, 1::2], fitted[:, 2::2], waves[:, 0::2], waves[:, 1::2]
    state = fitted.copy()
    state[:, 1::2] = a * cos + b * sin
    state[:, 2::2] = b * cos - a * sin
    return state


def season_basis(seasons: list[Season], horizon: int) -> Floats:
    """The harmonics 1 ... `horizon` steps ahead of angle 0: [1 + F, horizon]."""
    ahead = numpy.arange(1.0, horizon + 1)
    return numpy.concatenate([numpy.ones((1, horizon)), fourier(ahead, seasons).T])


def climatology(fitted: Floats, waves: Floats) -> Floats:
    """The fit's value where the waves are [..., F]: coefficients [..., 1 + F] broadcast against them."""
    value: Floats = fitted[..., 0] + (fitted[..., 1:] * waves).sum(-1)
    return value


class RunningClimatology:
    """The least squares of `coefficients`, row by row: begun on y [N] at positions [N] a step apart, all observed.

    The normal equations are kept in the phase of the last row and turned by one step's angles with each new one: there
    a new row's waves are always those of angle 0, and the solution is `season_state` as it stands.
    """

    def __init__(self, seasons: list[Season], y: Floats, positions: Floats, horizon: int) -> None:
        self.longest = max(season.period for season in seasons)
        rows = _with_level(fourier(positions - positions[-1], seasons))
        self.base = y[0]
        self.squares = rows.T @ rows + numpy.diag([0.0] + [RIDGE] * (rows.shape[1] - 1))
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


def _with_level(waves: Floats) -> Floats:
    """A column of ones before the waves."""
    return numpy.concatenate([numpy.ones((len(waves), 1)), waves], 1)
