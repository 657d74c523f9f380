"""Validation of JSON bodies, of large ones in a thread, so that they don't block the event loop."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

__all__ = ["CheckedRoute", "validated"]

T = TypeVar("T", bound=BaseModel)
SMALL = 20_000  # bytes; below, validation takes less time than starting a thread


class CheckedRoute(APIRoute):
    """A route that validates its body model itself and hands FastAPI the finished object."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()
        model = None if self.body_field is None else self.body_field.field_info.annotation
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            return handler

        async def checked(request: Request) -> Response:
            content = await request.body()
            if content and request.headers.get("content-type", "").split(";")[0].strip() == "application/json":
                apart = request.app.state.service.apart
                small = len(content) <= SMALL
                request._json = validated(model, content) if small else await apart(validated, model, content)
            return await handler(request)

        return checked


def validated(model: type[T], content: bytes) -> T:
    """The object in a JSON text. Of unknown fields only the first is reported.

    Raises:
        RequestValidationError: the text is no JSON, or not what `model` describes.
    """
    try:
        values = from_json(content)
    except ValueError as error:
        found = {"type": "json_invalid", "loc": ("body",), "msg": f"not valid JSON: {error}"}
        raise RequestValidationError([found]) from None
    if isinstance(values, dict):
        unknown = [name for name in values if name not in model.model_fields]
        for name in unknown[1:]:
            del values[name]
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        raise RequestValidationError([first | {"loc": ("body", *first["loc"])}]) from None
