"""`POST /v1/trace`: gates and states over time, of untrained cells side by side, a trained GRU, or a model."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any

from fastapi import APIRouter, Response

from gruworks.app.server.bodies import CheckedRoute
from gruworks.app.server.responses import RequestError, at_most, encoded
from gruworks.app.server.schemas import Trace
from gruworks.app.server.service import Service
from gruworks.tasks import registry

__all__ = ["Remembered", "router"]

KEPT = 64_000_000  # bytes of responses in the cache


def router(service: Service) -> APIRouter:
    routes, limits = APIRouter(tags=["look inside"], route_class=CheckedRoute), service.limits
    answers = Remembered(KEPT)

    @routes.post("/v1/trace", summary="Gates and states, step by step")
    async def trace(asked: Trace) -> Response:
        given = [one for one in (asked.numbers, asked.text) if one is not None]
        if len(given) != 1 or not given[0]:
            raise RequestError(400, "expected either numbers or a text", "numbers")
        at_most(limits.steps, len(given[0]), "steps", "numbers")
        model = None if asked.model is None else service.loaded.named(asked.model)
        if model is None:
            units = asked.hidden * len(asked.cells)
        else:
            units = int(model.run.read_json("config.json").get("hidden_size", 1))
        at_most(limits.traced, len(given[0]) * units, "steps times units", "hidden")
        # training takes seconds: requests without it have a thread of their own and need not wait
        trained = model is None and asked.numbers is not None and (asked.trained or asked.cells == ["gru"])
        thread = "number lines" if trained else "look inside"
        answer = await service.alone(thread, answers.of, asked.model_dump_json(), lambda: _body(asked, model))
        return Response(answer, media_type="application/json")

    return routes


class Remembered:
    """Cache of responses, least recently used first out, of at most `most` bytes."""

    def __init__(self, most: int) -> None:
        self.most, self.size = most, 0
        self.answers: OrderedDict[Hashable, bytes] = OrderedDict()
        self.lock = threading.Lock()

    def of(self, key: Hashable, work: Any) -> bytes:
        """The response for `key`, from `work()` where it is not cached."""
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


def _body(asked: Trace, model: Any) -> bytes:
    return bytes(encoded({"traces": _traces(asked, model)}).body)


def _traces(asked: Trace, model: Any) -> list[dict[str, Any]]:
    if model is None:
        from gruworks.lab.side_by_side import TRAINED, side_by_side, trained_side_by_side

        if asked.trained:
            if asked.numbers is None or len(asked.numbers) not in TRAINED:
                text = f"trained cells read {TRAINED.start} to {TRAINED.stop - 1} numbers"
                raise RequestError(400, text, "numbers", "few-numbers")
            return trained_side_by_side(asked.cells, asked.numbers, asked.seed)
        return side_by_side(asked.cells, asked.numbers, asked.text, asked.hidden, asked.seed)
    from gruworks.lab.gates import of_run
    from gruworks.lab.side_by_side import told

    if asked.text is None:
        raise RequestError(400, f"expected a text for {model.name}, got numbers", "numbers")
    if registry.find(model.task).reads != "text":
        readers = " and ".join(task.name for task in registry.TASKS.values() if task.reads == "text")
        raise RequestError(
            400, f"{model.name} is a model of {model.task}: choose one of {readers}, which read text", "model"
        )
    return [told("gru", of_run(model.path, text=asked.text))]
