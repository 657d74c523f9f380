"""Rolling-origin backtests: forecasts and naive forecasts beside what came."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy
from numpy.typing import NDArray

from gruworks.tasks.forecast.combination.predictor import Predictor
from gruworks.tasks.forecast.data import split_rows
from gruworks.tasks.forecast.evaluation import Evaluation, score
from gruworks.tasks.forecast.features.encoding import Codec
from gruworks.tasks.forecast.features.naive import naive_forecasts
from gruworks.tasks.forecast.frames import interval_columns, levels
from gruworks.tasks.forecast.series.panel import Panel, Series

__all__ = ["Backtest", "backtest", "held_out"]

Floats = NDArray[numpy.float64]
Ints = NDArray[numpy.int64]
LEVELS = (80.0, 95.0)


@dataclass(frozen=True)
class Backtest:
    """Forecasts [O, K, 1 + 2 · levels] of each series at its origins [O], in the order of `frames.levels`."""

    panel: list[Series]
    codec: Codec
    origins: list[NDArray[numpy.int64]]
    answers: list[Floats]
    naive: list[dict[str, Floats]]
    name: str
    verdict: str
    backend: Any = "pandas"
    level: tuple[float, ...] = LEVELS

    def evaluation(self) -> Evaluation:
        """Errors of the forecasts and of the naive ones."""
        quantiles = [answer[..., [1, 0, 2, 3, 4]] for answer in self.answers]
        return score(self.panel, self.codec, self.origins, quantiles, self.naive, self.name, self.verdict)

    def frame(self) -> Any:
        """unique_id, cutoff (the last row that a forecast has seen), ds, y, the forecast and its intervals."""
        import narwhals as nw

        columns: dict[str, list[Any]] = {"unique_id": [], "cutoff": [], "ds": [], "y": []}
        values: dict[str, list[Floats]] = {}
        for one, rows, answer in zip(self.panel, self.origins, self.answers, strict=True):
            ahead = rows[:, None] + numpy.arange(1, answer.shape[1] + 1)
            columns["unique_id"] += [one.name] * ahead.size
            columns["cutoff"].append(numpy.repeat(one.timestamps[rows], answer.shape[1]))
            columns["ds"].append(one.timestamps[ahead].ravel())
            columns["y"].append(one.y[ahead].ravel())
            names = interval_columns("y_hat", self.level)
            for name, part in zip(names, answer.reshape(-1, answer.shape[2]).T, strict=True):
                values.setdefault(name, []).append(part)
        made: dict[str, Any] = {"unique_id": columns.pop("unique_id")}
        made |= {name: numpy.concatenate(parts) for name, parts in (columns | values).items()}
        return nw.from_dict(made, backend=self.backend).to_native()


def backtest(
    panel: Panel, rows: list[Ints], fit: Callable[[Panel], Predictor], number: Callable[[Series], int], refit: int = 0
) -> Backtest:
    """Forecasts at the origins `rows` [O] of each series of `panel`.

    Args:
        fit: gives what predictor, from the rows before an origin; called once, or before every `refit`-th origin.
        number: the number of a series in the last fit.
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
    return _beside(predictor, panel.series, rows, [numpy.concatenate(parts) for parts in found], panel.backend)


def held_out(predictor: Predictor, panel: list[Series]) -> Evaluation | None:
    """Errors on the rows that the fit held out, a horizon apart; None where some series has none of them."""
    config, rows, series, found = predictor.config, [], [], []
    for which, one in enumerate(panel):
        _, first, last = split_rows(len(one), config.horizon, config.validation)
        at = numpy.sort(numpy.arange(last - 1, max(first, 3) - 1, -config.horizon))
        if len(at) and not numpy.isnan(one.y[at[0] + 1 :]).all():
            rows.append(at)
            series.append(one)
            found.append(predictor.quantiles(one, at, levels(LEVELS), which))
    return _beside(predictor, series, rows, found).evaluation() if rows else None


def _beside(
    predictor: Predictor, series: list[Series], rows: list[Ints], found: list[Floats], backend: Any = "pandas"
) -> Backtest:
    """The forecasts that were `found`, beside the naive ones."""
    config, codec = predictor.config, predictor.codec
    naive = [naive_forecasts(s, codec, at, config.horizon, config.periods) for s, at in zip(series, rows, strict=True)]
    name = "GRU" if predictor.model is not None else "autoregression alone"
    verdict = str(predictor.blend) if predictor.model is not None and config.blend else ""
    return Backtest(_named(series, config.targets), codec, rows, found, naive, name, verdict, backend)


def _before(panel: Panel, rows: list[Ints], start: int) -> Panel:
    """The series up to their origin number `start`."""
    past = [one.until(int(at[min(start, len(at) - 1)]) + 1) for one, at in zip(panel.series, rows, strict=True)]
    return Panel(past, panel.frequency, panel.backend)


def _named(series: list[Series], targets: tuple[str, ...]) -> list[Series]:
    """Names that tell several targets of one series apart."""
    if len(targets) == 1:
        return series
    return [replace(one, name=f"{one.name}/{targets[one.target]}") for one in series]
