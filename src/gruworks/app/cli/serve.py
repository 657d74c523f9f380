"""`gruworks serve`: trained runs, and the package's own models, behind HTTP and a page in the browser."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from gruworks.app.cli.common.flags import Debug, Quiet, takes
from gruworks.app.cli.common.show import Show
from gruworks.app.server.hosts import is_loopback
from gruworks.app.server.limits import Limits
from gruworks.errors import OptionError, require

__all__ = ["serve"]

Runs = Annotated[list[Path] | None, typer.Argument(metavar="[RUN]...", help="Run folders.", show_default=False)]


@takes(Limits, into="limits")
def serve(
    runs: Runs = None,
    *,
    limits: Limits,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8000,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(help="A name by which the server may be addressed, such as a proxy's; may be repeated."),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="GRUWORKS_TOKEN", help="What requests must bring; 16 characters or more; random if not given."
        ),
    ] = None,
    no_token: Annotated[
        bool, typer.Option("--no-token", help="Ask for no token: whoever reaches the address may use everything.")
    ] = False,
    allow_fit: Annotated[bool, typer.Option("--allow-fit", help="Let requests fit models, one at a time.")] = False,
    fits: Annotated[Path, typer.Option(help="Folder for what is fitted over HTTP.")] = Path("runs"),
    ready: Annotated[bool, typer.Option(help="Serve the package's own models too.")] = True,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Serve runs and the ready models: the page at the address it prints, the interface at /openapi.json."""
    token = _token(token, no_token)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    listener: Any = require("gruworks.app.server.listening", extra="serve")
    server: Any = require("gruworks.app.server.application", extra="serve")
    names = [host, *(allow_host or [])]
    app = server.application(
        list(runs or []), limits, token=token, hosts=names, ready=ready, fits=fits if allow_fit else None
    )
    show, loaded, listening = Show(quiet=quiet), app.state.service.loaded, _bound(host, port)
    for one in loaded.models.values():
        show.note(f"  {one.name:24} {one.task}")
    show.answer(f"page    {_address(host, listening.getsockname()[1], token)}")  # with --quiet too: it holds the token
    if token is None:
        show.complain(_open_to(host, allow_fit))
    show.note("Ctrl-C ends it")
    listener.server(app, limits).run(sockets=[listening])


def _bound(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 takes a free one."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        found = socket.socket(family, kind, protocol)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.ExitStack() as unless_bound:
            unless_bound.callback(found.close)
            found.bind(address)
            unless_bound.pop_all()
    except OSError as error:
        raise OptionError(f"can't listen on {host}, port {port} ({error.strerror}): choose another --port") from None
    return found


def _token(given: str | None, no_token: bool) -> str | None:
    """The token that is given, a random one, or none where that is asked for."""
    if given is None:
        return None if no_token else secrets.token_urlsafe(24)
    if no_token:
        raise OptionError("expected --token (or GRUWORKS_TOKEN) or --no-token, got both: leave one out")
    if len(given) < 16:
        raise OptionError(f"a token of {len(given)} characters is guessed too soon: take 16 or more")
    return given


def _address(host: str, port: int, token: str | None) -> str:
    """Where a browser on this machine finds the page, the token in it for the first visit."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    told = f"[{host}]" if ":" in host else host
    return f"http://{told}:{port}/" + ("" if token is None else f"?{urlencode({'token': token})}")


def _open_to(host: str, allow_fit: bool) -> str:
    who = "every program and user of this machine" if is_loopback(host) else f"everyone who can reach {host}"
    return (
        f"--no-token: {who} can use the models{', start and cancel fits' if allow_fit else ''} and read what is served"
    )
