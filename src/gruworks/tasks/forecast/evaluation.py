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
from gruworks.tasks.forecast.series.panel import FEWEST_ROWS, Series

__all__ = ["Evaluation", "Score", "origin_rows", "score", "seasonal_lag"]

Floats = NDArray[numpy.float64]
MOST_ORIGINS = 26


@dataclass(frozen=True)
class Score:
    """One model's errors: MAE in the units of the target, MASE (Hyndman and Koehler 2006), coverage of the interval.

    MASE is None where the naive error below it is 0.
    """

    model: str
    mae: float
    mase: float | None
    coverage: float | None = None


@dataclass(frozen=True)
class Evaluation:
    """All scores, best first, and how they were measured. `mase_season` is the lag of the naive error below MASE.

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
        """The forecaster's own score: the one that has a prediction interval."""
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


def seasonal_lag(codec: Codec, rows: int) -> int:
    """The lag of the naive error below MASE: the day's where there is one, as the M4 competition has it for hours,
    else the longest season's; 1 where there is none.
    """
    lags = codec.lags(rows)
    return lags.get("day", max(lags.values(), default=1))


def score(
    panel: Sequence[Series],
    codec: Codec,
    origins: Sequence[NDArray[numpy.int64]],
    quantiles: Sequence[Floats],
    naive: Sequence[dict[str, Floats]],
    name: str,
    verdict: str = "",
) -> Evaluation:
    """Score the forecasts [O, K, Q] that model `name` made of each series at its origins [O], beside the naive ones.

    Quantiles are low and high of the 80 % interval around the median, then, if given, of the 95 % interval.
    Errors are means over the series; a naive forecast that some series is too short for is left out, and so is what is
    missing among the true values.
    """
    lag = min(seasonal_lag(codec, int(rows[0]) + 1) for rows in origins)
    tables, pasts = [], []
    for series, rows, answer, found in zip(panel, origins, quantiles, naive, strict=True):
        tables.append(_table(series, rows, answer, found, name))
        past = series.until(int(rows[0]) + 1)
        pasts.append(pandas.DataFrame({"unique_id": series.name, "ds": past.timestamps, "y": past.filled()}))
    table = pandas.concat(tables).dropna(subset=["y"]).dropna(axis="columns")
    models = [name, *(one for one in naive[0] if one in table.columns)]
    mae = losses.mae(table, models)[models].mean()
    mase = losses.mase(table, models, seasonality=lag, train_df=pandas.concat(pasts))[models].mean()
    coverage = {level: _coverage(table, name, level) for level in (80, 95) if f"{name}-lo-{level}" in table.columns}
    scores = [
        Score(
            m, float(mae[m]), float(mase[m]) if numpy.isfinite(mase[m]) else None, coverage[80] if m == name else None
        )
        for m in models
    ]
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


def _coverage(table: pandas.DataFrame, name: str, level: int) -> float:
    return float(losses.coverage(table, [name], level=level)[name].mean())


def _table(
    series: Series, rows: NDArray[numpy.int64], answer: Floats, naive: dict[str, Floats], name: str
) -> pandas.DataFrame:
    """One row for each origin and horizon, in the long format of utilsforecast."""
    ahead = rows[:, None] + numpy.arange(1, answer.shape[1] + 1)
    columns = {
        "unique_id": series.name,
        "ds": series.timestamps[ahead].ravel(),
        "y": series.y[ahead].ravel(),
        "ahead": numpy.tile(numpy.arange(1, answer.shape[1] + 1), len(rows)),
        f"{name}-lo-80": answer[..., 0].ravel(),
        name: answer[..., 1].ravel(),
        f"{name}-hi-80": answer[..., 2].ravel(),
    }
    if answer.shape[2] == 5:
        columns |= {f"{name}-lo-95": answer[..., 3].ravel(), f"{name}-hi-95": answer[..., 4].ravel()}
    return pandas.DataFrame(columns | {model: values.ravel() for model, values in naive.items()})
