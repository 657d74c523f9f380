"""Before any route: access, body size, security headers, counting. Plain ASGI, so that it sees every byte."""

from __future__ import annotations

import time
from typing import Any

from gruworks.app.server.access import Access, header
from gruworks.app.server.limits import Limits
from gruworks.app.server.metrics import ACTIVE, REQUESTS, SECONDS
from gruworks.app.server.replies import problem

__all__ = ["Guard"]

POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "media-src 'self' blob:; connect-src 'self' ws: wss:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "microphone=(self), camera=(), geolocation=()",
}


class Guard:
    """The outermost layer of the application."""

    def __init__(self, app: Any, limits: Limits, access: Access) -> None:
        self.app, self.limits, self.access = app, limits, access

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await (self.access.refusal(scope) or self.app)(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _http(self, scope: Any, receive: Any, send: Any) -> None:
        begun, status = time.perf_counter(), [500]

        async def guarded(message: Any) -> None:
            if message["type"] == "http.response.start":
                status[0] = message["status"]
                message["headers"] = [
                    *message.get("headers", []),
                    *((k.encode(), v.encode()) for k, v in HEADERS.items()),
                ]
            await send(message)

        ACTIVE.inc()
        try:
            refusal = self._refusal(scope)
            await (refusal or self._limited)(scope, receive, guarded)
        finally:
            ACTIVE.dec()
            route = getattr(scope.get("route"), "path", "other")
            REQUESTS.labels(route, str(status[0])).inc()
            SECONDS.labels(route).observe(time.perf_counter() - begun)

    def _refusal(self, scope: Any) -> Any:
        length = header(scope, b"content-length")
        if length.isdigit() and int(length) > self._most(scope):
            return problem(413, f"the request has {length} bytes, more than {self._most(scope)}")
        return self.access.refusal(scope)

    async def _limited(self, scope: Any, receive: Any, send: Any) -> None:
        """The application, its body counted as it comes: a length that is not told, or told wrongly, ends it too."""
        most, seen = self._most(scope), 0

        async def counted() -> Any:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > most:  # the reader of the body takes it for a client that went away
                return {"type": "http.disconnect"}
            return message

        await self.app(scope, counted, send)

    def _most(self, scope: Any) -> int:
        return self.limits.upload if scope["path"] == "/v1/transcribe" else self.limits.body
