"""`gruworks serve`: what it refuses before it listens."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.app.conftest import Answer

pytest.importorskip("fastapi", reason="fastapi is not installed: the serve extra brings it")


def test_a_token_and_none_at_once_are_refused(gruworks: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRUWORKS_TOKEN", "0123456789abcdef")
    status, _, err = gruworks("serve", "--no-token")
    assert (status, "GRUWORKS_TOKEN" in err, "--no-token" in err) == (2, True, True)


@pytest.fixture
def unstarted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command ends where the server would run."""
    import uvicorn

    monkeypatch.setattr(uvicorn.Server, "run", lambda self, sockets: [one.close() for one in sockets])


@pytest.mark.usefixtures("unstarted")
def test_the_address_holds_a_random_token_even_when_quiet(gruworks: Callable[..., Answer]) -> None:
    tokens = set()
    for flags in ([], ["--quiet"], ["--host", "0.0.0.0"]):
        status, out, _ = gruworks("serve", "--port", "0", *flags)
        found = re.search(r"http://127\.0\.0\.1:\d+/\?token=([\w-]{32})$", out, re.MULTILINE)
        assert status == 0
        assert found, out
        tokens.add(found[1])
    assert len(tokens) == 3


@pytest.mark.usefixtures("unstarted")
@pytest.mark.parametrize(("flags", "said"), [
    ([], "every program and user of this machine can use the models and"),
    (["--allow-fit"], "start and cancel fits"),
    (["--host", "0.0.0.0"], "everyone who can reach 0.0.0.0"),
])  # fmt: skip
def test_no_token_says_what_it_means(gruworks: Callable[..., Answer], flags: list[str], said: str) -> None:
    status, out, err = gruworks("serve", "--port", "0", "--no-token", *flags)
    assert (status, "token=" in out, said in err) == (0, False, True), err


def test_a_short_token_a_missing_run_and_nothing_to_serve(gruworks: Callable[..., Answer], tmp_path: Path) -> None:
    for arguments, said in (
        (["--token", "secret"], "got 6"),
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
