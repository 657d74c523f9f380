"""The page, the list of models, health and metrics, and fits as jobs."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse

from gruworks.app.server.bodies import CheckedRoute
from gruworks.app.server.metrics import exposition
from gruworks.app.server.responses import RequestError, streamed
from gruworks.app.server.schemas import Fit, form
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
        return _file(files.get(name))  # looked up among the known names; no path is built from it

    @routes.get("/plotly.js", include_in_schema=False)
    async def plotly() -> Response:
        found = importlib.util.find_spec("plotly")
        path = Path(str(found.origin)).parent / "package_data" / "plotly.min.js" if found else None
        return _file(path, "private, max-age=86400")


def _file(path: Path | None, cache: str = "no-cache") -> Response:
    if path is None or not path.is_file():
        raise RequestError(404, "there is no such page")
    return FileResponse(path, media_type=TYPES[path.suffix], headers={"cache-control": cache})


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
    async def models() -> dict[str, Any]:
        kinds, limits = ("Config", "Options"), service.limits
        forms: dict[str, dict[str, Any]] = {
            task.name: {kind: form(task.name, kind, limits.of_settings(kind)) for kind in kinds}
            | {"upload": task.upload}
            for task in registry.TASKS.values()
        }
        served = service.loaded.models.values()
        shown = [one.shown() | {"options": forms[one.task]["Options"]} for one in served]
        return {"models": shown, "forms": forms, "limits": limits.to_dict(), "allow_fit": service.jobs is not None}


def _fits(routes: APIRouter, service: Service) -> None:
    def jobs() -> Any:
        if service.jobs is None:
            raise RequestError(403, "this server fits no models: start it with --allow-fit")
        return service.jobs

    @routes.post("/v1/fit", status_code=202, tags=["fit"], summary="Start a fit as a job")
    async def fit(asked: Fit) -> dict[str, Any]:
        return {"job": (await jobs().start(asked)).id}

    @routes.get("/v1/jobs", tags=["fit"], summary="All jobs")
    async def listed() -> dict[str, Any]:
        return {"jobs": [job.shown() for job in jobs().jobs.values()]}

    @routes.get("/v1/jobs/{job}/events", tags=["fit"], summary="A job's progress, as server-sent events")
    async def events(job: str) -> StreamingResponse:
        found = jobs()
        return streamed(service.events(found.events(found.find(job))))

    @routes.post("/v1/jobs/{job}/resume", status_code=202, tags=["fit"], summary="Resume an interrupted job")
    async def resume(job: str) -> dict[str, Any]:
        return dict(jobs().resume(job).shown())

    @routes.delete("/v1/jobs/{job}", tags=["fit"], summary="Cancel a job")
    async def cancel(job: str) -> dict[str, Any]:
        return dict(jobs().cancel(job).shown())
