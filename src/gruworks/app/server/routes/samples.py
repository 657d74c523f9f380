"""`GET /v1/samples/NAME` and `/archive`: the example files of `gruworks sample`, for the page's examples."""

from __future__ import annotations

import csv
import tempfile
from functools import lru_cache
from pathlib import Path

from fastapi import APIRouter, Request, Response

from gruworks.app.server.archives import zipped
from gruworks.app.server.compression import compressed
from gruworks.app.server.responses import RequestError
from gruworks.app.server.service import Service
from gruworks.data.samples import SAMPLES, write

__all__ = ["router"]

TYPES = {".csv": "text/csv", ".tsv": "text/tab-separated-values", ".txt": "text/plain", ".wav": "audio/wav",
         ".flac": "audio/flac"}  # fmt: skip


def router(service: Service) -> APIRouter:
    routes = APIRouter(tags=["samples"])

    @routes.get("/v1/samples", summary="Example files by name")
    async def samples() -> dict[str, str]:
        return {name: told.what for name, told in SAMPLES.items()}

    @routes.get("/v1/samples/{name}", summary="An example file; of recordings the first", response_class=Response)
    async def sample(name: str, request: Request) -> Response:
        if name not in SAMPLES:
            raise RequestError(404, f"there is no such sample; there are: {', '.join(SAMPLES)}")
        content, kind = await service.apart(_file, name)
        return compressed(request, content, kind)

    @routes.get("/v1/samples/{name}/archive", summary="All files of recordings as a zip", response_class=Response)
    async def archive(name: str) -> Response:
        if name != "recordings":
            raise RequestError(404, "an archive has only the sample recordings")
        return Response(await service.apart(_archive, name), media_type="application/zip")

    return routes


@lru_cache
def _archive(name: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return zipped(write(name, Path(folder)))


@lru_cache
def _file(name: str) -> tuple[bytes, str]:
    """Content and media type of a sample."""
    with tempfile.TemporaryDirectory() as folder:
        path = write(name, Path(folder))
        path = _first_recording(path) if path.is_dir() else path
        return path.read_bytes(), TYPES[path.suffix]


def _first_recording(folder: Path) -> Path:
    with (folder / "transcripts.csv").open(encoding="utf-8", newline="") as file:
        return folder / next(csv.DictReader(file))["audio"]
