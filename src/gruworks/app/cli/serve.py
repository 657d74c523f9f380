"""`gruworks serve`: trained runs and the package's own models over HTTP, with a page for the browser."""

from __future__ import annotations

import os
import secrets
import socket
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from gruworks.app.cli.common.show import Show
from gruworks.app.server.hosts import is_loopback
from gruworks.app.server.limits import Limits
from gruworks.errors import OptionError, require

__all__ = ["serve"]

TOKEN = "Secret that every request must carry, of 16 characters or more; random if not given."
FITS = "Let requests fit models, one at a time; by default on this machine's own address, with a token."
Runs = Annotated[list[Path] | None, typer.Argument(metavar="[RUN]...", help="Run folders.", show_default=False)]


def serve(
    show: Show,
    runs: Runs = None,
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8000,
    allow_host: Annotated[
        list[str] | None, typer.Option(help="A further host name of the server, such as a proxy's; may be repeated.")
    ] = None,
    token: Annotated[str | None, typer.Option(envvar="GRUWORKS_TOKEN", help=TOKEN)] = None,
    no_token: Annotated[
        bool,
        typer.Option(
            "--no-token", help="Disable authentication: every client that reaches the address has full access."
        ),
    ] = False,
    allow_fit: Annotated[bool | None, typer.Option("--allow-fit/--no-allow-fit", help=FITS, show_default=False)] = None,
    fits: Annotated[Path, typer.Option(help="Folder for runs that are fitted over HTTP.")] = Path("runs"),
    ready: Annotated[bool, typer.Option(help="Serve the package's own models too.")] = True,
    limits: Limits,
) -> None:
    """Serve runs and the ready models: the page at the address it prints, the interface at /openapi.json."""
    token = _token(token, no_token)
    allow_fit = (token is not None and is_loopback(host)) if allow_fit is None else allow_fit
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    listener: Any = require("gruworks.app.server.listening", extra="serve")
    server: Any = require("gruworks.app.server.application", extra="serve")
    names, folder = [host, *(allow_host or [])], fits if allow_fit else None
    app = server.application(list(runs or []), limits, token=token, hosts=names, ready=ready, fits=folder)
    listening = _bound(host, port)
    for one in app.state.service.loaded.models.values():
        show.note(f"  {one.name:24} {one.task}")
        for warning in one.warnings:
            show.complain(warning)
    show.answer(f"page    {_address(host, listening.getsockname()[1], token)}")  # with --quiet too: it holds the token
    if token is None:
        show.complain(_open_to(host, allow_fit))
    show.note("Ctrl-C ends it")
    listener.server(app, limits).run(sockets=[listening])


def _bound(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        both = family == socket.AF_INET6 and socket.has_dualstack_ipv6()
        return socket.create_server(address, family=family, dualstack_ipv6=both)
    except OSError as error:
        raise OptionError(f"can't listen on {host}, port {port} ({error.strerror}): choose another --port") from None


def _token(given: str | None, no_token: bool) -> str | None:
    """The given token, a random one, or with --no-token none."""
    if given is None:
        return None if no_token else secrets.token_urlsafe(24)
    if no_token:
        raise OptionError("expected --token (or GRUWORKS_TOKEN) or --no-token, got both: leave one out")
    if len(given) < 16:
        raise OptionError(f"expected a token of 16 characters or more, got {len(given)}: a shorter one can be guessed")
    return given


def _address(host: str, port: int, token: str | None) -> str:
    """The page's address for a browser on this machine, with the token for the first visit."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}/" + ("" if token is None else f"?{urlencode({'token': token})}")


def _open_to(host: str, allow_fit: bool) -> str:
    who = "every program and user of this machine" if is_loopback(host) else f"everyone who can reach {host}"
    return (
        f"--no-token: {who} can use the models{', start and cancel fits' if allow_fit else ''} and read what is served"
    )
