"""Rolling-origin backtests: forecasts and naive forecasts beside the true values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import narwhals as nw
import numpy
import pandas
from numpy.typing import NDArray

from gruworks.tasks.forecast.combination.blending import AUTOREGRESSION
from gruworks.tasks.forecast.combination.predictor import Predictor
from gruworks.tasks.forecast.data import split_rows
from gruworks.tasks.forecast.evaluation import LEVELS, Evaluation, long_table, score
from gruworks.tasks.forecast.features.encoding import Codec
from gruworks.tasks.forecast.features.naive import naive_forecasts
from gruworks.tasks.forecast.frames import interval_columns, levels
from gruworks.tasks.forecast.series.panel import Panel, Series

__all__ = ["Backtest", "backtest", "compared", "held_out"]

Floats = NDArray[numpy.float64]
Ints = NDArray[numpy.int64]


@dataclass(frozen=True)
class Backtest:
    """Forecasts [O, K, 1 + 2 · levels] of each series at its origins [O], in the order of `frames.levels`."""

    panel: list[Series]
    codec: Codec
    origins: list[Ints]
    answers: list[Floats]
    naive: list[dict[str, Floats]]
    name: str
    verdict: str
    backend: Any = "pandas"
    level: tuple[float, ...] = LEVELS

    def evaluation(self) -> Evaluation:
        """Errors of the forecasts and of the naive ones."""
        return score(self.panel, self.codec, self.origins, self.answers, self.naive, self.name, self.verdict)

    def frame(self) -> Any:
        """unique_id, cutoff (the last row before the forecast), ds, y, the forecast and its intervals."""
        names = interval_columns("y_hat", self.level)
        parts = [
            long_table(one, rows, dict(zip(names, numpy.moveaxis(answer, -1, 0), strict=True)))
            for one, rows, answer in zip(self.panel, self.origins, self.answers, strict=True)
        ]
        table = pandas.concat(parts).drop(columns="ahead")
        columns = {name: column.to_numpy() for name, column in table.items()}
        return nw.from_dict(columns | {"unique_id": table["unique_id"].tolist()}, backend=self.backend).to_native()


def backtest(
    panel: Panel, rows: list[Ints], fit: Callable[[Panel], Predictor], number: Callable[[Series], int], refit: int
) -> Backtest:
    """Forecasts at the origins `rows` [O] of each series of `panel`.

    Args:
        fit: returns a predictor fitted to the rows before an origin.
        number: the number of a series in the last fit.
        refit: number of origins between fits; 0 fits once, before the first origin.
    """
    most = max(map(len, rows))
    starts = range(0, most, refit or most)
    found: list[list[Floats]] = [[] for _ in rows]
    for start in starts:
        predictor = fit(_before(panel, rows, start))
        for one, at, parts in zip(panel.series, rows, found, strict=True):
            now = at[start : start + starts.step]
            if len(now):
                parts.append(predictor.quantiles(one, now, levels(LEVELS), number(one)))
    return compared(predictor, panel.series, rows, [numpy.concatenate(parts) for parts in found], panel.backend)


def held_out(predictor: Predictor, panel: list[Series]) -> Evaluation | None:
    """Errors on the validation rows, origins a horizon apart; None where no series has such rows."""
    config, rows, series, found = predictor.config, [], [], []
    for which, one in enumerate(panel):
        _, first, last = split_rows(len(one), config.horizon, config.validation)
        at = numpy.sort(numpy.arange(last - 1, max(first, 3) - 1, -config.horizon))
        if len(at) and not numpy.isnan(one.y[at[0] + 1 :]).all():
            rows.append(at)
            series.append(one)
            found.append(predictor.quantiles(one, at, levels(LEVELS), which))
    return compared(predictor, series, rows, found).evaluation() if rows else None


def compared(
    predictor: Predictor, series: list[Series], rows: list[Ints], found: list[Floats], backend: Any = "pandas"
) -> Backtest:
    """The forecasts `found` [O, K, C] of each series at the origins `rows` [O], beside the naive ones."""
    config, codec = predictor.config, predictor.codec
    naive = [naive_forecasts(s, codec, at, config.horizon, config.periods) for s, at in zip(series, rows, strict=True)]
    combined = predictor.blend.naive and predictor.blend.weight < 1
    used = predictor.model is not None and predictor.blend.weight > 0
    name = "GRU" if used else "statistical baselines" if combined else "autoregression alone"
    verdict = predictor.blend.parts(AUTOREGRESSION) if combined else ""
    if predictor.model is not None:
        verdict = str(predictor.blend) if config.blend else ""
    return Backtest(_named(series, config.targets), codec, rows, found, naive, name, verdict, backend)


def _before(panel: Panel, rows: list[Ints], start: int) -> Panel:
    """Each series truncated at its forecast origin number `start`."""
    past = [one.until(int(at[min(start, len(at) - 1)]) + 1) for one, at in zip(panel.series, rows, strict=True)]
    return Panel(past, panel.frequency, panel.backend)


def _named(series: list[Series], targets: tuple[str, ...]) -> list[Series]:
    """The series under names that distinguish their targets, if there are several."""
    if len(targets) == 1:
        return series
    return [replace(one, name=f"{one.name}/{targets[one.target]}") for one in series]
