"""The page, the list of models, health and metrics."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from pydantic_core import to_json

from gruworks.app.server.archives import zipped
from gruworks.app.server.bodies import CheckedRoute
from gruworks.app.server.compression import compressed
from gruworks.app.server.metrics import exposition
from gruworks.app.server.responses import RequestError
from gruworks.app.server.schemas import form
from gruworks.app.server.service import Service
from gruworks.tasks import registry

__all__ = ["router"]

PAGE = Path(__file__).resolve().parent.parent.parent / "page"
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".json": "application/json"}
TYPES |= {".svg": "image/svg+xml"}


def router(service: Service) -> APIRouter:
    routes = APIRouter(route_class=CheckedRoute)
    _page(routes)
    _facts(routes, service)
    return routes


def _page(routes: APIRouter) -> None:
    files = {one.name: one for one in PAGE.iterdir() if one.suffix in TYPES} if PAGE.is_dir() else {}

    @routes.get("/", include_in_schema=False)
    async def index(request: Request) -> Response:
        return _file(request, files.get("index.html"))

    @routes.get("/page/{name}", include_in_schema=False)
    async def part(name: str, request: Request) -> Response:
        return _file(request, files.get(name))  # looked up among the known names; no path is built from it


def _file(request: Request, path: Path | None) -> Response:
    if path is None or not path.is_file():
        raise RequestError(404, "there is no such page")
    content, tag = path.read_bytes(), f'"{path.stat().st_mtime_ns:x}"'
    headers = {"cache_control": "no-cache", "etag": tag}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers={"etag": tag})
    return compressed(request, content, TYPES[path.suffix], **headers)


def _facts(routes: APIRouter, service: Service) -> None:
    @routes.get("/health", tags=["server"], summary="The process is alive")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @routes.get("/ready", tags=["server"], summary="All models are read: 200, else 503")
    async def ready() -> JSONResponse:
        state = service.state
        return JSONResponse({"status": state}, 200 if state == "ready" else 503)

    @routes.get("/metrics", tags=["server"], summary="Metrics for Prometheus", response_class=PlainTextResponse)
    async def metrics() -> Response:
        return Response(exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")

    @routes.get("/v1/limits", tags=["server"], summary="Limits of a request")
    async def limits() -> dict[str, Any]:
        return service.limits.to_dict()

    @routes.get("/v1/models", tags=["server"], summary="Served models with cards; fields of each task's fit and verb")
    async def models(request: Request) -> Response:
        kinds, limits = ("Config", "Options"), service.limits
        forms: dict[str, dict[str, Any]] = {
            task.name: {kind: form(task.name, kind, limits.of_settings(kind)) for kind in kinds}
            | {"upload": task.upload}
            for task in registry.TASKS.values()
        }
        served = service.loaded.models.values()
        shown = [one.shown() | {"options": forms[one.task]["Options"]} for one in served]
        found = {"models": shown, "forms": forms, "limits": limits.to_dict(), "allow_fit": service.jobs is not None}
        return compressed(request, to_json(found, inf_nan_mode="null"), "application/json")

    @routes.get("/v1/models/{name:path}/archive", tags=["server"], summary="A fitted run as a zip archive")
    async def archive(name: str) -> Response:
        model = service.loaded.named(name)
        headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(name)}.zip"}
        return Response(await service.apart(zipped, model.path), media_type="application/zip", headers=headers)
