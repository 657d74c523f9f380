"""One request and its response: limits on body size and time, cancellation for clients that left, security headers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import Any

from fastapi import HTTPException  # FastAPI takes starlette's own for an error of its parser

from gruworks.app.server.access import header
from gruworks.app.server.responses import FAULT, problem

__all__ = ["HEADERS", "Exchange"]

log = logging.getLogger("gruworks.server")
DRAINED, DRAIN_SECONDS = 1_000_000, 1.0  # read of a refused request, for clients that send before they read
CLOSE = {"connection": "close"}
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


class Exchange:
    """An HTTP request of at most `most` bytes, received within `seconds`, and its response."""

    def __init__(self, scope: Any, receive: Any, send: Any, most: int, seconds: float) -> None:
        self.scope, self._receive, self._send = scope, receive, send
        self.most, self.seconds, self.until = most, seconds, time.monotonic() + seconds
        self.status, self.seen = 500, 0
        has_body = header(scope, b"content-length") not in ("", "0") or header(scope, b"transfer-encoding") != ""
        self.whole, self.started, self.finished = not has_body, False, False
        self.watcher: asyncio.Task[None] | None = None

    async def run(self, app: Any) -> None:
        """Run the application; the work is cancelled when the client leaves before the end of the response."""
        task: asyncio.Task[None] = asyncio.create_task(app(self.scope, lambda: self.receive(task), self.send))
        try:
            await asyncio.wait([task])
        finally:
            task.cancel()
            if self.watcher is not None:
                self.watcher.cancel()
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, Exception):
            log.error("%s %s", self.scope["method"], self.scope["path"], exc_info=error)
            if not self.started:
                await problem(500, FAULT)(self.scope, self._receive, self.send)

    async def refuse(self, answer: Any) -> None:
        """Send an error response; a small body is read first, so that the client gets the response."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                while not self.whole and self.seen < DRAINED and not header(self.scope, b"expect"):
                    await self._read()
        await answer(self.scope, self._receive, self.send)

    async def receive(self, task: asyncio.Task[None]) -> Any:
        """The next message for the application.

        Raises:
            HTTPException: the body exceeds its limit of size or time.
        """
        if self.whole:
            return await self._receive()
        try:
            async with asyncio.timeout(self.until - time.monotonic()):
                message = await self._read()
        except TimeoutError:
            raise HTTPException(408, f"the request was not complete after {self.seconds:g} s", CLOSE) from None
        if self.seen > self.most:
            raise HTTPException(413, f"the request has more than {self.most} bytes", CLOSE)
        if message["type"] == "http.request" and not message.get("more_body", False):
            self.watcher = asyncio.create_task(self._watch(task))
        return message

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status, self.started = message["status"], True
            added = HEADERS if self.whole else HEADERS | CLOSE
            given = {name.lower() for name, _ in message.get("headers", [])}
            more = [(k.encode(), v.encode()) for k, v in added.items() if k.encode() not in given]
            message = message | {"headers": [*message.get("headers", []), *more]}
        elif not message.get("more_body"):
            self.finished = True
        await self._send(message)

    async def _read(self) -> Any:
        message = await self._receive()
        self.seen += len(message.get("body", b""))
        self.whole = not message.get("more_body", False)
        return message

    async def _watch(self, task: asyncio.Task[None]) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        if not self.finished:
            task.cancel()
