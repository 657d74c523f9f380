"""Forecasts of a table without a fit on it: by the best naive forecast, or by a model that was fitted to other rows.

Skill is never carried over: the network is blended with a naive forecast, and tested, on the table's own past. A table
whose rows continue those of the fit, or are those rows, keeps the blend of the fit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy
from numpy.typing import NDArray

from gruworks.errors import TooShortError
from gruworks.tasks.forecast.backtesting import compared
from gruworks.tasks.forecast.baseline import best_naive
from gruworks.tasks.forecast.combination.blending import Blend
from gruworks.tasks.forecast.combination.predictor import Predictor
from gruworks.tasks.forecast.combination.selection import fit_combination
from gruworks.tasks.forecast.estimator import Forecaster
from gruworks.tasks.forecast.evaluation import LEVELS, Evaluation, origin_rows
from gruworks.tasks.forecast.features.encoding import Codec
from gruworks.tasks.forecast.features.naive import naive_forecasts
from gruworks.tasks.forecast.frames import levels, with_future
from gruworks.tasks.forecast.series.frequency import STEPS, Frequency
from gruworks.tasks.forecast.series.panel import Panel, Series

__all__ = ["TableForecast", "by_fit", "by_model", "by_naive", "is_of_fit", "reads"]

Floats = NDArray[numpy.float64]
By = Literal["naive", "network", "blend", "autoregression", "baselines"]
JUDGED = 0.5  # share of the rows of a table, all unseen by the network, that the blend is computed from


@dataclass(frozen=True)
class TableForecast:
    """Quantiles [K, 1 + 2 · levels] and naive forecasts {name: [K]} of each series, and errors on their past.

    Args:
        weighed: True where the blend was computed from this table or by the fit.
        tested: rows of `evaluation`: those of the table's past that the network has not seen, or those held out of
            its fit.
    """

    series: list[Series]
    frequency: Frequency
    quantiles: list[Floats]
    naive: list[dict[str, Floats]]
    by: By
    blend: Blend
    weighed: bool = True
    evaluation: Evaluation | None = None
    tested: Literal["past", "held out"] = "past"


def by_naive(panel: Panel, horizon: int, level: list[float]) -> TableForecast:
    """The forecast of the naive method with the least error on the table's past."""
    series, codec = panel.series, Codec(panel.frequency)
    best = best_naive(series, codec, horizon)
    made = [best.quantiles(one, _last(one), levels(level))[0] for one in series]
    naive, tested = _naive(series, codec, horizon), best.evaluation(series)
    return TableForecast(series, panel.frequency, made, naive, "naive", Blend(0.0, best.name), evaluation=tested)


def by_model(forecaster: Forecaster, panel: Panel, level: list[float], test: bool) -> TableForecast:
    """The forecast of a network for a table that it was not fitted to, of a frequency that it `reads`.

    Where the table is too short to compute a blend, the network forecasts alone and `weighed` is False.
    """
    codec = forecaster.predictor.codec
    codec = codec if codec.irregular else replace(codec, frequency=panel.frequency)
    plain = replace(forecaster.predictor, codec=codec)
    predictor, weighed = _judged(plain, panel.series)
    series = with_future(panel.series, None, forecaster.config, codec)
    made = _forecast(predictor, series, [0] * len(series), level)
    return replace(made, weighed=weighed, evaluation=_tested(plain, panel.series) if test else None)


def by_fit(forecaster: Forecaster, panel: Panel | None, level: list[float], test: bool) -> TableForecast:
    """The forecast after the fitted rows, or after a table that `is_of_fit`, with the blend of the fit.

    The test is on the table's rows after those of the fit or, where these are too few, on the held-out rows of the fit.
    """
    given = forecaster.history if panel is None else panel.series
    series = with_future(given, None, forecaster.config, forecaster.predictor.codec)
    numbers = [forecaster.streams.number(one) for one in series]
    made = _forecast(forecaster.predictor, series, numbers, level)
    made = replace(made, weighed=bool(forecaster.blend.naive))
    if not test:
        return made
    if panel is not None:
        try:
            return replace(made, evaluation=forecaster.evaluate(panel, quiet=True))
        except TooShortError:
            pass
    return replace(made, evaluation=forecaster.held_out(), tested="held out")


def reads(forecaster: Forecaster, panel: Panel) -> bool:
    """True where the table's frequency is of the kind of the fit's: weeks may end on another day."""
    if forecaster.predictor.codec.irregular:
        return panel.frequency.kind[0] != STEPS
    return panel.frequency.kind == forecaster.frequency.kind


def is_of_fit(forecaster: Forecaster, panel: Panel) -> bool:
    """True where each series of the table shares rows with the fit, and all shared rows have the same values."""
    return all(_agrees(one, forecaster.streams.known(one)) for one in panel.series)


def _agrees(series: Series, known: Series | None) -> bool:
    if known is None or series.timestamps.dtype != known.timestamps.dtype:
        return False
    _, here, there = numpy.intersect1d(series.timestamps, known.timestamps, assume_unique=True, return_indices=True)
    return bool(len(here)) and numpy.array_equal(series.y[here], known.y[there], equal_nan=True)


def _forecast(predictor: Predictor, series: list[Series], numbers: list[int], level: list[float]) -> TableForecast:
    """The forecast after the last row of each series; `numbers` are those of the series in the fit."""
    config, codec, blend = predictor.config, predictor.codec, predictor.blend
    made = [predictor.quantiles(one, _last(one), levels(level), at)[0] for one, at in zip(series, numbers, strict=True)]
    naive = _naive(series, codec, config.horizon, config.periods)
    return TableForecast(series, codec.frequency, made, naive, _by(predictor), blend)


def _by(predictor: Predictor) -> By:
    if predictor.blend.naive and predictor.blend.weight == 0 and not predictor.blend.smoothing:
        return "naive"
    if predictor.model is None:
        return "autoregression" if predictor.blend.weight == 1 else "baselines"
    return "network" if predictor.blend.weight == 1 else "blend"


def _judged(predictor: Predictor, series: list[Series]) -> tuple[Predictor, bool]:
    """The predictor with blend and calibration computed from these series, and False where they are too short."""
    config = replace(predictor.config, validation=JUDGED, blend=True, smoothing=False)
    fresh = replace(predictor, config=config, blend=Blend(), members={})
    fit_combination(fresh, series, unseen=True)
    if not fresh.blend.naive or fresh.blend.t is None:  # too few blocks to tell a gain from chance
        return replace(fresh, blend=Blend(), members={}, calibration=predictor.calibration), False
    return fresh, True


def _tested(plain: Predictor, series: list[Series]) -> Evaluation | None:
    """Errors at rolling origins in the last quarter, the blend computed from the rows before the first of them."""
    horizon = plain.config.horizon
    try:
        rows = [origin_rows(len(one), horizon, None, None) for one in series]
    except TooShortError:
        return None
    predictor, _ = _judged(plain, [one.until(int(at[0]) + 1) for one, at in zip(series, rows, strict=True)])
    made = [predictor.quantiles(one, at, levels(LEVELS)) for one, at in zip(series, rows, strict=True)]
    return replace(compared(predictor, series, rows, made), name="GRU", verdict="").evaluation()


def _naive(series: list[Series], codec: Codec, horizon: int, periods: Any = ()) -> list[dict[str, Floats]]:
    """Naive forecasts [K] by name after the last row of each series."""
    found = [naive_forecasts(one, codec, _last(one), horizon, periods) for one in series]
    return [{name: line[0] for name, line in one.items()} for one in found]


def _last(series: Series) -> NDArray[numpy.int64]:
    return numpy.array([len(series) - 1])
