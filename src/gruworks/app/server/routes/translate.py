"""`POST /v1/translate`: waiting sentences are translated in one beam search."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy
from fastapi import APIRouter, Response

from gruworks.app.server import language
from gruworks.app.server.bodies import CheckedRoute
from gruworks.app.server.responses import RequestError, at_most, within
from gruworks.app.server.schemas import Translate, chosen
from gruworks.app.server.service import Service
from gruworks.tasks.translate.config import Options

__all__ = ["router"]


def router(service: Service) -> APIRouter:
    routes, limits = APIRouter(tags=["translate"], route_class=CheckedRoute), service.limits

    @routes.post("/v1/translate", summary="Translate a sentence, or several")
    async def translate(asked: Translate) -> Response:
        model = service.loaded.find("translate", asked.model)
        options = chosen(Options, asked, model.options)
        lines = _lines(asked, options, limits)
        batcher = service.batcher(model.name, lambda items: together(model.estimator, items))
        key = (options, asked.attention)
        together_with = object() if options.sample else key  # a sample would depend on the others of its batch
        found = await within(limits.seconds, batcher.ask((lines, key), together_with))
        return await service.respond({"translations": found, "model": model.name})

    return routes


def _lines(asked: Translate, options: Options, limits: Any) -> list[str]:
    if (asked.text is None) == (asked.texts is None):
        raise RequestError(400, "expected text (one sentence) or texts (a list), and not both", "text")
    lines = [asked.text] if asked.text is not None else list(asked.texts or [])
    if not any(line.strip() for line in lines):
        raise RequestError(400, "expected a sentence, got none", "text", "no-sentence")
    at_most(limits.sentences, len(lines), "sentences", "texts")
    at_most(limits.characters, sum(map(len, lines)), "characters of text", "text")
    at_most(limits.beam, max(options.beam_size, options.n_best), "beams and alternatives", "beam_size", 400)
    return lines


def together(translator: Any, items: list[tuple[list[str], Any]]) -> list[list[dict[str, Any]]]:
    """Translations of each item, from one search over the sentences of all items, which have the same options."""
    options, attention = items[0][1]
    options = replace(options, beam_size=max(options.beam_size, options.n_best))
    whole = [line for lines, _ in items for line in lines]
    answers = iter(translator.n_best(whole, exact=options.n_best > 1, options=options))
    return [[_shown(translator, line, next(answers), attention) for line in lines] for lines, _ in items]


def _shown(translator: Any, line: str, answers: list[Any], attention: bool) -> dict[str, Any]:
    best, *others = answers
    looked = None
    if attention and line.strip() and best.text:
        found = translator.explain(line, target=best.text)
        weights = numpy.round(found.weights.astype(float), 4).tolist()
        looked = {"source": found.source, "target": found.target, "weights": weights}
    return {
        "text": best.text, "score": round(best.score, 4), "attention": looked,
        "notes": language.note(line, translator.config.source),
        "alternatives": [{"text": one.text, "score": round(one.score, 4)} for one in others],
    }  # fmt: skip
