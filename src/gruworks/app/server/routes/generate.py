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
from gruworks.data.vocabulary import UNKNOWN
from gruworks.errors import OptionError
from gruworks.tasks.generate.config import Options
from gruworks.tasks.generate.verse.forms import find_form

__all__ = ["router"]

USUAL = 300  # tokens of a text whose length is not given
COLDEST = 0.05  # least sampling temperature of a poem
RULES = ("form", "pattern", "rhyme")  # of a poem


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
        pieces, told = await (_poem if asked.form else _text)(service, model, asked, seed)
        told |= {"seed": seed}
        if asked.stream:
            return streamed(service.events(_events(pieces, told, begun)))
        return _done(await within(limits.seconds, _whole(pieces)), told, begun)

    return routes


async def _text(service: Service, model: Any, asked: Generate, seed: int) -> tuple[AsyncIterator[str], dict[str, Any]]:
    from gruworks.tasks.generate.decoding import sampling

    vocabulary = model.estimator.codec.vocabulary
    unknown = vocabulary.unknown(asked.prompt)
    if unknown and not vocabulary.counts[UNKNOWN]:
        signs = ", ".join(unknown)
        text = f"the model has never seen {signs}: leave it out"
        raise RequestError(400, text, "prompt", "unknown-signs", signs=signs)
    how = sampling(chosen(Options, asked, model.options))
    length = asked.length or min(USUAL, service.limits.length)
    return await service.slots(model).write(asked.prompt, asked.title, how, length, seed), {}


async def _poem(service: Service, model: Any, asked: Generate, seed: int) -> tuple[AsyncIterator[str], dict[str, Any]]:
    """A poem, and the check of its rules."""
    if asked.prompt:
        raise RequestError(400, "a poem takes a title, no prompt: leave out prompt or form", "prompt")
    from gruworks.tasks.generate.verse.checker import check
    from gruworks.tasks.generate.verse.writing import spelled, to_script

    temperature = max(chosen(Options, asked, model.options).temperature, COLDEST)
    rules = {name: value for name in RULES if (value := getattr(asked, name)) is not None}
    _, unknown = spelled(asked.title, model.estimator.codec.vocabulary)
    rules |= {"title": asked.title, "temperature": temperature, "seed": seed, "acrostic": _acrostic(asked, model)}
    (lines,) = await service.alone(model.name, lambda: _written(model.estimator, rules))

    async def pieces() -> AsyncIterator[str]:
        for line in lines:
            yield to_script(line, asked.script or "as-learnt") + "\n"

    report = check(lines, asked.form or "")
    faults = [str(one) for one in report.faults]
    checked = {"ok": report.ok, "pattern": report.pattern, "rhyme": report.rhyme, "faults": faults}
    return pieces(), {"checked": checked} | ({"unknown": unknown} if unknown else {})


def _written(generator: Any, rules: dict[str, Any]) -> list[list[str]]:
    try:
        found: list[list[str]] = generator.verse(**rules)
    except OptionError as error:
        code = "unknown-rhyme" if "there is no rhyme" in str(error) else "verse-impossible"
        raise RequestError(400, str(error), "rhyme", code) from error
    return found


def _acrostic(asked: Generate, model: Any) -> str:
    """The acrostic, checked.

    Raises:
        RequestError: another number of characters than lines, or one that the model lacks in both scripts.
    """
    from gruworks.tasks.generate.verse.writing import spelled

    if not asked.acrostic:
        return ""
    lines, count = find_form(asked.form or "").lines, len(asked.acrostic)
    if count != lines:
        text = f"an acrostic of this form has {lines} characters, not {count}"
        raise RequestError(400, text, "acrostic", "acrostic-length", lines=lines, count=count)
    if unknown := spelled(asked.acrostic, model.estimator.codec.vocabulary)[1]:
        text = f"the model doesn't know {unknown[0]!r}: choose another character"
        raise RequestError(400, text, "acrostic", "acrostic-unknown", sign=unknown[0])
    return asked.acrostic


async def _whole(pieces: AsyncIterator[str]) -> str:
    return "".join([piece async for piece in pieces])


async def _events(pieces: AsyncIterator[str], told: dict[str, Any], begun: float) -> AsyncGenerator[str, None]:
    written: list[str] = []
    async with contextlib.aclosing(pieces):  # type: ignore[type-var]
        async for piece in pieces:
            written.append(piece)
            yield event("piece", text=piece)
    yield event("done", **_done("".join(written), told, begun))


def _done(text: str, told: dict[str, Any], begun: float) -> dict[str, Any]:
    """The finished text, a poem with the check of its rules."""
    return {"text": text, "seconds": round(time.perf_counter() - begun, 3), **told}
