"""Responses compressed with gzip, for clients that take it."""

from __future__ import annotations

import gzip

from fastapi import Request, Response

__all__ = ["compressed"]

SMALL = 600  # bytes that are sent as they are
LEVEL = 6


def compressed(request: Request, content: bytes, media_type: str, **headers: str) -> Response:
    """A response with `content`, compressed unless it is small or the client does not take gzip.

    Never for a content that holds both a secret and text of a request, from whose length the secret could be guessed.
    """
    headers = {name.replace("_", "-"): value for name, value in headers.items()} | {"vary": "Accept-Encoding"}
    if len(content) > SMALL and "gzip" in request.headers.get("accept-encoding", ""):
        content = gzip.compress(content, LEVEL, mtime=0)
        headers["content-encoding"] = "gzip"
    return Response(content, media_type=media_type, headers=headers)
