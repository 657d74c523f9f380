"""Error responses of one form, and server-sent events."""

from __future__ import annotations

import asyncio
import json
import reprlib
from collections.abc import AsyncIterator, Awaitable
from typing import Any, TypeVar

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic_core import to_json
from starlette.exceptions import HTTPException

from gruworks.errors import GruworksError

__all__ = ["FAULT", "RequestError", "at_most", "encoded", "event", "install", "problem", "streamed", "within"]

T = TypeVar("T")
FAULT = "something went wrong in the server; its log has the details"


class RequestError(GruworksError):
    """A request refused with `status` and one sentence; `code` and `values` let the page say it in its language."""

    def __init__(self, status: int, message: str, where: str | None = None, code: str = "", **values: Any) -> None:
        super().__init__(message)
        self.status, self.where, self.code, self.values = status, where, code, values


def problem(
    status: int, message: str, where: str | None = None, headers: dict[str, str] | None = None, **more: Any
) -> JSONResponse:
    """The response `{"error": {"message": ..., "where": ...}}`, with those of `more` that are not empty."""
    text = " ".join(message.encode("utf-8", "replace").decode().split())
    error = {"message": text[:2000], "where": where} | {name: value for name, value in more.items() if value}
    return JSONResponse({"error": error}, status, headers)


def at_most(most: float, count: float, what: str, where: str, status: int = 413, code: str = "") -> None:
    """Refuse more of something than a limit of the server.

    Raises:
        RequestError: `count` is above `most`.
    """
    if count > most:
        text = f"expected at most {most:.12g} {what}, got {count:.12g}"
        raise RequestError(status, text, where, code, most=most, count=count)


def encoded(value: Any) -> Response:
    """A JSON response, NaN and infinity as null. Large values take time: call it in a thread."""
    return Response(to_json(value, inf_nan_mode="null"), media_type="application/json")


def streamed(events: AsyncIterator[str]) -> StreamingResponse:
    """A response of server-sent events."""
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)


def event(kind: str, **data: Any) -> str:
    """One server-sent event."""
    return f"event: {kind}\ndata: {json.dumps(data, ensure_ascii=False, allow_nan=False)}\n\n"


async def within(seconds: float, answer: Awaitable[T]) -> T:
    """Await `answer`; a RequestError where it takes longer than a request may."""
    try:
        return await asyncio.wait_for(answer, seconds)
    except TimeoutError:
        raise RequestError(408, f"this took longer than {seconds:g} s: ask for less, or try again later") from None


def install(app: FastAPI) -> None:
    """Turn every error of ours into a 4xx with its sentence; others are a 500 without details (`exchange.py`)."""

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
