"""`POST /v1/transcribe` and `WS /v1/transcribe/live`: transcripts of a recording, or of a running stream."""

from __future__ import annotations

import contextlib
import inspect
import io
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any

import numpy
from fastapi import APIRouter, File, Form, Response, UploadFile, WebSocket, WebSocketDisconnect

from gruworks.app.server.limits import Limits
from gruworks.app.server.responses import FAULT, RequestError, at_most
from gruworks.app.server.schemas import chosen, over_http
from gruworks.app.server.service import Service
from gruworks.errors import GruworksError
from gruworks.tasks.transcribe.config import Options

__all__ = ["router"]

log = logging.getLogger("gruworks.server")
LEAST_CONFIDENCE = 0.8  # mean of the words; 60 strings of digits had 0.81 to 0.97, 60 of vowels 0.37 to 0.9
MOST_LISTED = 20  # words of a vocabulary
LOWEST, HIGHEST = 4000, 192_000  # samples a second
UNKNOWN = 2**62  # frames: libsndfile reports more than this where the header doesn't say
BEAMS, ALTERNATIVES = 64, 5  # largest beam of a request; alternatives where the request doesn't say how many
IDLE = 30.0  # seconds without samples after which a live session is closed


def router(service: Service) -> APIRouter:
    routes, limits = APIRouter(tags=["transcribe"]), service.limits

    async def transcribe(
        file: Annotated[UploadFile, File(description="wav, flac, ogg or mp3")],
        model: Annotated[str | None, Form(max_length=200)] = None,
        **given: Any,
    ) -> Response:
        served = service.loaded.find("transcribe", model)
        samples, rate = await service.apart(opened, await file.read(), limits)
        options = chosen(Options, given.items(), served.options)
        at_most(BEAMS, max(options.beam_size, options.n_best), "beams and alternatives", "beam_size", 422)
        if given.get("n_best") is None:
            options = replace(options, n_best=min(options.beam_size, ALTERNATIVES))
        found = await service.alone(served.name, lambda: _transcribed(served.estimator, samples, rate, options))
        return await service.respond(found | {"model": served.name})

    _with_fields(transcribe)
    routes.post("/v1/transcribe", summary="Transcribe a recording")(transcribe)

    @routes.websocket("/v1/transcribe/live")
    async def live(socket: WebSocket, model: str | None = None, rate: int = 16000) -> None:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # the client has gone
            await socket.accept()
            try:
                _check_rate(rate)
                served = service.loaded.find("transcribe", model)
                with service.session():
                    await service.warm(served)
                    await _listen(socket, service, served, rate)
            except GruworksError as error:
                closing = isinstance(error, RequestError) and error.status == 503
                await _end(socket, str(error), 1012 if closing else 1008)
            except (WebSocketDisconnect, RuntimeError):
                raise
            except Exception:
                log.exception("a live session ended early")
                await _end(socket, FAULT, 1011)

    return routes


def _with_fields(route: Any) -> None:
    """Replace the keywords of a route by a form field for each of `Options`."""
    signature = inspect.signature(route)
    *own, keywords = signature.parameters.values()
    made = [
        inspect.Parameter(
            one.name, keywords.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, Form(**rules)]
        )
        for one, kind, rules in over_http("transcribe", "Options")
    ]
    route.__signature__ = signature.replace(parameters=[*own, *made])


def opened(content: bytes, limits: Limits) -> tuple[Any, int]:
    """Mono samples and their rate, from the bytes of an audio file; nothing is written to disk.

    The size in the header is checked before decoding, and the samples are counted as they are decoded.

    Raises:
        RequestError: the file can't be decoded, is beyond the limits, or holds NaN.
    """
    import soundfile

    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            _check_rate(file.samplerate)
            _few(file.frames if file.frames < UNKNOWN else 0, file, limits)
            samples = numpy.concatenate([numpy.zeros(0, "float32"), *_mono(file, limits)])
            rate = int(file.samplerate)
    except (soundfile.LibsndfileError, RuntimeError, ValueError, MemoryError):
        raise RequestError(
            400, "expected a recording in wav, flac, ogg or mp3, got a file that can't be decoded", "file"
        ) from None
    if not len(samples) or not numpy.isfinite(samples).all():
        raise RequestError(400, "the recording has no samples, or NaN among them", "file")
    return samples, rate


