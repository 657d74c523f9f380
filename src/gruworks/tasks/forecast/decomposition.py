"""Trend, seasons and holiday effect of a series, by MSTL (Bandara et al. 2021) of statsmodels.

Seasons of which the series has few periods are harmonics, fitted by least squares: loess would follow the noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy
import pandas
from numpy.typing import NDArray

from gruworks.errors import TooShortError
from gruworks.tasks.forecast.features.encoding import Codec
from gruworks.tasks.forecast.features.holidays import on_holidays
from gruworks.tasks.forecast.features.seasonality import fourier
from gruworks.tasks.forecast.series.frequency import Season
from gruworks.tasks.forecast.series.panel import Series

__all__ = ["Decomposition", "decompose"]

Floats = NDArray[numpy.float64]
FEWEST = 8  # rows
FEW = 5  # periods, below which a season is made of harmonics
SMOOTHED = 0.3  # fraction of the rows that a trend without seasons is smoothed over


@dataclass(frozen=True)
class Decomposition:
    """Components [N] of a series by name, "trend" first and "remainder" last, that add up to its values y [N].

    Missing values of y are taken to be the last ones before them; the remainder is NaN there. `periods` has the rows of
    one period of each season.
    """

    name: str
    timestamps: NDArray[Any]
    y: Floats
    components: dict[str, Floats]
    periods: dict[str, float]

    def frame(self) -> pandas.DataFrame:
        """unique_id, ds, y and the components."""
        return pandas.DataFrame({"unique_id": self.name, "ds": self.timestamps, "y": self.y} | self.components)


def decompose(series: Series, codec: Codec, country: str | None = None, last: int | None = None) -> Decomposition:
    """Components of a series: trend, the seasons that its fit uses, the mean effect of public holidays, remainder.

    Args:
        codec: of the fit, with the seasons; those of which the series has less than two are left out.
        country: of the holidays, as in `Config.holidays`; None for no such component.
        last: the number of rows, at the end, that are divided; None for all.

    Raises:
        TooShortError: fewer than 8 rows.
    """
    rows = slice(-last if last else None, None)
    y, observed, timestamps = series.filled()[rows], series.observed[rows], series.timestamps[rows]
    if len(y) < FEWEST:
        raise TooShortError(f"series {series.name!r} has {len(y)} rows; components need {FEWEST}", "too-few-values")
    seasons = [one for one in codec.seasons if one.period >= 2 and 2 * one.period <= len(y)]
    long = [one for one in seasons if FEW * one.period > len(y)]
    slow = _harmonic(y, long)
    quick = _seasonal(y - sum(slow.values()), [one for one in seasons if one not in long])
    found = quick | slow
    rest = y - sum(found.values())
    if country is not None:
        on = on_holidays(timestamps, country) > 0
        found["holidays"] = (
            numpy.where(on, rest[on].mean() - rest[~on].mean(), 0.0) if on.any() else numpy.zeros(len(y))
        )
        rest = rest - found["holidays"]
    found["remainder"] = numpy.where(observed, rest, numpy.nan)
    periods = {one.name: float(one.period) for one in seasons}
    return Decomposition(series.name, timestamps, series.y[rows], found, periods)


def _harmonic(y: Floats, seasons: list[Season]) -> dict[str, Floats]:
    """Seasons by their Fourier terms, fitted together with a line."""
    t, found, start = numpy.arange(len(y), dtype=numpy.float64), {}, 2
    waves = [numpy.asarray(fourier(t, [one])) for one in seasons]
    terms = numpy.column_stack([numpy.ones_like(t), t / len(t), *waves])
    weights = numpy.linalg.lstsq(terms, y, rcond=None)[0]
    for one, columns in zip(seasons, waves, strict=True):
        found[one.name] = columns @ weights[start : start + columns.shape[1]]
        start += columns.shape[1]
    return found


def _seasonal(y: Floats, seasons: list[Season]) -> dict[str, Floats]:
    """Trend and seasons by MSTL; the trend alone by loess where there are none."""
    from statsmodels.nonparametric.smoothers_lowess import lowess
    from statsmodels.tsa.seasonal import MSTL

    if not seasons:
        return {"trend": lowess(y, numpy.arange(len(y)), frac=SMOOTHED, return_sorted=False)}
    names = {round(one.period): one.name for one in seasons}
    result = MSTL(y, periods=sorted(names)).fit()
    columns = numpy.asarray(result.seasonal).reshape(len(y), -1)
    return {"trend": numpy.asarray(result.trend)} | {names[p]: columns[:, at] for at, p in enumerate(sorted(names))}
