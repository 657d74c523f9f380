"""A server on a socket: slow and silent connections, clients that leave, and the end by SIGTERM."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from websockets.sync.client import connect

from gruworks.app.server.application import application
from gruworks.app.server.continuous_batching import ContinuousBatch, Slot
from gruworks.app.server.limits import Limits
from gruworks.app.server.listening import Waiting, server
from gruworks.data.vocabulary import END

LIMITS = Limits(head_seconds=0.3, silent=6, silent_of_one=4)
Served = Callable[..., tuple[int, Any]]
PATIENCE = 120  # seconds for what must come, on a busy machine too


@pytest.fixture
def served() -> Iterator[Served]:
    """Start a server on a free port: the port, and the server."""
    running = []

    def start(limits: Limits = LIMITS) -> tuple[int, Any]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        app = application([], limits)
        found = server(app, limits)
        found.config.port = port
        thread = threading.Thread(target=found.run)
        thread.start()
        running.append((found, thread))
        while not found.started:
            assert thread.is_alive()
            time.sleep(0.01)
        return port, found

    yield start
    for found, thread in running:
        found.should_exit = True
        thread.join(PATIENCE)
        assert not thread.is_alive()


def opened(port: int, sent: bytes = b"") -> socket.socket:
    found = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    found.sendall(sent)
    return found


def ended(one: socket.socket) -> bytes:
    """Bytes that come until the other side closes."""
    parts = []
    while part := one.recv(65_536):
        parts.append(part)
    return b"".join(parts)


HEALTH = b"GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n"


@pytest.mark.parametrize(
    "sent", [b"", b"GET /health HTTP/1.1\r\nhost: 127", HEALTH.replace(b"close", b"keep-alive") + b"G"]
)
def test_a_head_that_does_not_come_whole_ends_the_connection(
    served: Served, sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gruworks.app.server.listening.KEEP_ALIVE", 0.3)
    port, _ = served()
    with opened(port, sent) as slow:
        assert ended(slow).count(b"200 OK") == sent.count(b"\r\n\r\n")


def _flood(endless: socket.socket) -> None:
    for _ in range(10_000):
        endless.sendall(b"x: " + b"y" * 8000 + b"\r\n")


def test_a_head_without_end_is_closed_by_its_size(served: Served) -> None:
    port, _ = served(Limits(head_seconds=60.0))
    with opened(port, b"GET /health HTTP/1.1\r\n") as endless, pytest.raises((BrokenPipeError, ConnectionResetError)):
        _flood(endless)


def test_silent_connections_lock_nobody_out(served: Served) -> None:
    port, _ = served(Limits(head_seconds=60.0, silent=6, silent_of_one=4))
    silent = [opened(port, b"GET / HT") for _ in range(20)]
    with opened(port, HEALTH) as other:
        assert b'{"status":"ok"}' in ended(other)
    for one in silent[:15]:
        assert ended(one) == b""
    for one in silent:
        one.close()


def test_the_oldest_of_an_address_goes_first_and_then_the_oldest_of_all() -> None:
    class Connection:
        def __init__(self, name: str) -> None:
            self.name, self.transport = name, self

        def close(self) -> None:
            closed.append(self.name)

    closed: list[str] = []
    waiting = Waiting(4, 2)
    for name in ("b1", "a1", "a2", "a3", "c1", "d1"):
        waiting.add(Connection(name), name[0])
    assert closed == ["a1", "b1"]
    for one in list(waiting.connections):
        waiting.remove(one)
        waiting.remove(one)
    assert waiting.connections == {}


def written(port: int, body: dict[str, Any]) -> socket.socket:
    content = json.dumps(body).encode()
    head = f"host: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: {len(content)}"
    return opened(port, f"POST /v1/generate HTTP/1.1\r\n{head}\r\n\r\n".encode() + content)


def begun(stream: socket.socket) -> None:
    """Read until a piece has come."""
    seen = b""
    while b"event: piece" not in seen:
        part = stream.recv(65_536)
        assert part
        seen += part


@pytest.fixture
def slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts are written slowly, and end nowhere before their length."""
    tell = ContinuousBatch._tell

    def slow(slots: ContinuousBatch, slot: Slot) -> None:
        time.sleep(0.05)
        slot.token = max(slot.token, END + 1)
        tell(slots, slot)

    monkeypatch.setattr(ContinuousBatch, "_tell", slow)


@pytest.mark.usefixtures("slowly")
def test_the_end_of_the_server_is_an_error_event_of_each_stream(
    served: Served, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gruworks.app.server.listening.LAST_EVENT", float(PATIENCE))
    monkeypatch.setattr("gruworks.app.server.listening.GRACE", PATIENCE)
    port, found = served(Limits(head_seconds=float(PATIENCE)))
    with (
        written(port, {"length": 2000}) as stream,
        connect(f"ws://127.0.0.1:{port}/v1/transcribe/live?rate=8000", ping_interval=None) as live,
    ):
        live.send(bytes(4000))
        assert "partial" in json.loads(live.recv(PATIENCE))
        begun(stream)
        found.should_exit = True  # what SIGTERM sets
        assert b'event: error\ndata: {"message": "the server is closing"}' in ended(stream)
        assert json.loads(live.recv(PATIENCE))["error"]["message"] == "the server is closing"
    assert capfd.readouterr().err == ""


@pytest.mark.usefixtures("slowly")
def test_clients_that_leave_leave_no_trace_in_the_log(served: Served, capfd: pytest.CaptureFixture[str]) -> None:
    port, found = served()
    service = found.config.app.state.service
    service.loaded.named("ready/digits").estimator  # noqa: B018 - read before the sessions begin
    for sent in (0, 1, 30):
        with connect(f"ws://127.0.0.1:{port}/v1/transcribe/live?rate=8000") as live:
            for _ in range(sent):
                live.send(bytes(32_000))
            live.socket.shutdown(socket.SHUT_RDWR)  # without a word
        with written(port, {"length": 2000}) as stream:
            begun(stream)
    until = time.monotonic() + PATIENCE
    while service.sessions or service.streams or any(slots.count for slots in service._batches.values()):
        assert time.monotonic() < until
        time.sleep(0.01)
    assert capfd.readouterr().err == ""


def test_a_live_session_whose_client_left_before_the_last_word_is_no_error() -> None:
    async def run() -> None:
        async def receive() -> Any:
            return {"type": "websocket.connect"}

        async def send(message: Any) -> None:
            if message["type"] != "websocket.accept":
                raise OSError("gone")

        app = application([])
        scope = {
            "type": "websocket", "path": "/v1/transcribe/live", "raw_path": b"", "query_string": b"rate=1",
            "headers": [(b"host", b"127.0.0.1")], "scheme": "ws", "server": ("127.0.0.1", 1),
            "client": ("127.0.0.1", 2), "root_path": "", "subprotocols": [], "http_version": "1.1",
        }  # fmt: skip
        await app(scope, receive, send)

    asyncio.run(run())
