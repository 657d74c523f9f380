"""`POST /v1/generate`: a text as it is written, as server-sent events, or whole; verse under its rules."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from gruworks.app.server.bodies import CheckedRoute
from gruworks.app.server.responses import STREAMED, RequestError, event, within
from gruworks.app.server.schemas import Generate, chosen
from gruworks.app.server.service import Service
from gruworks.tasks.generate.config import Options

__all__ = ["router"]

USUAL = 300  # symbols of a text whose length is not given


def router(service: Service) -> APIRouter:
    routes, limits = APIRouter(tags=["generate"], route_class=CheckedRoute), service.limits

    @routes.post("/v1/generate", summary="Write a text; with a form, a poem that keeps its rules", response_model=None)
    async def generate(asked: Generate) -> Any:
        if len(asked.prompt) > limits.characters:
            raise RequestError(
                413, f"the prompt has {len(asked.prompt)} characters, more than {limits.characters}", "prompt"
            )
        if (asked.length or 0) > limits.length:
            raise RequestError(400, f"a text has at most {limits.length} symbols here, not {asked.length}", "length")
        model = service.loaded.find("generate", asked.model)
        await service.warm(model)
        seed = secrets.randbelow(2**31) if asked.seed is None else asked.seed
        begun = time.perf_counter()
        pieces = await (_poem if asked.form else _text)(service, model, asked, seed)
        if asked.stream:
            return StreamingResponse(
                service.events(_events(pieces, asked, seed, begun)), media_type="text/event-stream", headers=STREAMED
            )
        text = await within(limits.seconds, _whole(pieces))
        return {"text": text, "seed": seed, "seconds": round(time.perf_counter() - begun, 3), **_verdict(asked, text)}

    return routes


async def _text(service: Service, model: Any, asked: Generate, seed: int) -> AsyncIterator[str]:
    from gruworks.tasks.generate.decoding import sampling

    how = sampling(chosen(Options, asked, model.options))
    return await service.slots(model).write(
        asked.prompt, asked.title, how, asked.length or min(USUAL, service.limits.length), seed
    )


async def _poem(service: Service, model: Any, asked: Generate, seed: int) -> AsyncIterator[str]:
    if asked.prompt:
        raise RequestError(400, "a poem of a form is written from nothing or a title, not after a prompt", "prompt")
    temperature = chosen(Options, asked, model.options).temperature
    answer = service.batcher(model.name, lambda items: [_verse(model.estimator, *one) for one in items], "verse", 1)
    lines = await within(service.limits.seconds, answer.ask((asked, temperature, seed)))

    async def pieces() -> AsyncIterator[str]:
        for line in lines:
            yield line + "\n"

    return pieces()


def _verse(generator: Any, asked: Generate, temperature: float, seed: int) -> list[str]:
    poems = generator.verse(title=asked.title, temperature=max(temperature, 0.05), seed=seed, form=asked.form)
    found: list[str] = poems[0]
    return found


async def _whole(pieces: AsyncIterator[str]) -> str:
    return "".join([piece async for piece in pieces])


async def _events(pieces: AsyncIterator[str], asked: Generate, seed: int, begun: float) -> AsyncGenerator[str, None]:
    written: list[str] = []
    async with contextlib.aclosing(pieces):  # type: ignore[type-var]
        async for piece in pieces:
            written.append(piece)
            yield event("piece", text=piece)
    text, seconds = "".join(written), round(time.perf_counter() - begun, 3)
    yield event("done", text=text, seed=seed, seconds=seconds, **_verdict(asked, text))


def _verdict(asked: Generate, text: str) -> dict[str, Any]:
    """The check of a poem by the rules of verse alone."""
    if not asked.form:
        return {}
    from gruworks.tasks.generate.verse.checker import check

    report = check(text.split(), asked.form)
    told = {"pattern": report.pattern, "rhyme": report.rhyme, "faults": [str(one) for one in report.faults]}
    return {"checked": {"ok": report.ok, **told}}
