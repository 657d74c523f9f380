"""`POST /v1/generate`: a text, whole or as server-sent events while it is written; verse under its rules."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from fastapi import APIRouter

from gruworks.app.server.bodies import CheckedRoute
from gruworks.app.server.responses import RequestError, at_most, event, streamed, within
from gruworks.app.server.schemas import Generate, chosen
from gruworks.app.server.service import Service
from gruworks.tasks.generate.config import Options

__all__ = ["router"]

USUAL = 300  # tokens of a text whose length is not given
COLDEST = 0.05  # least sampling temperature of a poem


def router(service: Service) -> APIRouter:
    routes, limits = APIRouter(tags=["generate"], route_class=CheckedRoute), service.limits

    @routes.post("/v1/generate", summary="Write a text; with a form, a poem that keeps its rules", response_model=None)
    async def generate(asked: Generate) -> Any:
        at_most(limits.characters, len(asked.prompt), "characters of the prompt", "prompt")
        at_most(limits.length, asked.length or 0, "tokens of a text", "length", 400)
        model = service.loaded.find("generate", asked.model)
        await service.warm(model)
        seed = secrets.randbelow(2**31) if asked.seed is None else asked.seed
        begun = time.perf_counter()
        pieces = await (_poem if asked.form else _text)(service, model, asked, seed)
        if asked.stream:
            return streamed(service.events(_events(pieces, asked, seed, begun)))
        return _done(asked, await within(limits.seconds, _whole(pieces)), seed, begun)

    return routes


async def _text(service: Service, model: Any, asked: Generate, seed: int) -> AsyncIterator[str]:
    from gruworks.tasks.generate.decoding import sampling

    how = sampling(chosen(Options, asked, model.options))
    return await service.slots(model).write(
        asked.prompt, asked.title, how, asked.length or min(USUAL, service.limits.length), seed
    )


async def _poem(service: Service, model: Any, asked: Generate, seed: int) -> AsyncIterator[str]:
    if asked.prompt:
        raise RequestError(400, "a poem takes a title, no prompt: leave out prompt or form", "prompt")
    temperature = max(chosen(Options, asked, model.options).temperature, COLDEST)
    (lines,) = await service.alone(
        model.name,
        lambda: model.estimator.verse(title=asked.title, temperature=temperature, seed=seed, form=asked.form),
    )

    async def pieces() -> AsyncIterator[str]:
        for line in lines:
            yield line + "\n"

    return pieces()


async def _whole(pieces: AsyncIterator[str]) -> str:
    return "".join([piece async for piece in pieces])


async def _events(pieces: AsyncIterator[str], asked: Generate, seed: int, begun: float) -> AsyncGenerator[str, None]:
    written: list[str] = []
    async with contextlib.aclosing(pieces):  # type: ignore[type-var]
        async for piece in pieces:
            written.append(piece)
            yield event("piece", text=piece)
    yield event("done", **_done(asked, "".join(written), seed, begun))


def _done(asked: Generate, text: str, seed: int, begun: float) -> dict[str, Any]:
    """The finished text, a poem with the check of its rules."""
    done = {"text": text, "seed": seed, "seconds": round(time.perf_counter() - begun, 3)}
    if not asked.form:
        return done
    from gruworks.tasks.generate.verse.checker import check

    report = check(text.split(), asked.form)
    faults = [str(one) for one in report.faults]
    return done | {"checked": {"ok": report.ok, "pattern": report.pattern, "rhyme": report.rhyme, "faults": faults}}
