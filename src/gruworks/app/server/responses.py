"""Error responses of one form, and server-sent events."""

from __future__ import annotations

import asyncio
import json
import reprlib
from collections.abc import Awaitable
from typing import Any, TypeVar

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic_core import to_json
from starlette.exceptions import HTTPException

from gruworks.errors import GruworksError

__all__ = ["FAULT", "STREAMED", "RequestError", "encoded", "event", "install", "problem", "within"]

T = TypeVar("T")
STREAMED = {"cache-control": "no-store", "x-accel-buffering": "no"}  # headers of server-sent events
FAULT = "something went wrong in the server; its log has the details"


class RequestError(GruworksError):
    """A request that gets `status` and one sentence; `code` and `values` say the same to a page with its own words."""

    def __init__(self, status: int, message: str, where: str | None = None, code: str = "", **values: Any) -> None:
        super().__init__(message)
        self.status, self.where, self.code, self.values = status, where, code, values


def problem(
    status: int, message: str, where: str | None = None, headers: dict[str, str] | None = None, **more: Any
) -> JSONResponse:
    """An error: `{"error": {"message": ..., "where": ...}}`, and of `more` what there is."""
    said = " ".join(message.encode("utf-8", "replace").decode().split())
    told = {"message": said[:2000], "where": where} | {name: value for name, value in more.items() if value}
    return JSONResponse({"error": told}, status, headers)


def encoded(value: Any) -> Response:
    """An answer as JSON, what is no number as null; costs time where it is large: call it in a thread."""
    return Response(to_json(value, inf_nan_mode="null"), media_type="application/json")


def event(kind: str, **data: Any) -> str:
    """One server-sent event."""
    return f"event: {kind}\ndata: {json.dumps(data, ensure_ascii=False, allow_nan=False)}\n\n"


async def within(seconds: float, answer: Awaitable[T]) -> T:
    """`answer`, unless it takes longer than a request may."""
    try:
        return await asyncio.wait_for(answer, seconds)
    except TimeoutError:
        raise RequestError(
            408, f"this took longer than {seconds:g} s: ask for less, or try again when it is quieter"
        ) from None


def install(app: FastAPI) -> None:
    """Every error of ours is a 4xx with its sentence; `exchange.py` makes a 500 without details of any other."""

    @app.exception_handler(GruworksError)
    async def ours(_: Request, error: GruworksError) -> JSONResponse:
        if isinstance(error, RequestError):
            return problem(error.status, str(error), error.where, code=error.code, values=error.values)
        return problem(400, str(error))

    @app.exception_handler(RequestValidationError)
    async def unread(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"] if part not in ("body", "query", "path")) or None
        got = "" if first["type"] in ("missing", "json_invalid") else f", got {reprlib.repr(first.get('input')):.80}"
        return problem(422, f"{where or 'the request'}: {first['msg']}{got}", where)

    @app.exception_handler(HTTPException)
    async def other(_: Request, error: HTTPException) -> JSONResponse:
        return problem(error.status_code, str(error.detail), None, dict(error.headers or {}))
