"""Statistical baselines that know trend and season: damped Holt-Winters and Theta, of values and of logarithms.

statsmodels estimates the parameters. Both methods are one recursion: with the error e of the one-step forecast,

    level += φ trend + α e    trend = φ trend + β e    season += γ e

Theta (Assimakopoulos and Nikolopoulos 2000) is the case β = γ = 0, φ = 1 with half the slope of the regression line as
trend (Hyndman and Billah 2003). Its season, and that of Holt-Winters where seasons are few or none is clear, are the
means by phase, shrunk by the F statistic of the differences (as Miller and Williams 2003 do); γ renews them as running
means. The logarithm is that of (y - smallest) / range + `SHIFT`, so that a forecast of a·y + b is a·forecast(y) + b.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy
from numpy.typing import NDArray

from gruworks.tasks.forecast.series.panel import Series

__all__ = [
    "FEWEST_SMOOTHED",
    "LONGEST_SEASON",
    "SMOOTHERS",
    "Smoother",
    "SmootherState",
    "fit_smoothers",
    "season_length",
]

Floats = NDArray[numpy.float64]
SHIFT = 0.25  # of the logarithm: its argument is SHIFT at the smallest value and 1 + SHIFT at the largest
FEWEST_SMOOTHED = 10  # rows that the initial states need
MOST_ROWS = 1000  # rows that parameters are estimated on, the last ones
LONGEST_SEASON = 60  # steps
CLEAR = 3.0  # F statistic of the differences' means by phase, from which a season is clear
ADAPTIVE = 4  # seasons of the history, from which Holt-Winters renews a clear season
SMALL = 1e-18
DIGITS = 9  # of the standardized values, so that rounding doesn't move the optimizer


@dataclass(frozen=True)
class Smoother:
    """Parameters of one method for one series.

    Args:
        gains: α, β, γ and the damping φ.
        level: level and trend before row `begin`, in units of the standardized values.
        season: season before row `begin`, [m]; [0] for none.
        units: smallest value, range (0 for no logarithm), offset and unit of the standardized values.
        begin: row that the recursion starts from.
    """

    name: str
    gains: tuple[float, float, float, float]
    level: tuple[float, float]
    season: Floats
    units: tuple[float, float, float, float]
    begin: int = 0

    def standardized(self, y: Any) -> Any:
        """Values in the units of the recursion."""
        low, spread, offset, unit = self.units
        if spread:
            y = numpy.log(numpy.maximum((y - low) / spread + SHIFT, SHIFT / 4))
        return (y - offset) / unit

    def restored(self, z: Any) -> Any:
        """Inverse of `standardized`."""
        low, spread, offset, unit = self.units
        y = z * unit + offset
        return low + spread * (numpy.exp(numpy.minimum(y, 50)) - SHIFT) if spread else y

    def start(self) -> SmootherState:
        return SmootherState(self)

    def forecasts(self, series: Series, origins: NDArray[Any], horizon: int) -> Floats:
        """Forecasts [O, K] after the rows `origins` [O], ascending; the last value before row `begin`."""
        y, observed, state, row = series.filled(), series.observed, self.start(), self.begin
        z = self.standardized(y)
        found = numpy.empty((len(origins), horizon))
        for at, origin in enumerate(origins):
            while row <= origin:
                state.step(float(z[row]) if observed[row] else None)
                row += 1
            found[at] = state.ahead(horizon) if origin >= self.begin else y[origin]
        return found


class SmootherState:
    """State of the recursion of a smoother after a row."""

    def __init__(self, smoother: Smoother) -> None:
        self.smoother, self.season, self.phase = smoother, smoother.season.tolist(), 0
        self.level, self.trend = smoother.level

    def observe(self, value: float | None) -> None:
        """Add a value in the units of the series; None is a missing one."""
        self.step(None if value is None else float(self.smoother.standardized(value)))

    def step(self, z: float | None) -> None:
        """Add a standardized value; None is a missing one."""
        alpha, beta, gamma, damping = self.smoother.gains
        self.trend *= damping
        self.level += self.trend
        if z is not None:
            error = z - self.level - self.season[self.phase]
            self.level += alpha * error
            self.trend += beta * error
            self.season[self.phase] += gamma * error
        self.phase = (self.phase + 1) % len(self.season)

    def ahead(self, horizon: int) -> Floats:
        """Forecast [K] in the units of the series."""
        steps = numpy.arange(1, horizon + 1)
        trend = self.trend * numpy.cumsum(self.smoother.gains[3] ** steps)
        season = numpy.array(self.season)[(self.phase + steps - 1) % len(self.season)]
        return numpy.asarray(self.smoother.restored(self.level + trend + season))


def season_length(y: Floats, lags: list[int]) -> int:
    """The lag with two whole seasons in y whose phases explain the differences: the longest clear one; 1 for none."""
    fitting = [lag for lag in sorted(lags, reverse=True) if 2 <= lag <= LONGEST_SEASON and len(y) >= 2 * lag]
    found = {lag: _f_statistic(numpy.diff(y), lag) for lag in fitting}
    clear = next((lag for lag, f in found.items() if f > CLEAR), None)
    return clear or max((lag for lag in found if found[lag] > 1), key=found.__getitem__, default=1)


def seasonal_strength(y: Floats, lag: int) -> float:
    """Shrinkage factor of the seasonal means, 1 - 1 / F of the differences (James and Stein); 0 where F is below 1."""
    return max(0.0, 1 - 1 / max(_f_statistic(numpy.diff(y), lag), 1.0)) if lag > 1 else 0.0


def seasonal_means(y: Floats, lag: int) -> Floats:
    """Mean deviation [lag] of each phase from the moving average or, below three seasons, from a line."""
    rows = numpy.arange(len(y))
    if len(y) >= 3 * lag:
        half = lag // 2
        window = numpy.ones(lag) if lag % 2 else numpy.concatenate([[0.5], numpy.ones(lag - 1), [0.5]])
        rows = rows[half : len(y) - half]
        rest = y[rows] - numpy.convolve(y, window / lag, "valid")
    else:
        rest = y - float((y[lag:] - y[:-lag]).mean()) / lag * rows
    means = numpy.bincount(rows % lag, rest, minlength=lag) / numpy.bincount(rows % lag, minlength=lag)
    return numpy.asarray(means - means.mean())


def _f_statistic(d: Floats, lag: int) -> float:
    """F statistic of the mean differences by phase of a season; 0 where nothing but rounding varies."""
    phase = numpy.arange(len(d)) % lag
    counts = numpy.bincount(phase, minlength=lag)
    means = numpy.bincount(phase, d, minlength=lag) / counts
    explained = float(counts @ (means - d.mean()) ** 2)
    rest = float(((d - means[phase]) ** 2).sum())
    if explained + rest <= SMALL * float(d @ d):
        return 0.0
    return (explained / (lag - 1)) / (rest / (len(d) - lag)) if rest > 0 else float("inf")


def fit_smoothers(series: Series, lags: list[int], most: int = MOST_ROWS) -> list[Smoother]:
    """The smoothers of a series, estimated on its last `most` rows; none where it is too short or constant."""
    y = series.filled()
    begin = max(0, len(y) - most)
    y = y[begin:]
    low, spread = float(y.min()), float(numpy.ptp(y))
    if len(y) < FEWEST_SMOOTHED or not spread > 0 or not numpy.isfinite(spread):
        return []
    m, found = season_length(y, lags), []
    for ending, units in (("", (0.0, 0.0)), (" of logarithms", (low, spread))):
        plain = Smoother(ending, (0, 0, 0, 1), (0, 0), numpy.zeros(m), (*units, 0.0, 1.0), begin)
        z = plain.standardized(y)
        unit = float(numpy.abs(numpy.diff(z)).mean())
        z = numpy.round((z - z[0]) / unit, DIGITS)
        season = seasonal_strength(z, m) * seasonal_means(z, m) if m > 1 else numpy.zeros(1)
        scaled = replace(plain, units=(*units, float(plain.standardized(y[0])), unit), season=season)
        for name, method in METHODS.items():
            made = _estimated(method, scaled, z)
            if made is not None:
                found.append(replace(made, name=name + ending))
    return found


def _estimated(method: Callable[..., Smoother], plain: Smoother, z: Floats) -> Smoother | None:
    """`plain` with the parameters of a method; None where the estimation fails."""
    models = _statsmodels()  # before the filter: the import sets filters of its own
    with warnings.catch_warnings(action="ignore"), numpy.errstate(all="ignore"):
        try:
            made = method(plain, z, *models)
        except (ValueError, numpy.linalg.LinAlgError):
            return None
    known = numpy.concatenate([made.gains, made.level, made.season, made.units])
    return made if numpy.isfinite(known).all() else None


def _statsmodels() -> tuple[Any, Any]:
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel
    from statsmodels.tsa.forecasting.theta import ThetaModel

    return ETSModel, ThetaModel


def _holt_winters(plain: Smoother, z: Floats, ets: Any, _: Any) -> Smoother:
    m = len(plain.season)
    adaptive = m > 1 and len(z) >= ADAPTIVE * m and _f_statistic(numpy.diff(z), m) > CLEAR
    seasonal = {"seasonal": "add", "seasonal_periods": m} if adaptive else {}
    adjusted = z if adaptive else z - plain.season[numpy.arange(len(z)) % m]
    model = ets(adjusted, trend="add", damped_trend=True, initialization_method="heuristic", **seasonal)
    found = dict(zip(model.param_names, model.fit(disp=0, maxiter=100).params, strict=True))
    alpha, beta, gamma = (float(found.get(f"smoothing_{part}", 0.0)) for part in ("level", "trend", "seasonal"))
    season = numpy.asarray(model.initial_seasonal, dtype=numpy.float64) if adaptive else plain.season
    level = float(model.initial_level), float(model.initial_trend)
    gamma = gamma if adaptive else _renewal(len(z), m) * (1 - alpha)
    return replace(plain, gains=(alpha, beta, gamma, float(found["damping_trend"])), level=level, season=season)


def _theta(plain: Smoother, z: Floats, _: Any, theta: Any) -> Smoother:
    adjusted = z - plain.season[numpy.arange(len(z)) % len(plain.season)]
    fitted = theta(adjusted, period=2, deseasonalize=False).fit()
    trend = float(fitted.params["b0"]) / 2
    level = float(adjusted[: len(plain.season)].mean()) - trend * (1 + (len(plain.season) - 1) / 2)
    alpha = float(fitted.params["alpha"])
    gamma = _renewal(len(z), len(plain.season)) * (1 - alpha)
    return replace(plain, gains=(alpha, 0.0, gamma, 1.0), level=(level, trend))


def _renewal(rows: int, season: int) -> float:
    """γ over 1 - α of a season estimated on so many rows: that of a running mean over the seasons; 0 without one."""
    return season / rows if season > 1 else 0.0


METHODS: dict[str, Callable[..., Smoother]] = {"Holt-Winters": _holt_winters, "Theta": _theta}
SMOOTHERS = tuple(name + ending for ending in ("", " of logarithms") for name in METHODS)
