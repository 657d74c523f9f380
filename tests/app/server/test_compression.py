"""Responses are compressed for those clients that take it, and only where it saves something."""

from __future__ import annotations

import gzip

import pytest
from fastapi import Request, Response

from gruworks.app.server.compression import SMALL, compressed

LONG = b"x, y\n" * 400


def answered(content: bytes, accepted: str) -> Response:
    headers = [(b"accept-encoding", accepted.encode())]
    return compressed(Request({"type": "http", "headers": headers}), content, "text/css", cache_control="no-cache")


def test_a_long_content_is_compressed() -> None:
    found = answered(LONG, "gzip, br")
    assert gzip.decompress(bytes(found.body)) == LONG
    assert found.headers["content-encoding"] == "gzip"
    assert int(found.headers["content-length"]) == len(found.body) < len(LONG)
    assert found.headers["cache-control"] == "no-cache"
    assert found.headers["content-type"].startswith("text/css")


@pytest.mark.parametrize(
    ("content", "accepted"),
    [(LONG, ""), (LONG, "br"), (b"x" * SMALL, "gzip")],
    ids=["nothing", "another", "small"],
)
def test_another_is_sent_as_it_is(content: bytes, accepted: str) -> None:
    found = answered(content, accepted)
    assert found.body == content
    assert "content-encoding" not in found.headers
    assert found.headers["vary"] == "Accept-Encoding"  # a cache must keep both apart
