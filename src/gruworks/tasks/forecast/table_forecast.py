"""Forecasts of a table that came without a fit: by the best naive forecast, or by a model that was fitted elsewhere.

Skill is never carried over: the combination of network and naive forecast is formed on the table's own past, and so is
the test. A table that goes on from the rows of the fit, or is those rows, keeps the combination of the fit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy
from numpy.typing import NDArray

from gruworks.errors import TooShortError
from gruworks.tasks.forecast.backtesting import Backtest
from gruworks.tasks.forecast.baseline import best_naive
from gruworks.tasks.forecast.combination.blending import Blend
from gruworks.tasks.forecast.combination.predictor import Predictor, fit_combination
from gruworks.tasks.forecast.estimator import Forecaster
from gruworks.tasks.forecast.evaluation import Evaluation, origin_rows
from gruworks.tasks.forecast.features.encoding import Codec
from gruworks.tasks.forecast.features.naive import naive_forecasts
from gruworks.tasks.forecast.frames import levels, with_future
from gruworks.tasks.forecast.series.frequency import STEPS, Frequency
from gruworks.tasks.forecast.series.panel import Panel, Series

__all__ = ["TableForecast", "by_fit", "by_model", "by_naive", "is_of_fit", "joined", "reads"]

Floats = NDArray[numpy.float64]
By = Literal["naive", "network", "blend", "autoregression"]
JUDGED = 0.5  # of a table that the network has not seen: all of its rows are held out


@dataclass(frozen=True)
class TableForecast:
    """Quantiles [K, 1 + 2 · levels] and naive forecasts {name: [K]} of each series, and how the past was met.

    `tested` names the rows of `evaluation`: of the table's past, unseen by the network; or held out of its fit.
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
    """The forecast of the naive method that did best on the table's past."""
    codec = Codec(panel.frequency)
    found = best_naive(panel.series, codec, horizon)
    shares = levels(level)
    made = [found.quantiles(one, _last(one), shares)[0] for one in panel.series]
    naive = _naive(panel.series, codec, horizon)
    blend = Blend(0.0, found.name)
    return TableForecast(
        panel.series, panel.frequency, made, naive, "naive", blend, True, found.evaluation(panel.series)
    )


def by_model(forecaster: Forecaster, panel: Panel, level: list[float], test: bool) -> TableForecast:
    """The forecast of a network on a table that it has not seen, of a frequency that it `reads`.

    Where the table is too short to weigh the network, it answers alone and `weighed` is False.
    """
    codec = forecaster.predictor.codec
    codec = codec if codec.irregular else replace(codec, frequency=panel.frequency)
    plain = replace(forecaster.predictor, codec=codec)
    predictor, weighed = _judged(plain, panel.series)
    series = with_future(panel.series, None, forecaster.config, codec)
    tested = _tested(plain, panel.series) if test else None
    return _answered(predictor, series, [0] * len(series), level, weighed, tested)


def by_fit(forecaster: Forecaster, panel: Panel | None, level: list[float], test: bool) -> TableForecast:
    """The forecast after the fitted rows, or after a table that `is_of_fit`, with the combination of the fit.

    The test is on the table's rows behind those of the fit, or where they are too few, on what the fit held out.
    """
    given = forecaster.history if panel is None else panel.series
    series = with_future(given, None, forecaster.config, forecaster.predictor.codec)
    numbers = [forecaster.streams.number(one) for one in series]
    made = _answered(forecaster.predictor, series, numbers, level, bool(forecaster.blend.naive), None)
    if not test:
        return made
    if panel is not None:
        try:
            return replace(made, evaluation=forecaster.backtest(panel, quiet=True).evaluation())
        except TooShortError:
            pass
    return replace(made, evaluation=forecaster.held_out(), tested="held out")


def reads(forecaster: Forecaster, panel: Panel) -> bool:
    """True where the table's frequency is of the kind of the fit's: weeks may end on another day."""
    if forecaster.predictor.codec.irregular:
        return panel.frequency.kind[0] != STEPS
    return panel.frequency.kind == forecaster.frequency.kind


def joined(forecaster: Forecaster, panel: Panel) -> Panel:
    """The table with the fitted rows before each series that goes on where they end."""
    return replace(panel, series=[forecaster._continued(one) for one in panel.series])


def is_of_fit(forecaster: Forecaster, panel: Panel) -> bool:
    """True where every series of the table has rows of the fit with the fit's values, and differs in none of them."""
    return all(_agrees(one, forecaster.streams.known(one)) for one in panel.series)


def _agrees(series: Series, known: Series | None) -> bool:
    if known is None or series.timestamps.dtype != known.timestamps.dtype:
        return False
    _, here, there = numpy.intersect1d(series.timestamps, known.timestamps, assume_unique=True, return_indices=True)
    return bool(len(here)) and numpy.array_equal(series.y[here], known.y[there], equal_nan=True)


def _answered(
    predictor: Predictor,
    series: list[Series],
    numbers: list[int],
    level: list[float],
    weighed: bool,
    evaluation: Evaluation | None,
) -> TableForecast:
    shares = levels(level)
    made = [predictor.quantiles(one, _last(one), shares, at)[0] for one, at in zip(series, numbers, strict=True)]
    naive = _naive(series, predictor.codec, predictor.config.horizon, predictor.config.periods)
    frequency, blend = predictor.codec.frequency, predictor.blend
    return TableForecast(series, frequency, made, naive, _by(predictor), blend, weighed, evaluation)


def _by(predictor: Predictor) -> By:
    if predictor.blend.naive and predictor.blend.weight == 0:
        return "naive"
    if predictor.model is None:
        return "autoregression"
    return "network" if predictor.blend.weight == 1 else "blend"


def _judged(predictor: Predictor, series: list[Series]) -> tuple[Predictor, bool]:
    """The same with combination and calibration from these series, and whether they were enough."""
    config = replace(predictor.config, validation=JUDGED, blend=True)
    fresh = replace(predictor, config=config, blend=Blend())
    fit_combination(fresh, series)
    if not fresh.blend.naive or fresh.blend.t is None:  # too few blocks to tell a gain from chance
        return replace(fresh, blend=Blend(), calibration=predictor.calibration), False
    return fresh, True


def _tested(plain: Predictor, series: list[Series]) -> Evaluation | None:
    """Errors at rolling origins in the last quarter, the combination formed on the rows before the first of them."""
    config = plain.config
    try:
        rows = [origin_rows(len(one), config.horizon, None, None) for one in series]
    except TooShortError:
        return None
    before = [one.until(int(at[0]) + 1) for one, at in zip(series, rows, strict=True)]
    predictor, _ = _judged(plain, before)
    shares = levels((80.0, 95.0))
    made = [predictor.quantiles(one, at, shares) for one, at in zip(series, rows, strict=True)]
    naive = [
        naive_forecasts(one, predictor.codec, at, config.horizon, config.periods)
        for one, at in zip(series, rows, strict=True)
    ]
    return Backtest(series, predictor.codec, rows, made, naive, "GRU", "").evaluation()


def _naive(series: list[Series], codec: Codec, horizon: int, periods: Any = ()) -> list[dict[str, Floats]]:
    found = [naive_forecasts(one, codec, _last(one), horizon, periods) for one in series]
    return [{name: line[0] for name, line in one.items()} for one in found]


def _last(series: Series) -> NDArray[numpy.int64]:
    return numpy.array([len(series) - 1])
