"""The page, the list of models, health and metrics, and fits as jobs."""

from __future__ import annotations

import dataclasses
import importlib.util
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse

from gruworks.app.server.bodies import CheckedRoute
from gruworks.app.server.metrics import exposition
from gruworks.app.server.models import form
from gruworks.app.server.responses import STREAMED, RequestError
from gruworks.app.server.schemas import Fit
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
    _fits(routes, service)
    return routes


def _page(routes: APIRouter) -> None:
    files = {one.name: one for one in PAGE.iterdir() if one.suffix in TYPES} if PAGE.is_dir() else {}

    @routes.get("/", include_in_schema=False)
    async def index() -> Response:
        return _file(files.get("index.html"))

    @routes.get("/page/{name}", include_in_schema=False)
    async def part(name: str) -> Response:
        return _file(files.get(name))  # a name among those that there are; no path is made of it

    @routes.get("/plotly.js", include_in_schema=False)
    async def plotly() -> Response:
        found = importlib.util.find_spec("plotly")
        folder = Path(found.origin).parent if found and found.origin else None
        path = folder / "package_data" / "plotly.min.js" if folder else None
        return _file(path, "private, max-age=86400")


def _file(path: Path | None, cache: str = "no-cache") -> Response:
    if path is None or not path.is_file():
        raise RequestError(404, "there is no such page")
    return FileResponse(path, media_type=TYPES[path.suffix], headers={"cache-control": cache})


def _facts(routes: APIRouter, service: Service) -> None:
    @routes.get("/health", tags=["server"], summary="Whether the process is alive")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @routes.get("/ready", tags=["server"], summary="Whether the models are read and requests are taken")
    async def ready() -> JSONResponse:
        state = service.state
        return JSONResponse({"status": state}, 200 if state == "ready" else 503)

    @routes.get(
        "/metrics", tags=["server"], summary="Counts and times, for Prometheus", response_class=PlainTextResponse
    )
    async def metrics() -> Response:
        return Response(exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")

    @routes.get("/v1/limits", tags=["server"], summary="How much of everything one request may ask")
    async def limits() -> dict[str, Any]:
        return dataclasses.asdict(service.limits)

    @routes.get("/v1/models", tags=["server"], summary="What is served, with cards")
    async def models() -> dict[str, Any]:
        shown = [one.shown() for one in service.loaded.models.values()]
        limits = dataclasses.asdict(service.limits)
        forms = {
            task: {kind: form(registry.settings(task, kind)) for kind in ("Config", "Options")}
            for task in registry.TASKS
        }
        return {"models": shown, "forms": forms, "limits": limits, "allow_fit": service.jobs is not None}


def _fits(routes: APIRouter, service: Service) -> None:
    def jobs() -> Any:
        if service.jobs is None:
            raise RequestError(403, "this server fits no models: start it with --allow-fit")
        return service.jobs

    @routes.post("/v1/fit", status_code=202, tags=["fit"], summary="Begin a fit as a job")
    async def fit(asked: Fit) -> dict[str, Any]:
        return {"job": (await jobs().start(asked)).id}

    @routes.get("/v1/jobs", tags=["fit"], summary="All jobs")
    async def listed() -> dict[str, Any]:
        return {"jobs": [job.told() for job in jobs().jobs.values()]}

    @routes.get("/v1/jobs/{job}/events", tags=["fit"], summary="A job's progress, as server-sent events")
    async def events(job: str) -> StreamingResponse:
        found = jobs()
        stream = service.events(found.events(found.find(job)))
        return StreamingResponse(stream, media_type="text/event-stream", headers=STREAMED)

    @routes.post("/v1/jobs/{job}/resume", status_code=202, tags=["fit"], summary="Go on with an interrupted job")
    async def resume(job: str) -> dict[str, Any]:
        found: dict[str, Any] = jobs().resume(job).told()
        return found

    @routes.delete("/v1/jobs/{job}", tags=["fit"], summary="Cancel a job")
    async def cancel(job: str) -> dict[str, Any]:
        found: dict[str, Any] = jobs().cancel(job).told()
        return found
