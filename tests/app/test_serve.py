"""`gruworks serve`: what it refuses before it listens."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.app.conftest import Answer

pytest.importorskip("fastapi", reason="fastapi is not installed: the serve extra brings it")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])
def test_a_network_needs_a_token(gruworks: Callable[..., Answer], host: str) -> None:
    status, _, err = gruworks("serve", "--host", host)
    assert status == 2
    assert "--token" in err
    assert "--open-to-everyone-without-token" in err


def test_a_short_token_a_missing_run_and_nothing_to_serve(gruworks: Callable[..., Answer], tmp_path: Path) -> None:
    for arguments, said in (
        (["--token", "secret"], "6 characters"),
        ([str(tmp_path / "none")], "does not exist"),
        (["--no-ready"], "nothing to serve"),
        (["--beam", "0"], "at least 1"),
    ):
        status, _, err = gruworks("serve", *arguments)
        assert (status, said in err) == (2, True), err


def test_a_port_that_is_taken_is_named(gruworks: Callable[..., Answer]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        status, _, err = gruworks("serve", "--port", str(port))
    assert (status, f"port {port}" in err, "--port" in err) == (2, True, True)
