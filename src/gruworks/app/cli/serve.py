"""`gruworks serve`: trained runs, and the package's own models, behind HTTP and a page in the browser."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
from pathlib import Path
from typing import Annotated, Any

import typer

from gruworks.app.cli.flags import Debug, Quiet, takes
from gruworks.app.cli.show import Show
from gruworks.app.server.limits import Limits
from gruworks.errors import OptionError, require

__all__ = ["serve"]

Runs = Annotated[list[Path] | None, typer.Argument(metavar="[RUN]...", help="Run folders.", show_default=False)]


@takes(Limits, into="limits")
def serve(
    runs: Runs = None,
    *,
    limits: Limits,
    host: Annotated[
        str, typer.Option(help="Address to listen on; any but this machine's own needs --token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8000,
    token: Annotated[
        str | None, typer.Option(envvar="GRUWORKS_TOKEN", help="What every request must bring; 16 characters or more.")
    ] = None,
    open_to_everyone: Annotated[
        bool, typer.Option("--open-to-everyone-without-token", help="Listen on a network without a token.")
    ] = False,
    allow_fit: Annotated[bool, typer.Option("--allow-fit", help="Let requests fit models, one at a time.")] = False,
    fits: Annotated[Path, typer.Option(help="Folder for what is fitted over HTTP.")] = Path("runs"),
    ready: Annotated[bool, typer.Option(help="Serve the package's own models too.")] = True,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Serve runs and the ready models: the page at http://127.0.0.1:8000, the interface at /openapi.json."""
    _check(host, token, open_to_everyone)
    uvicorn: Any = require("uvicorn", extra="serve")
    service: Any = require("gruworks.app.server.service", extra="serve")
    app = service.application(list(runs or []), limits, token=token, ready=ready, fits=fits if allow_fit else None)
    show, shelf, listening = Show(quiet=quiet), app.state.service.shelf, _bound(host, port)
    for one in shelf.models.values():
        show.remark(f"  {one.name:24} {one.task}")
    told = f"[{host}]" if ":" in host else host
    show.remark(f"page    http://{told}:{listening.getsockname()[1]}\nCtrl-C ends it")
    server = uvicorn.Server(
        uvicorn.Config(
            app, log_level="warning", server_header=False, timeout_keep_alive=20, limit_concurrency=512,
            timeout_graceful_shutdown=5, ws_max_size=4_000_000, h11_max_incomplete_event_size=65_536,
        )
    )  # fmt: skip
    server.run(sockets=[listening])


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


def _check(host: str, token: str | None, open_to_everyone: bool) -> None:
    if token is not None and len(token) < 16:
        raise OptionError(f"a token of {len(token)} characters is guessed too soon: take 16 or more")
    if token is None and not _own(host) and not open_to_everyone:
        raise OptionError(
            f"on {host} others can reach this server: give --token (or GRUWORKS_TOKEN), or say "
            "--open-to-everyone-without-token"
        )
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def _own(host: str) -> bool:
    """Whether nobody but this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
