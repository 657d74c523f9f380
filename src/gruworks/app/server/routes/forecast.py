"""`POST /v1/forecast` and `/v1/columns`: forecasts of a table with prediction intervals and naive forecasts."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import numpy
from fastapi import APIRouter, Response

from gruworks.app.plain import plain as in_plain_words
from gruworks.app.server.bodies import CheckedRoute
from gruworks.app.server.panels import few, located, notes, panel_of, understood
from gruworks.app.server.responses import RequestError
from gruworks.app.server.schemas import ColumnsOf, Forecast
from gruworks.app.server.service import Service
from gruworks.errors import GruworksError

__all__ = ["router"]

HISTORY = 400  # rows of a series that are sent back
NAIVE = "naive forecast"  # in the place of a model's name


def router(service: Service) -> APIRouter:
    routes = APIRouter(tags=["forecast"], route_class=CheckedRoute)

    @routes.post("/v1/columns", summary="Kinds and likely roles of the columns of a table, and what is read of it")
    async def columns(asked: ColumnsOf) -> dict[str, Any]:
        return await service.apart(understood, asked, service.limits)

    @routes.post("/v1/forecast", summary="Forecast a table, or the series that a model was fitted on")
    async def forecast(asked: Forecast) -> Response:
        if asked.csv is not None and asked.rows is not None:
            raise RequestError(400, "expected csv or rows, not both", "rows")
        table = asked.csv is not None or asked.rows is not None
        model = None if table and asked.model is None else service.loaded.find("forecast", asked.model)
        name = NAIVE if model is None else model.name
        return await service.respond(await service.alone(name, answered, service, model, asked))

    return routes


def answered(service: Service, model: Any, asked: Forecast) -> dict[str, Any]:
    """The forecast of one request: by `model`, or of a table by the best naive forecast where it is None."""
    forecaster: Any = None if model is None else model.estimator
    limits = service.limits
    horizon = _horizon(asked, forecaster, limits.horizon)
    try:
        panel = panel_of(asked, forecaster, limits)
        if panel is None:
            few(forecaster.history, limits.series)
        found, note = _forecast(model, panel, horizon, asked)
    except GruworksError as error:
        raise located(error) from error
    alone = model is None or bool(note)
    places = [at for at, one in enumerate(found.series) if one.target == 0]
    return {
        "series": [_shown(found, at, horizon, asked.level, alone) for at in places],
        "warnings": list(forecaster.fit_warnings if panel is None else panel.notes),
        "notes": ([] if panel is None else notes(panel)) + note,
        "backtest": _tested(found) if asked.backtest else None,
        "plain": _plain(found) if asked.backtest else None,
        "frequency": found.frequency.kind[0],
        "horizon": horizon,
        "model": None if alone else model.name,
        "answered_by": found.by,
    }


def _horizon(asked: Forecast, forecaster: Any, most: int) -> int:
    """The number of steps to return: at most the model's own horizon."""
    from gruworks.tasks.forecast.config import Config

    own = Config.horizon if forecaster is None else forecaster.config.horizon
    limit = most if forecaster is None else min(own, most)
    wanted: int = asked.horizon or min(own, limit)
    if wanted > limit:
        whose = "on this server" if forecaster is None else "with this model"
        text = f"expected at most {limit} steps ahead {whose}, got {wanted}"
        raise RequestError(400, text, "horizon", "horizon", most=limit)
    return wanted


def _forecast(model: Any, panel: Any, horizon: int, asked: Forecast) -> tuple[Any, list[dict[str, Any]]]:
    """The forecast, and a note where the frequency of the table is not that of the named model."""
    from gruworks.tasks.forecast.table_forecast import by_fit, by_model, by_naive, is_of_fit, reads

    if model is None:
        return by_naive(panel, horizon, asked.level), []
    forecaster = model.estimator
    if panel is not None and not reads(forecaster, panel):
        values = {"model": model.name, "own": forecaster.frequency.kind[0], "table": panel.frequency.kind[0]}
        return by_naive(panel, horizon, asked.level), [{"code": "other-frequency", "values": values}]
    if panel is None or is_of_fit(forecaster, panel):
        return by_fit(forecaster, panel, asked.level, asked.backtest), []
    return by_model(forecaster, panel, asked.level, asked.backtest), []


def _shown(found: Any, at: int, horizon: int, level: list[float], alone: bool) -> dict[str, Any]:
    series, quantiles, blend = found.series[at], found.quantiles[at][:horizon], found.blend
    past = slice(max(0, len(series) - HISTORY), None)
    bands = {
        side: {f"{one:g}": plain(quantiles[:, 1 + 2 * i + j]) for i, one in enumerate(level)}
        for j, side in enumerate(("lo", "hi"))
    }
    ahead = found.frequency.future(series.timestamps[-1], horizon)
    skill = {"weight": blend.weight, "naive": blend.naive, "ratio": blend.ratio, "said": _said(found, alone)}
    return {
        "id": series.name,
        "history": {"ds": stamps(series.timestamps[past]), "y": plain(series.y[past])},
        "forecast": {"ds": stamps(ahead), "y_hat": plain(quantiles[:, 0]), **bands},
        "naive": {name: plain(line[:horizon]) for name, line in found.naive[at].items()},
        "skill": skill | {"weighed": found.weighed},
    }


def _said(found: Any, alone: bool) -> str:
    if alone:
        return f"this is the naive forecast with the least error on this table ({found.blend.naive}), without a model"
    if found.by == "autoregression":
        return "there were too few rows to fit a network: this is an autoregression on differences"
    if found.by == "baselines":
        from gruworks.tasks.forecast.combination.blending import AUTOREGRESSION

        return f"there were too few rows to fit a network: {found.blend.parts(AUTOREGRESSION)}"
    return str(found.blend) if found.weighed else "this is the network alone: its skill on this series was not measured"


def _tested(found: Any) -> dict[str, Any] | None:
    """Errors of all forecasts, the name of the one that is shown, and the kind of rows: "past" or "held out"."""
    if found.evaluation is None:
        return None
    scores = found.evaluation.scores
    ours = next((one.model for one in scores if one.coverage is not None), found.blend.naive)
    return {**found.evaluation.to_dict(), "answer": ours, "rows": found.tested}


def _plain(found: Any) -> dict[str, Any] | None:
    """Errors beside the best simple rule, for a sentence in the language of the page."""
    if found.evaluation is None:
        return None
    own = "" if any(one.coverage is not None for one in found.evaluation.scores) else found.blend.naive
    return asdict(in_plain_words(found.evaluation, found.frequency, found.tested, own, _steps(found) if own else 0))


def _steps(found: Any) -> int:
    """Rows from the first origin to the end of the last target, where origins are not a horizon apart."""
    stamps, evaluation = found.series[0].timestamps, found.evaluation
    kind = numpy.datetime64 if stamps.dtype.kind == "M" else int
    first, last = (numpy.searchsorted(stamps, kind(one)) for one in (evaluation.first_origin, evaluation.last_origin))
    return int(last - first) + int(evaluation.horizon)


def stamps(values: Any) -> list[Any]:
    array = numpy.asarray(values)
    if array.dtype.kind == "M":
        seconds = array.astype("datetime64[s]")
        days = (seconds == seconds.astype("datetime64[D]")).all()
        return [str(one) for one in (seconds.astype("datetime64[D]") if days else seconds)]
    return [one.item() for one in array]


def plain(values: Any) -> list[float | None]:
    """Numbers for JSON: NaN and infinity are None."""
    return [float(one) if math.isfinite(one) else None for one in numpy.asarray(values, dtype=numpy.float64)]
