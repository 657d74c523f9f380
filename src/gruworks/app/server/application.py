"""The server as one ASGI application: service, routes and middleware put together."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from fastapi import APIRouter, FastAPI

from gruworks import __version__
from gruworks.app.server.access import Access
from gruworks.app.server.jobs import Jobs
from gruworks.app.server.limits import Limits
from gruworks.app.server.middleware import RequestMiddleware
from gruworks.app.server.models import LoadedModels
from gruworks.app.server.responses import install
from gruworks.app.server.routes import described, jobs, samples, system, trace
from gruworks.app.server.service import Service
from gruworks.tasks import registry
from gruworks.tasks.description import Task

__all__ = ["application"]


def application(
    runs: list[Path],
    limits: Limits | None = None,
    *,
    token: str | None = None,
    hosts: Iterable[str] = (),
    ready: bool = True,
    fits: Path | None = None,
) -> FastAPI:
    """The server's ASGI application over run folders and the ready models.

    Args:
        token: secret that requests carry as a bearer token or in the page's cookie; None accepts every request.
        hosts: host names of this server beside loopback names and its address.
        ready: serve the models that come with the package, too.
        fits: folder for runs that are fitted over HTTP; None refuses fits.
    """
    limits = limits or Limits()
    loaded = LoadedModels(runs, ready)
    service = Service(loaded, limits, None if fits is None else Jobs(loaded, fits, limits))

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        service.warm_all()
        yield
        await service.close()

    app = FastAPI(
        title="Gruworks", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None,
        summary="Trained GRUs over HTTP: forecast, write, translate, transcribe, look inside.",
    )  # fmt: skip
    install(app)
    app.include_router(system.router(service))
    app.include_router(jobs.router(service))
    for task in registry.TASKS.values():
        app.include_router(_routes(task, service))
    app.include_router(trace.router(service))
    app.include_router(samples.router(service))
    app.add_middleware(RequestMiddleware, limits=limits, access=Access(token, hosts))
    app.state.service = service
    return app


def _routes(task: Task, service: Service) -> APIRouter:
    """The routes of a task: those of its module here, else one made from its description."""
    module = f"gruworks.app.server.routes.{task.name}"
    if importlib.util.find_spec(module) is None:
        return described.router(service, task)
    found: APIRouter = importlib.import_module(module).router(service)
    return found
