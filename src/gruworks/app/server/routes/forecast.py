"""`POST /v1/forecast` and `/v1/columns`: a table in, forecasts with bands and naive lines out."""

from __future__ import annotations

import math
from typing import Any

import numpy
from fastapi import APIRouter, Response

from gruworks.app.server import tables
from gruworks.app.server.bodies import CheckedRoute
from gruworks.app.server.replies import RequestError, encoded, within
from gruworks.app.server.schemas import Columns, ColumnsOf, Forecast
from gruworks.app.server.service import Service
from gruworks.errors import GruworksError

__all__ = ["router"]

HISTORY = 400  # rows of a series that are sent back


def router(service: Service) -> APIRouter:
    routes, limits = APIRouter(tags=["forecast"], route_class=CheckedRoute), service.limits

    @routes.post("/v1/columns", summary="What the columns of a table are")
    async def columns(asked: ColumnsOf) -> dict[str, Any]:
        return await service.apart(lambda: tables.look(tables.parse(asked.csv, limits)))

    @routes.post("/v1/forecast", summary="Forecast a table, or what a model was fitted on")
    async def forecast(asked: Forecast) -> Response:
        if asked.csv is not None and asked.rows is not None:
            raise RequestError(400, "expected csv or rows, not both", "rows")
        model = service.shelf.find("forecast", asked.model)
        # one at a time: a table gains nothing from the others, and would wait for them
        answer = service.batcher(model.name, lambda items: [answered(service, model, one) for one in items], most=1)
        return await service.apart(encoded, await within(limits.seconds, answer.ask(asked)))

    return routes


def answered(service: Service, model: Any, asked: Forecast) -> dict[str, Any]:
    """The forecast of one request; a horizon shorter than the model's cuts it."""
    forecaster = model.estimator
    horizon = asked.horizon or forecaster.config.horizon
    if horizon > min(forecaster.config.horizon, service.limits.horizon):
        raise RequestError(400, f"this model looks {forecaster.config.horizon} steps ahead, not {horizon}", "horizon")
    table = _table(asked, service)
    columns = None if table is None else _renamed(table, asked.columns, forecaster.config)
    try:
        return _forecast(forecaster, columns, horizon, service.limits.series, asked)
    except GruworksError as error:
        raise RequestError(400, str(error), "csv") from error


def _table(asked: Forecast, service: Service) -> list[list[str]] | None:
    if asked.csv is not None:
        return tables.parse(asked.csv, service.limits)
    if asked.rows is not None:
        return tables.of_rows(asked.rows, service.limits)
    return None


def _renamed(table: list[list[str]], columns: Columns | None, config: Any) -> dict[str, list[str]]:
    """The table's columns under the names of the fit: those that are asked for, else those that are guessed."""
    head = table[0]
    guess = tables.look(table)["guess"]
    given = {} if columns is None else {k: v for k, v in columns.model_dump().items() if v is not None}
    for name in given.values():
        if name not in head:
            raise RequestError(400, f"the table has no column {name!r}; it has: {', '.join(head)}", "columns")
    wanted = {"time": config.time, "target": config.targets[0], "id": config.series}
    for role, own in wanted.items():
        name = given.get(role) or (own if own in head else guess[role])
        if name is not None and name != own:
            head = [f"{one} (other)" if one == own else own if one == name else one for one in head]
    return {name: [row[i] for row in table[1:]] for i, name in enumerate(head)}


def _forecast(
    forecaster: Any, columns: dict[str, list[str]] | None, horizon: int, most: int, asked: Forecast
) -> dict[str, Any]:
    panel = None if columns is None else forecaster.read(columns)
    series = forecaster.history if panel is None else panel.series
    if len(series) > most:
        raise RequestError(413, f"there are {len(series)} series; at most {most} are forecast at once", "csv")
    frame = forecaster.predict(panel, level=asked.level)
    rows = dict(list(frame.groupby("unique_id", sort=False)))
    shown = [_shown(forecaster, one, rows[one.name], horizon, asked.level) for one in series if one.target == 0]
    remarks = list(forecaster.remarks) if panel is None else list(panel.notes)
    tested = _backtest(forecaster, columns) if asked.backtest else None
    return {"series": shown, "remarks": remarks, "backtest": tested, "horizon": horizon}


def _shown(forecaster: Any, series: Any, rows: Any, horizon: int, level: list[float]) -> dict[str, Any]:
    head = "y_hat" if len(forecaster.config.targets) == 1 else f"{forecaster.config.targets[0]}_hat"
    rows = rows.head(horizon)
    bands = {side: {f"{one:g}": plain(rows[f"{head}-{side}-{one:g}"]) for one in level} for side in ("lo", "hi")}
    past = slice(max(0, len(series) - HISTORY), None)
    gate = forecaster.gate
    return {
        "id": series.name,
        "history": {"ds": stamps(series.stamps[past]), "y": plain(series.y[past])},
        "forecast": {"ds": stamps(rows["ds"].to_numpy()), "y_hat": plain(rows[head]), **bands},
        "naive": {name: plain(line[0][:horizon]) for name, line in forecaster.naive(series).items()},
        "skill": {"weight": gate.weight, "naive": gate.naive, "ratio": gate.ratio, "said": str(gate)},
    }


def _backtest(forecaster: Any, columns: dict[str, list[str]] | None) -> dict[str, Any] | None:
    """Errors on the table's rows that the fit has not seen, or on those that it held out."""
    found = forecaster.held_out() if columns is None else forecaster.evaluate(columns)
    return None if found is None else sound(found.to_dict())


def stamps(values: Any) -> list[Any]:
    array = numpy.asarray(values)
    if array.dtype.kind == "M":
        seconds = array.astype("datetime64[s]")
        days = (seconds == seconds.astype("datetime64[D]")).all()
        return [str(one) for one in (seconds.astype("datetime64[D]") if days else seconds)]
    return [one.item() for one in array]


def plain(values: Any) -> list[float | None]:
    """Numbers as JSON has them: what is no number is null."""
    return [float(one) if math.isfinite(one) else None for one in numpy.asarray(values, dtype=numpy.float64)]


def sound(value: Any) -> Any:
    """Nested plain values without NaN."""
    if isinstance(value, dict):
        return {key: sound(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [sound(one) for one in value]
    if isinstance(value, float | numpy.floating):
        return float(value) if math.isfinite(value) else None
    return value.item() if isinstance(value, numpy.generic) else value
