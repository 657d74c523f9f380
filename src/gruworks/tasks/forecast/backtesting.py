"""Rolling origins: what a forecaster and the naive forecasts would have said, beside what came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy
from numpy.typing import NDArray

from gruworks.tasks.forecast.data import split_rows
from gruworks.tasks.forecast.evaluation import Evaluation, origin_rows, score
from gruworks.tasks.forecast.features.encoding import Codec
from gruworks.tasks.forecast.features.naive import naive_forecasts
from gruworks.tasks.forecast.frames import interval_columns, levels
from gruworks.tasks.forecast.series.panel import Panel, Series

if TYPE_CHECKING:
    from gruworks.tasks.forecast.estimator import Forecaster

__all__ = ["Backtest", "backtest", "held_out"]

Floats = NDArray[numpy.float64]
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


def backtest(forecaster: Forecaster, panel: Panel, origins: int | None, refit: int, quiet: bool | None) -> Backtest:
    """See `Forecaster.backtest`."""
    horizon = forecaster.config.horizon
    rows = [
        origin_rows(len(one), horizon, origins, forecaster._seen(one) if forecaster.fitted else None)
        for one in panel.series
    ]
    level = levels(LEVELS)
    most = max(map(len, rows))
    starts = [0] if forecaster.fitted or not refit else list(range(0, most, refit))
    answers: list[list[Floats]] = [[] for _ in rows]
    fresh = not forecaster.fitted
    for start, stop in zip(starts, [*starts[1:], most], strict=True):
        if fresh:
            forecaster._fit(_before(panel, rows, start), None, False, quiet)
        for i, (one, at) in enumerate(zip(panel.series, rows, strict=True)):
            if len(at[start:stop]):
                which = forecaster.streams.number(one)
                answers[i].append(forecaster.predictor.quantiles(one, at[start:stop], level, which))
    codec = forecaster._codec
    naive = [
        naive_forecasts(s, codec, at, horizon, forecaster.config.periods)
        for s, at in zip(panel.series, rows, strict=True)
    ]
    name = "GRU" if forecaster.model is not None else "autoregression alone"
    verdict = str(forecaster.blend) if forecaster.model is not None and forecaster.config.gate else ""
    found: Sequence[Floats] = [numpy.concatenate(parts) for parts in answers]
    return Backtest(
        _named(panel.series, forecaster.config.targets), codec, rows, list(found), naive, name, verdict, panel.backend
    )


def held_out(forecaster: Forecaster) -> Evaluation | None:
    """Errors on the rows that the fit held out, a horizon apart; None where some series has none of them."""
    config, codec, rows, series, answers = forecaster.config, forecaster._codec, [], [], []
    for which, one in enumerate(forecaster.history):
        _, first, last = split_rows(len(one), config.horizon, config.validation)
        at = numpy.sort(numpy.arange(last - 1, max(first, 3) - 1, -config.horizon))
        if len(at) and not numpy.isnan(one.y[at[0] + 1 :]).all():
            rows.append(at)
            series.append(one)
            answers.append(forecaster.predictor.quantiles(one, at, levels(LEVELS), which))
    if not rows:
        return None
    naive = [naive_forecasts(s, codec, at, config.horizon, config.periods) for s, at in zip(series, rows, strict=True)]
    name = "GRU" if forecaster.model is not None else "autoregression alone"
    return Backtest(
        _named(series, config.targets), codec, rows, answers, naive, name, str(forecaster.blend)
    ).evaluation()


def _before(panel: Panel, rows: list[NDArray[numpy.int64]], start: int) -> Panel:
    """What was known at the origin number `start` of each series."""
    past = [one.until(int(at[min(start, len(at) - 1)]) + 1) for one, at in zip(panel.series, rows, strict=True)]
    return Panel(past, panel.frequency, panel.backend)


def _named(series: list[Series], targets: tuple[str, ...]) -> list[Series]:
    """Names that tell several targets of one series apart."""
    if len(targets) == 1:
        return series
    return [replace(one, name=f"{one.name}/{targets[one.target]}") for one in series]
