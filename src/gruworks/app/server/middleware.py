"""Checks before any route: access, body size, requests at once; metrics. Plain ASGI, so that it sees every byte."""

from __future__ import annotations

import time
from typing import Any

from gruworks.app.server.access import OPEN, Access, header
from gruworks.app.server.exchange import Exchange
from gruworks.app.server.limits import Limits
from gruworks.app.server.metrics import ACTIVE, REQUESTS, SECONDS
from gruworks.app.server.responses import problem

__all__ = ["RequestMiddleware"]

UPLOADS = {"/v1/transcribe": "upload", "/v1/fit/recordings": "archive"}  # routes whose body has a limit of its own


class RequestMiddleware:
    """The outermost ASGI middleware of the application."""

    def __init__(self, app: Any, limits: Limits, access: Access) -> None:
        self.app, self.limits, self.access = app, limits, access
        self.active = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await (self.access.refusal(scope) or self.app)(scope, receive, send)
        elif scope["type"] == "http":
            await self._counted(Exchange(scope, receive, send, self._most(scope), self.limits.body_seconds))
        else:
            await self.app(scope, receive, send)

    async def _counted(self, exchange: Exchange) -> None:
        begun = time.perf_counter()
        ACTIVE.inc()
        try:
            refusal = self._refusal(exchange.scope)
            if refusal is not None:
                await exchange.refuse(refusal)
            else:
                self.active += 1
                try:
                    await exchange.run(self.app)
                finally:
                    self.active -= 1
        finally:
            ACTIVE.dec()
            route = getattr(exchange.scope.get("route"), "path", "other")
            REQUESTS.labels(route, str(exchange.status)).inc()
            SECONDS.labels(route).observe(time.perf_counter() - begun)

    def _refusal(self, scope: Any) -> Any:
        refusal = self.access.refusal(scope)
        if refusal is not None:
            return refusal
        if self.active >= self.limits.requests and scope["path"] not in OPEN:
            return problem(503, f"{self.active} requests are being answered: try again in a moment")
        length = header(scope, b"content-length")
        if length.isdigit() and int(length) > self._most(scope):
            return problem(413, f"the request has {length} bytes, more than {self._most(scope)}")
        return None

    def _most(self, scope: Any) -> int:
        most: int = getattr(self.limits, UPLOADS.get(scope["path"], "body"))
        return most