def _mono(file: Any, limits: Limits) -> Iterator[Any]:
    seen = 0
    while len(block := file.read(file.samplerate, dtype="float32", always_2d=True)):
        seen += len(block)
        _few(seen, file, limits)
        yield block.mean(1)


def _few(frames: int, file: Any, limits: Limits) -> None:
    at_most(limits.audio, frames / file.samplerate, "seconds of a recording", "file")
    at_most(limits.samples, frames * file.channels, "samples of a recording, all channels counted", "file")


def _check_rate(rate: int) -> None:
    if not LOWEST <= rate <= HIGHEST:
        raise RequestError(400, f"expected {LOWEST} to {HIGHEST} samples a second, got {rate}", "rate")


def _transcribed(transcriber: Any, samples: Any, rate: int, options: Options) -> dict[str, Any]:
    found = transcriber.transcribe(samples, rate=rate, **options.to_dict())
    words = [
        {"word": one.text} | {name: round(getattr(one, name), 3) for name in ("start", "end", "confidence")}
        for one in found.words
    ]
    others = [one for one in found.alternatives if one != found.text]
    told = {"text": found.text, "seconds": round(len(samples) / rate, 3), "words": words, "alternatives": others}
    return told | {"doubtful": _doubtful(transcriber, options, [one.confidence for one in found.words])}


def _doubtful(transcriber: Any, options: Options, confidences: list[float]) -> list[str] | None:
    """The words of a small closed vocabulary where what was said is unlikely to be of them; else None.

    A recogniser of a closed vocabulary finds its words in any sound.
    """
    closed = list(options.words) or (transcriber.vocabulary if options.lexicon_only else [])
    sure = bool(confidences) and sum(confidences) / len(confidences) >= LEAST_CONFIDENCE
    return closed if 0 < len(closed) <= MOST_LISTED and not sure else None


async def _listen(socket: WebSocket, service: Service, served: Any, rate: int) -> None:
    """Receive samples and send partial and final transcripts, until the client ends the stream."""
    stream = served.estimator.stream(rate=rate, **served.options)
    batcher = service.batcher(served.name, _accepted, "live")
    final, seen = [], 0
    while True:
        try:
            message = await service.unless_closing(socket.receive(), IDLE)
        except TimeoutError:
            raise RequestError(408, f"no samples came for {IDLE:g} s: the session is closed") from None
        if message["type"] == "websocket.disconnect":
            return
        samples = _samples(message)
        if samples is not None:
            seen += len(samples)
            at_most(service.limits.audio, seen / rate, "seconds of a live session", "rate")
        update = await batcher.ask((stream, samples), "live")
        final += [update.final] if update.final else []
        message = {"partial": update.partial, "stable": update.stable, "final": update.final}
        await socket.send_json(message | ({"done": True, "text": " ".join(final)} if samples is None else {}))
        if samples is None:
            await socket.close()
            return


def _samples(message: Any) -> Any:
    """Samples of a message; None at the end of the stream."""
    data = message.get("bytes")
    if data is not None:
        if len(data) % 4 or len(data) > 4_000_000:
            raise RequestError(400, f"expected float32 samples, at most a million at once, got {len(data)} bytes")
        return numpy.frombuffer(data, "<f4")
    with contextlib.suppress(ValueError, TypeError, KeyError, RecursionError):
        if json.loads(message.get("text") or "")["end"] is True:
            return None
    raise RequestError(400, 'expected float32 samples, or the text {"end": true}')


def _accepted(items: list[Any]) -> list[Any]:
    """One step of the network for all streams with new samples; bad samples are an error of their stream alone."""
    from gruworks.tasks.transcribe.streaming import accept_together

    streams, pieces = [stream for stream, _ in items], [samples for _, samples in items]
    distinct = len({id(stream) for stream in streams}) == len(items) > 1
    if distinct and all(samples is not None and numpy.isfinite(samples).all() for samples in pieces):
        return list(accept_together(streams, pieces))
    return [_alone(stream, samples) for stream, samples in items]


def _alone(stream: Any, samples: Any) -> Any:
    try:
        return stream.finish() if samples is None else stream.accept(samples)
    except GruworksError as error:
        return error


async def _end(socket: WebSocket, message: str, code: int) -> None:
    await socket.send_json({"error": {"message": message, "where": None}})
    await socket.close(code)
