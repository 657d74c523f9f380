"""Rolling-origin evaluation, always beside the naive forecasts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy
import pandas
from numpy.typing import NDArray
from utilsforecast import losses

from gruworks.errors import TooShortError
from gruworks.tasks.forecast.features.encoding import Codec
from gruworks.tasks.forecast.frames import interval_columns
from gruworks.tasks.forecast.series.panel import FEWEST_ROWS, Series

__all__ = ["LEVELS", "Evaluation", "Score", "long_table", "origin_rows", "score", "seasonal_lag"]

Floats = NDArray[numpy.float64]
Ints = NDArray[numpy.int64]
LEVELS = (80, 95)  # of the prediction intervals whose coverage is measured
MOST_ORIGINS = 26


@dataclass(frozen=True)
class Score:
    """Errors of one model: MAE in the units of the target, MASE (Hyndman and Koehler 2006), coverage of the interval.

    MASE is None where the naive error that it is relative to is 0.
    """

    model: str
    mae: float
    mase: float | None
    coverage: float | None = None


@dataclass(frozen=True)
class Evaluation:
    """Scores of all models, best first, and the protocol. `mase_season` is the lag of the naive error of MASE.

    `by_horizon` is the forecaster's MAE at each step ahead, `verdict` its blend in words.
    """

    scores: list[Score]
    origins: int
    horizon: int
    mase_season: int
    first_origin: str
    last_origin: str
    coverage95: float | None = None
    by_horizon: list[float] = field(default_factory=list)
    verdict: str = ""

    @property
    def ours(self) -> Score:
        """Score of the forecaster: the one with a prediction interval."""
        return next(one for one in self.scores if one.coverage is not None)

    @property
    def best_naive(self) -> Score:
        """Score of the naive forecast with the least MAE."""
        return next(one for one in self.scores if one.coverage is None)

    def to_dict(self) -> dict[str, Any]:
        """All fields as plain values."""
        return asdict(self)


def origin_rows(rows: int, horizon: int, count: int | None, seen: int | None) -> Ints:
    """Rows [O] after which forecasts are made: a horizon apart, the last one a horizon before the end.

    Args:
        count: number of origins; None for as many as fit into the rows that the fit has not seen, or into the last
            quarter of all rows, at most 26.
        seen: number of rows that the fit has seen, none of which is a target; None before a fit.

    Raises:
        TooShortError: too few rows for the origins.
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


def seasonal_lag(codec: Codec, rows: int) -> int:
    """Lag of the naive error of MASE: the day's if there is one, as in the M4 competition, else the longest season's.

    1 where there is no season.
    """
    lags = codec.lags(rows)
    return lags.get("day", max(lags.values(), default=1))


def score(
    panel: Sequence[Series],
    codec: Codec,
    origins: Sequence[Ints],
    quantiles: Sequence[Floats],
    naive: Sequence[dict[str, Floats]],
    name: str,
    verdict: str = "",
) -> Evaluation:
    """Score the forecasts of a model and the naive ones.

    Errors are means over the series. Left out are naive forecasts that some series is too short for, and missing true
    values.

    Args:
        origins: rows [O] of each series after which the forecasts were made.
        quantiles: forecasts [O, K, C] of each series: the median, then low and high of the 80 % interval and, if
            given, of the 95 % interval.
        naive: naive forecasts [O, K] of each series by their names.
        name: name of the model.
    """
    lag = min(seasonal_lag(codec, int(rows[0]) + 1) for rows in origins)
    names = interval_columns(name, LEVELS)
    tables, pasts = [], []
    for series, rows, answer, found in zip(panel, origins, quantiles, naive, strict=True):
        columns = dict(zip(names, numpy.moveaxis(answer, -1, 0), strict=False)) | found
        tables.append(long_table(series, rows, columns))
        past = series.until(int(rows[0]) + 1)
        pasts.append(pandas.DataFrame({"unique_id": series.name, "ds": past.timestamps, "y": past.filled()}))
    table = pandas.concat(tables).drop(columns="cutoff").dropna(subset=["y"]).dropna(axis="columns")
    models = [name, *(one for one in naive[0] if one in table.columns)]
    mae = losses.mae(table, models)[models].mean()
    mase = losses.mase(table, models, seasonality=lag, train_df=pandas.concat(pasts))[models].mean()
    finite = {m: float(value) for m, value in mase.items() if numpy.isfinite(value)}
    coverage = {
        level: float(losses.coverage(table, [name], level=level)[name].mean())
        for level in LEVELS
        if interval_columns(name, [level])[1] in table.columns
    }
    scores = [Score(m, float(mae[m]), finite.get(m), coverage[80] if m == name else None) for m in models]
    return Evaluation(
        scores=sorted(scores, key=lambda one: one.mae),
        origins=max(len(rows) for rows in origins),
        horizon=quantiles[0].shape[1],
        mase_season=lag,
        first_origin=str(min(s.timestamps[rows[0]] for s, rows in zip(panel, origins, strict=True))),
        last_origin=str(max(s.timestamps[rows[-1]] for s, rows in zip(panel, origins, strict=True))),
        coverage95=coverage.get(95),
        by_horizon=[float(v) for v in (table[name] - table["y"]).abs().groupby(table["ahead"]).mean()],
        verdict=verdict,
    )


def long_table(series: Series, origins: Ints, columns: dict[str, Floats]) -> pandas.DataFrame:
    """A row for each origin [O] and step ahead, in the long format of utilsforecast.

    Its columns: unique_id, cutoff (the time of the origin), ds, y, ahead, and `columns` [O, K] by name.
    """
    steps = numpy.arange(1, next(iter(columns.values())).shape[1] + 1)
    ahead = (origins[:, None] + steps).ravel()
    keys = {
        "unique_id": series.name,
        "cutoff": numpy.repeat(series.timestamps[origins], len(steps)),
        "ds": series.timestamps[ahead],
        "y": series.y[ahead],
        "ahead": numpy.tile(steps, len(origins)),
    }
    return pandas.DataFrame(keys | {name: values.ravel() for name, values in columns.items()})
