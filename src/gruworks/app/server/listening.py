"""Connections of the server: silent and slow ones are closed, streams are ended before it stops."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from gruworks.app.server.limits import Limits

__all__ = ["Server", "Waiting", "server"]

HEAD_BYTES = 65_536  # of request line and headers
LAST_EVENT = 1.0  # seconds for the last events of streams
GRACE = 5  # seconds for requests in progress
KEEP_ALIVE = 20  # seconds between two requests of one connection


class Waiting:
    """Connections without a request so far, oldest first: at most `most`, and `most_of_one` of one address."""

    def __init__(self, most: int, most_of_one: int) -> None:
        self.most, self.most_of_one = most, most_of_one
        self.connections: dict[Any, str] = {}

    def add(self, connection: Any, address: str) -> None:
        """Add a connection; the oldest of its address, or of all, is closed where there are too many."""
        self.connections[connection] = address
        own = [one for one, other in self.connections.items() if other == address]
        if len(own) > self.most_of_one or len(self.connections) > self.most:
            oldest = own[0] if len(own) > self.most_of_one else next(iter(self.connections))
            self.remove(oldest)
            oldest.transport.close()

    def remove(self, connection: Any) -> None:
        """Remove a connection that has sent a request or was closed."""
        self.connections.pop(connection, None)


def _protocol(waiting: Waiting, head_seconds: float) -> type[asyncio.Protocol]:
    """uvicorn's HTTP protocol with a time limit for the head of a request."""
    base: Any = AutoHTTPProtocol

    class Connection(base):  # type: ignore[misc]
        head_timer: asyncio.TimerHandle | None = None
        head_bytes = 0

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._wait(head_seconds)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.cycle is not None and not self.cycle.response_complete:
                self._waited()
            elif self.head_timer is not None:
                self.head_bytes += len(data)
                if self.head_bytes > HEAD_BYTES:
                    self.transport.close()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            if self.cycle.response_complete and not self.transport.is_closing():
                self._wait(KEEP_ALIVE + head_seconds)

        def handle_websocket_upgrade(self, *given: Any) -> None:
            self._waited()
            super().handle_websocket_upgrade(*given)

        def connection_lost(self, error: Exception | None) -> None:
            self._waited()
            super().connection_lost(error)

        def _wait(self, seconds: float) -> None:
            self._waited()
            self.head_bytes = 0
            self.head_timer = self.loop.call_later(seconds, self.transport.close)
            waiting.add(self, self.client[0] if self.client else "")

        def _waited(self) -> None:
            waiting.remove(self)
            if self.head_timer is not None:
                self.head_timer.cancel()
                self.head_timer = None

    return Connection


class Server(uvicorn.Server):
    """uvicorn's server; streams get their last event before their connections are closed."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self.config.app.state.service.end_streams(LAST_EVENT)  # type: ignore[union-attr]
        await super().shutdown(sockets)


def server(app: Any, limits: Limits) -> Server:
    """The server of an application, not yet started."""
    waiting = Waiting(limits.silent, limits.silent_of_one)
    return Server(
        uvicorn.Config(
            app, http=_protocol(waiting, limits.head_seconds), log_level="warning", server_header=False,
            timeout_keep_alive=KEEP_ALIVE, timeout_graceful_shutdown=GRACE, ws_max_size=4_000_000,
            h11_max_incomplete_event_size=HEAD_BYTES,
        )
    )  # fmt: skip
