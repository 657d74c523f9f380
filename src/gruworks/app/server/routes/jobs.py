"""Fits as jobs: of tables, texts and recordings; their progress, end and resumption."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Request, Response, UploadFile
from fastapi.responses import StreamingResponse
from fastapi.routing import APIRoute
from pydantic import Json
from pydantic_core import to_json

from gruworks.app.server.bodies import CheckedRoute, validated
from gruworks.app.server.jobs import Jobs
from gruworks.app.server.responses import RequestError, streamed
from gruworks.app.server.schemas import NAME, Fit, FitRecordings
from gruworks.app.server.service import Service

__all__ = ["router"]


def router(service: Service) -> APIRouter:
    routes = APIRouter(tags=["fit"], route_class=CheckedRoute)

    @routes.post("/v1/fit", status_code=202, summary="Start a fit as a job")
    async def fit(asked: Fit) -> dict[str, Any]:
        return {"job": (await _jobs(service).start(asked)).id}

    @routes.get("/v1/jobs", summary="All jobs")
    async def listed() -> dict[str, Any]:
        return {"jobs": [job.shown() for job in _jobs(service).jobs.values()]}

    @routes.get("/v1/jobs/{job}/events", summary="A job's progress, as server-sent events")
    async def events(job: str) -> StreamingResponse:
        jobs = _jobs(service)
        return streamed(service.events(jobs.events(jobs.find(job))))

    @routes.post("/v1/jobs/{job}/resume", status_code=202, summary="Resume an interrupted job")
    async def resume(job: str) -> dict[str, Any]:
        return _jobs(service).resume(job).shown()

    @routes.delete("/v1/jobs/{job}", summary="Cancel a job")
    async def cancel(job: str) -> dict[str, Any]:
        return _jobs(service).cancel(job).shown()

    routes.include_router(_archives(service))
    return routes


def _archives(service: Service) -> APIRouter:
    routes = APIRouter(route_class=_RoomFirst)

    @routes.post("/v1/fit/recordings", status_code=202, summary="Start a fit of recordings as a job")
    async def recordings(
        archive: Annotated[UploadFile, File(description="a .zip of recordings with transcripts")],
        settings: Annotated[Json[dict[str, Any]] | None, Form(description="settings of the fit, as JSON")] = None,
        name: Annotated[str | None, Form(pattern=NAME, description="name of the new model")] = None,
    ) -> dict[str, Any]:
        asked = validated(FitRecordings, to_json({"settings": settings or {}, "name": name}))
        return {"job": (await _jobs(service).start_archive(asked, archive.file)).id}

    return routes


class _RoomFirst(APIRoute):
    """A route that refuses before it reads the body, where no fit is allowed or too many wait."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def checked(request: Request) -> Response:
            _jobs(request.app.state.service).check_room()
            return await handler(request)

        return checked


def _jobs(service: Service) -> Jobs:
    if service.jobs is None:
        raise RequestError(403, "this server fits no models: start it with --allow-fit")
    return service.jobs
