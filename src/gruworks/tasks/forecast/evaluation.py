"""Rolling-origin evaluation, always beside the naive forecasts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy
import pandas
from numpy.typing import NDArray
from utilsforecast import losses

from gruworks.errors import TooShortError
from gruworks.tasks.forecast.calendar import Frequency, Season
from gruworks.tasks.forecast.config import QUANTILES
from gruworks.tasks.forecast.reading import FEWEST_ROWS, Series
from gruworks.tasks.forecast.season import climatology, coefficients, fourier

__all__ = ["Evaluation", "Score", "naive_forecasts", "origin_rows", "score", "seasonal_lag"]

Floats = NDArray[numpy.float64]
MOST_ORIGINS = 26


@dataclass(frozen=True)
class Score:
    """One model's errors: MAE in the units of the target, MASE (Hyndman and Koehler 2006), coverage of the band.

    MASE is None where the naive error below it is 0.
    """

    model: str
    mae: float
    mase: float | None
    coverage: float | None = None


@dataclass(frozen=True)
class Evaluation:
    """All scores, best first, and how they were measured. `mase_season` is the lag of the naive error below MASE."""

    scores: list[Score]
    origins: int
    horizon: int
    mase_season: int
    first_origin: str
    last_origin: str

    @property
    def ours(self) -> Score:
        """The forecaster's own score: the one that has a band."""
        return next(one for one in self.scores if one.coverage is not None)

    @property
    def best_naive(self) -> Score:
        return next(one for one in self.scores if one.coverage is None)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def origin_rows(rows: int, horizon: int, count: int | None, seen: int | None) -> NDArray[numpy.int64]:
    """The rows [O] after which a forecast is made, a horizon apart, the last one a horizon before the end.

    `seen` rows were seen in a fit: no target may lie among them. Without a count, as many as fit into what was not
    seen, or into the last quarter, at most 26.
    """
    room = rows - (rows - rows // 4 if seen is None else max(seen, FEWEST_ROWS))
    fitting = room // horizon if seen is not None else max(1, room // horizon)
    wanted = min(MOST_ORIGINS, fitting) if count is None else count
    first = rows - 1 - wanted * horizon
    if wanted < 1 or first < 2 or (seen is not None and first < seen - 1):
        seen_text = "" if seen is None else f", of which the fit has seen {seen}"
        raise TooShortError(
            f"{rows} rows{seen_text}, are too few for {max(1, wanted)} rolling origins of {horizon} steps each: "
            "give more rows, fewer origins or a shorter horizon"
        )
    return first + horizon * numpy.arange(wanted)


def seasonal_lags(frequency: Frequency, rows: int) -> dict[str, int]:
    """Steps of each season that `rows` hold whole, by its name, shortest first."""
    lags = {season.name: round(season.period) for season in frequency.seasons()}
    return {name: lag for name, lag in lags.items() if lag < rows}


def seasonal_lag(frequency: Frequency, rows: int) -> int:
    """The lag of the naive error below MASE: the day's where there is one, as the M4 competition has it for hours,
    else the longest season's; 1 where there is none.
    """
    lags = seasonal_lags(frequency, rows)
    return lags.get("day", max(lags.values(), default=1))


def naive_forecasts(
    series: Series, frequency: Frequency, origins: NDArray[numpy.int64], horizon: int
) -> dict[str, Floats]:
    """Forecasts [O, K] that need no learning; climatology, of two harmonics, is fitted before the first origin."""
    y, ahead, first = series.y, numpy.arange(1, horizon + 1), int(origins[0])
    found = {
        "last value": numpy.repeat(y[origins][:, None], horizon, 1),
        f"mean of the last {horizon}": numpy.stack(
            [numpy.full(horizon, y[max(0, t + 1 - horizon) : t + 1].mean()) for t in origins]
        ),
    }
    for lag in seasonal_lags(frequency, first + 1).values():
        found[f"seasonal naive ({lag})"] = y[origins[:, None] + ahead - lag * -(-ahead // lag)]
    year = [season for season in frequency.seasons() if season.name == "year" and season.period < first + 1]
    if year:
        season = [Season("year", year[0].period, min(2, year[0].harmonics))]
        positions = frequency.positions(series.stamps)
        fitted = coefficients(y[: first + 1], fourier(positions[: first + 1], season))[-1]
        found["climatology"] = climatology(fitted, fourier(positions, season))[origins[:, None] + ahead]
    return found


def score(
    panel: Sequence[Series],
    frequency: Frequency,
    origins: Sequence[NDArray[numpy.int64]],
    quantiles: Sequence[Floats],
    name: str,
) -> Evaluation:
    """Score the forecasts [O, K, Q] that model `name` made of each series at its origins [O], beside the naive ones.

    Errors are means over the series; a naive forecast that some series is too short for is left out.
    """
    lag = min(seasonal_lag(frequency, int(rows[0]) + 1) for rows in origins)
    tables, pasts = [], []
    for series, rows, answer in zip(panel, origins, quantiles, strict=True):
        tables.append(_table(series, rows, answer, naive_forecasts(series, frequency, rows, answer.shape[1]), name))
        past = series.until(int(rows[0]) + 1)
        pasts.append(pandas.DataFrame({"unique_id": series.name, "ds": past.stamps, "y": past.y}))
    table = pandas.concat(tables).dropna(axis="columns")
    models = [c for c in table.columns if c not in ("unique_id", "ds", "y", f"{name}-lo-80", f"{name}-hi-80")]
    mae = losses.mae(table, models)[models].mean()
    mase = losses.mase(table, models, seasonality=lag, train_df=pandas.concat(pasts))[models].mean()
    inside = float(losses.coverage(table, [name], level=80)[name].mean())
    scores = [
        Score(m, float(mae[m]), float(mase[m]) if numpy.isfinite(mase[m]) else None, inside if m == name else None)
        for m in models
    ]
    return Evaluation(
        scores=sorted(scores, key=lambda one: one.mae),
        origins=max(len(rows) for rows in origins),
        horizon=quantiles[0].shape[1],
        mase_season=lag,
        first_origin=str(min(s.stamps[rows[0]] for s, rows in zip(panel, origins, strict=True))),
        last_origin=str(max(s.stamps[rows[-1]] for s, rows in zip(panel, origins, strict=True))),
    )


def _table(
    series: Series, rows: NDArray[numpy.int64], answer: Floats, naive: dict[str, Floats], name: str
) -> pandas.DataFrame:
    """One row for each origin and horizon, in the long format of utilsforecast."""
    ahead = rows[:, None] + numpy.arange(1, answer.shape[1] + 1)
    columns = {
        "unique_id": series.name,
        "ds": series.stamps[ahead].ravel(),
        "y": series.y[ahead].ravel(),
        name: answer[..., len(QUANTILES) // 2].ravel(),
        f"{name}-lo-80": answer[..., 0].ravel(),
        f"{name}-hi-80": answer[..., -1].ravel(),
    }
    return pandas.DataFrame(columns | {model: values.ravel() for model, values in naive.items()})
