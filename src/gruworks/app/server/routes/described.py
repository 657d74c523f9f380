"""`POST /v1/TASK` of a task that has no module of its own here, made from its description and its `Options`."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from pydantic import create_model

from gruworks.app.server.bodies import CheckedRoute
from gruworks.app.server.responses import RequestError, encoded, within
from gruworks.app.server.schemas import Text, chosen, request
from gruworks.app.server.service import Service
from gruworks.tasks import registry
from gruworks.tasks.description import Task

__all__ = ["router"]


def router(service: Service, task: Task) -> APIRouter:
    routes, limits = APIRouter(tags=[task.name], route_class=CheckedRoute), service.limits
    options = registry.settings(task.name, "Options")

    async def answer(asked: Any) -> Response:
        if len(asked.input) > limits.characters:
            told = f"the input has {len(asked.input)} characters, more than {limits.characters}"
            raise RequestError(413, told, "input")
        model = service.loaded.find(task.name, asked.model)
        values = chosen(options, asked, model.options).to_dict()
        batcher = service.batcher(model.name, lambda items: [_answered(task, model, *one) for one in items], most=1)
        found = await within(limits.seconds, batcher.ask((asked.input, values)))
        return await service.apart(encoded, {"answer": found, "model": model.name})

    schema = create_model(task.name.capitalize(), __base__=request(options), input=(Text, ...))
    answer.__annotations__["asked"] = schema
    routes.post(f"/v1/{task.name}", summary=task.purpose)(answer)
    return routes


def _answered(task: Task, model: Any, given: str, options: dict[str, Any]) -> Any:
    return getattr(model.estimator, task.method)(given, **options)
