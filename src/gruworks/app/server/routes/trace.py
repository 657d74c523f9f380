"""`POST /v1/trace`: gates and states over time, of fresh cells side by side, a trained unit, or a model's own."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from gruworks.app.server.replies import RequestError, within
from gruworks.app.server.routes.forecast import sound
from gruworks.app.server.schemas import Trace
from gruworks.app.server.service import Service

__all__ = ["router"]


def router(service: Service) -> APIRouter:
    routes, limits = APIRouter(tags=["look inside"]), service.limits

    @routes.post("/v1/trace", summary="Gates and states, step by step")
    async def trace(asked: Trace) -> dict[str, Any]:
        given = [one for one in (asked.numbers, asked.text) if one is not None]
        if len(given) != 1 or not given[0]:
            raise RequestError(400, "expected numbers or a text to read, one of them", "numbers")
        if len(given[0]) > limits.steps:
            raise RequestError(413, f"{len(given[0])} steps are more than {limits.steps}", "numbers")
        model = None if asked.model is None else service.named(asked.model)
        answer = service.batcher("look inside", looked).ask((asked, model))
        return {"traces": sound(await within(limits.seconds, answer))}

    return routes


def looked(items: list[tuple[Trace, Any]]) -> list[list[dict[str, Any]]]:
    return [_looked(asked, model) for asked, model in items]


def _looked(asked: Trace, model: Any) -> list[dict[str, Any]]:
    if model is None:
        from gruworks.lab.side_by_side import side_by_side

        return side_by_side(asked.cells, asked.numbers, asked.text, asked.hidden, asked.seed)
    from gruworks.lab.gates import of_run
    from gruworks.lab.side_by_side import told

    if asked.text is None:
        raise RequestError(400, f"{model.name} reads text, not numbers", "numbers")
    if model.task not in ("generate", "translate"):
        raise RequestError(
            400, f"{model.name} is a model of {model.task}; those of generate and translate read text", "model"
        )
    return [told("gru", of_run(model.path, text=asked.text))]
