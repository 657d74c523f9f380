"""Access to the server: host names, origins, and the token with its cookie. Plain ASGI scopes, no model knowledge."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, RedirectResponse, Response

from gruworks.app.server.hosts import authority, is_loopback, plain
from gruworks.app.server.responses import problem

__all__ = ["Access", "header"]

Authority = tuple[str, int | None]
OPEN = ("/health", "/ready")
PORTS = {"http": 80, "https": 443}
TO_DO = (
    "open the address that `gruworks serve` printed (it ends in ?token=...), or send the token as "
    "`Authorization: Bearer TOKEN`"
)
SIGN_IN = Path(__file__).resolve().parent.parent / "page" / "sign-in.html"


class Access:
    """Check of host, origin and token, before any route.

    Args:
        token: the secret that requests carry as a bearer token or in the cookie; None accepts every request.
        hosts: names of this server that a Host header may have, beside loopback names and the connected address.
    """

    def __init__(self, token: str | None, hosts: Iterable[str] = ()) -> None:
        self.token, self.hosts = token, {plain(one) for one in hosts}

    def refusal(self, scope: Any) -> Response | None:
        """The error response to a request that is refused; None where it is accepted."""
        named = [value.decode("latin-1") for key, value in scope["headers"] if key == b"host"]
        host = authority(named[0]) if len(named) == 1 else None
        if named or scope.get("http_version") != "1.0":  # a browser always names the host
            if host is None:
                return problem(400, "expected one Host header with a name or an address, and a port")
            if not self._known(host[0], scope):
                return problem(
                    421,
                    f"{host[0]!r} is no name of this server: use its address, or start it with "
                    f"`gruworks serve --allow-host {host[0]}`",
                )
        if not _same_origin(scope, host):
            return problem(403, "requests from pages of other origins are refused")
        return self._token_refusal(scope, host)

    def _known(self, name: str, scope: Any) -> bool:
        connected_to = (scope.get("server") or ("",))[0]
        return is_loopback(name) or name in self.hosts or name == plain(connected_to)

    def _token_refusal(self, scope: Any, host: Authority | None) -> Response | None:
        if self.token is None or scope["path"] in OPEN:
            return None
        given = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [""])[0]
        if scope["type"] == "http" and scope["path"] == "/" and given:
            return self._first_visit(given, scope, host)
        bearer = header(scope, b"authorization")
        if bearer[:7].lower() == "bearer " and _equal(bearer[7:].strip(), self.token):
            return None
        cookie = HTTPConnection(scope).cookies.get(self._cookie_name(scope, host), "")
        if _equal(cookie, self._cookie_value()):
            return None
        if scope["path"] == "/":
            return _sign_in("This server needs a token")
        return problem(401, f"this server needs a token: {TO_DO}", headers={"www-authenticate": "Bearer"})

    def _first_visit(self, given: str, scope: Any, host: Authority | None) -> Response:
        """Move the token from the address into a cookie that scripts can't read and other sites can't send."""
        if not _equal(given, self.token or ""):
            return _sign_in("This is not the token of this server")
        answer = RedirectResponse("/", 303, {"cache-control": "no-store"})
        answer.set_cookie(
            self._cookie_name(scope, host), self._cookie_value(), httponly=True, samesite="strict",
            secure=_scheme(scope) == "https",
        )  # fmt: skip
        return answer

    def _cookie_name(self, scope: Any, host: Authority | None) -> str:
        """A name for each port: browsers distinguish cookies by host only."""
        return f"gruworks-{(host and host[1]) or PORTS[_scheme(scope)]}"

    def _cookie_value(self) -> str:
        return hmac.new((self.token or "").encode(), b"gruworks cookie", hashlib.sha256).hexdigest()


def header(scope: Any, name: bytes) -> str:
    """A header's value, empty where it is missing."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def _scheme(scope: Any) -> str:
    return {"ws": "http", "wss": "https"}.get(scope["scheme"], str(scope["scheme"]))


def _same_origin(scope: Any, host: Authority | None) -> bool:
    """True unless a page of another origin sent the request; browsers then send Origin or Sec-Fetch-Site."""
    site, mode = header(scope, b"sec-fetch-site"), header(scope, b"sec-fetch-mode")
    if site in ("cross-site", "same-site") and mode != "navigate":
        return False
    origin = header(scope, b"origin")
    if not origin:
        return True
    scheme = _scheme(scope)
    try:
        found = urlsplit(origin)
        theirs = (found.scheme, plain(found.hostname or ""), found.port or PORTS.get(found.scheme))
    except ValueError:
        return False
    return host is not None and theirs == (scheme, host[0], host[1] or PORTS[scheme])


def _equal(given: str, wanted: str) -> bool:
    """Constant-time comparison."""
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), wanted.encode())


def _sign_in(title: str) -> Response:
    headers = {"cache-control": "no-store", "www-authenticate": "Bearer"}
    return HTMLResponse(SIGN_IN.read_text(encoding="utf-8").replace("{title}", title), 401, headers)
