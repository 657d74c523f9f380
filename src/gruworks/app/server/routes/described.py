"""`POST /v1/TASK` of a task that has no module of its own here, made from its description and its `Options`."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from pydantic import create_model

from gruworks.app.server.bodies import CheckedRoute
from gruworks.app.server.responses import at_most
from gruworks.app.server.schemas import Text, chosen, request
from gruworks.app.server.service import Service
from gruworks.tasks import registry
from gruworks.tasks.description import Task

__all__ = ["router"]


def router(service: Service, task: Task) -> APIRouter:
    routes = APIRouter(tags=[task.name], route_class=CheckedRoute)

    async def answer(asked: Any) -> Response:
        at_most(service.limits.characters, len(asked.input), "characters of the input", "input")
        model = service.loaded.find(task.name, asked.model)
        options = chosen(registry.settings(task.name, "Options"), asked, model.options).to_dict()
        found = await service.alone(model.name, lambda: getattr(model.estimator, task.method)(asked.input, **options))
        return await service.respond({"answer": found, "model": model.name})

    schema = create_model(task.name.capitalize(), __base__=request(task.name), input=(Text, ...))
    answer.__annotations__["asked"] = schema
    routes.post(f"/v1/{task.name}", summary=task.purpose)(answer)
    return routes
