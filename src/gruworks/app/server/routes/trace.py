"""`POST /v1/trace`: gates and states over time, of fresh cells side by side, a trained unit, or a model's own."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any

from fastapi import APIRouter, Response

from gruworks.app.server.bodies import CheckedRoute
from gruworks.app.server.responses import RequestError, encoded, within
from gruworks.app.server.schemas import Trace
from gruworks.app.server.service import Service
from gruworks.tasks import registry

__all__ = ["Remembered", "router"]

KEPT = 64_000_000  # bytes of answers that are remembered


def router(service: Service) -> APIRouter:
    routes, limits, answers = (
        APIRouter(tags=["look inside"], route_class=CheckedRoute),
        service.limits,
        Remembered(KEPT),
    )

    def looked(items: list[tuple[Trace, Any]]) -> list[bytes]:
        return [
            answers.of(_key(asked), lambda asked=asked, model=model: _looked(asked, model)) for asked, model in items
        ]

    @routes.post("/v1/trace", summary="Gates and states, step by step")
    async def trace(asked: Trace) -> Response:
        given = [one for one in (asked.numbers, asked.text) if one is not None]
        if len(given) != 1 or not given[0]:
            raise RequestError(400, "expected numbers or a text to read, one of them", "numbers")
        if len(given[0]) > limits.steps:
            raise RequestError(413, f"{len(given[0])} steps are more than {limits.steps}", "numbers")
        model = None if asked.model is None else service.named(asked.model)
        size = len(given[0]) * (asked.hidden * len(asked.cells) if model is None else _units(model))
        if size > limits.traced:
            raise RequestError(413, f"steps times units are {size}, more than {limits.traced}: ask for fewer", "hidden")
        # training takes seconds: what takes none has a thread of its own and does not wait for it
        kind = (
            "number lines" if model is None and asked.numbers is not None and asked.cells == ["gru"] else "look inside"
        )
        answer = service.batcher(kind, looked, most=1).ask((asked, model))
        return Response(await within(limits.seconds, answer), media_type="application/json")

    return routes


class Remembered:
    """Answers by what was asked; those not asked for longest are forgotten once there are more than `most` bytes."""

    def __init__(self, most: int) -> None:
        self.most, self.size = most, 0
        self.answers: OrderedDict[Hashable, bytes] = OrderedDict()
        self.lock = threading.Lock()

    def of(self, key: Hashable, work: Any) -> bytes:
        """The answer to `key`, from `work()` where it is not known."""
        with self.lock:
            if key in self.answers:
                self.answers.move_to_end(key)
                return self.answers[key]
        found: bytes = work()
        with self.lock:
            self.size += len(found) - len(self.answers.pop(key, b""))
            self.answers[key] = found
            while self.size > self.most:
                self.size -= len(self.answers.popitem(last=False)[1])
        return found


def _key(asked: Trace) -> Hashable:
    numbers = None if asked.numbers is None else tuple(asked.numbers)
    return numbers, asked.text, asked.model, tuple(asked.cells), asked.hidden, asked.seed


def _units(model: Any) -> int:
    return int(model.run.read_json("config.json").get("hidden_size", 1))


def _looked(asked: Trace, model: Any) -> bytes:
    return bytes(encoded({"traces": _traces(asked, model)}).body)


def _traces(asked: Trace, model: Any) -> list[dict[str, Any]]:
    if model is None:
        from gruworks.lab.side_by_side import side_by_side

        return side_by_side(asked.cells, asked.numbers, asked.text, asked.hidden, asked.seed)
    from gruworks.lab.gates import of_run
    from gruworks.lab.side_by_side import told

    if asked.text is None:
        raise RequestError(400, f"{model.name} reads text, not numbers", "numbers")
    if registry.find(model.task).reads != "text":
        readers = " and ".join(task.name for task in registry.TASKS.values() if task.reads == "text")
        raise RequestError(400, f"{model.name} is a model of {model.task}; those of {readers} read text", "model")
    return [told("gru", of_run(model.path, text=asked.text))]
