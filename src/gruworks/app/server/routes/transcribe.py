"""`POST /v1/transcribe` and `WS /v1/transcribe/live`: a recording, or what is just being said."""

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
from gruworks.app.server.responses import FAULT, RequestError, encoded, within
from gruworks.app.server.schemas import chosen, over_http
from gruworks.app.server.service import Service
from gruworks.errors import GruworksError
from gruworks.tasks.transcribe.config import Options

__all__ = ["router"]

log = logging.getLogger("gruworks.server")
LOWEST, HIGHEST = 4000, 192_000  # samples a second
UNTOLD = 2**62  # frames: libsndfile says more than this where the header leaves them open
BEAMS, ALTERNATIVES = 64, 5  # of one request at most; answers given where it doesn't say how many
IDLE = 30.0  # seconds after which a live client that says nothing is let go


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
        if max(options.beam_size, options.n_best) > BEAMS:
            raise RequestError(422, f"at most {BEAMS} beams and alternatives here", "beam_size")
        if given.get("n_best") is None:
            options = replace(options, n_best=min(options.beam_size, ALTERNATIVES))
        batcher = service.batcher(
            served.name, lambda items: [_written(served.estimator, *one) for one in items], most=1
        )
        found = await within(limits.seconds, batcher.ask((samples, rate, options)))
        return await service.apart(encoded, found | {"model": served.name})

    _with_fields(transcribe)
    routes.post("/v1/transcribe", summary="Write down a recording")(transcribe)

    @routes.websocket("/v1/transcribe/live")
    async def live(socket: WebSocket, model: str | None = None, rate: int = 16000) -> None:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # the client has gone
            await socket.accept()
            try:
                _usual(rate)
                served = service.loaded.find("transcribe", model)
                with service.session():
                    await service.warm(served)
                    await _listen(socket, service, served, rate)
            except GruworksError as error:
                closing = isinstance(error, RequestError) and error.status == 503
                await _last_word(socket, str(error), 1012 if closing else 1008)
            except (WebSocketDisconnect, RuntimeError):
                raise
            except Exception:
                log.exception("a live session ended early")
                await _last_word(socket, FAULT, 1011)

    return routes


def _with_fields(route: Any) -> None:
    """Give a route a form field for each of `Options` in the place of its keywords."""
    signature = inspect.signature(route)
    made = [
        inspect.Parameter(
            one.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, Form(**rules)]
        )
        for one, kind, rules in over_http(Options)
    ]
    route.__signature__ = signature.replace(parameters=[*list(signature.parameters.values())[:-1], *made])


def opened(content: bytes, limits: Limits) -> tuple[Any, int]:
    """Mono samples and their rate, from the bytes of an audio file; nothing touches the disk.

    Its size is looked at before anything is decoded, and counted again as it comes, a second at a time.

    Raises:
        RequestError: no audio, none that is small enough, or samples that are no numbers.
    """
    import soundfile

    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            _usual(file.samplerate)
            _few(file.frames if file.frames < UNTOLD else 0, file, limits)
            samples = numpy.concatenate([numpy.zeros(0, "float32"), *_mono(file, limits)])
            rate = int(file.samplerate)
    except (soundfile.LibsndfileError, RuntimeError, ValueError, MemoryError):
        raise RequestError(400, "this is no recording that can be read: wav, flac, ogg or mp3 are", "file") from None
    if not len(samples) or not numpy.isfinite(samples).all():
        raise RequestError(400, "the recording has no samples, or some that are no numbers", "file")
    return samples, rate


def _mono(file: Any, limits: Limits) -> Iterator[Any]:
    seen = 0
    while len(block := file.read(file.samplerate, dtype="float32", always_2d=True)):
        seen += len(block)
        _few(seen, file, limits)
        yield block.mean(1)


def _few(frames: int, file: Any, limits: Limits) -> None:
    if frames > limits.audio * file.samplerate:
        raise RequestError(413, f"the recording is longer than {limits.audio:g} s", "file")
    if frames * file.channels > limits.samples:
        told = f"{frames} times {file.channels} channels"
        raise RequestError(
            413, f"the recording has {told} samples, more than {limits.samples}: lower its rate or mix it down", "file"
        )


def _usual(rate: int) -> None:
    if not LOWEST <= rate <= HIGHEST:
        raise RequestError(400, f"expected {LOWEST} to {HIGHEST} samples a second, got {rate}", "rate")


def _written(transcriber: Any, samples: Any, rate: int, options: Options) -> dict[str, Any]:
    found = transcriber.transcribe(samples, rate=rate, **options.to_dict())
    words = [
        {
            "word": one.text,
            "start": round(one.start, 3),
            "end": round(one.end, 3),
            "confidence": round(one.confidence, 3),
        }
        for one in found.words
    ]
    others = [one for one in found.alternatives if one != found.text]
    return {"text": found.text, "seconds": round(len(samples) / rate, 3), "words": words, "alternatives": others}


async def _listen(socket: WebSocket, service: Service, served: Any, rate: int) -> None:
    """Samples in, what is known out, until the client says that it has ended."""
    stream = served.estimator.stream(rate=rate, **served.options)
    batcher = service.batcher(served.name, _heard, "live")
    said, left = [], int(service.limits.audio * rate)
    while True:
        try:
            message = await service.unless_closing(socket.receive(), IDLE)
        except TimeoutError:
            raise RequestError(408, f"nothing came for {IDLE:g} s: the session is over") from None
        if message["type"] == "websocket.disconnect":
            return
        samples = _samples(message)
        if samples is not None:
            left -= len(samples)
            if left < 0:
                raise RequestError(413, f"a live session lasts {service.limits.audio:g} s at most")
        update = await batcher.ask((stream, samples), "live")
        said += [update.final] if update.final else []
        told = {"partial": update.partial, "stable": update.stable, "final": update.final}
        await socket.send_json(told | ({"done": True, "text": " ".join(said)} if samples is None else {}))
        if samples is None:
            await socket.close()
            return


def _samples(message: Any) -> Any:
    """Samples of a message; None where it says that no more come."""
    data = message.get("bytes")
    if data is not None:
        if len(data) % 4 or len(data) > 4_000_000:
            raise RequestError(400, f"expected float32 samples, at most a million at once, got {len(data)} bytes")
        return numpy.frombuffer(data, "<f4")
    try:
        ended = json.loads(message.get("text") or "")["end"] is True
    except (ValueError, TypeError, KeyError, RecursionError):
        ended = False
    if not ended:
        raise RequestError(400, 'expected float32 samples, or the text {"end": true}')
    return None


def _heard(items: list[Any]) -> list[Any]:
    """One step for all streams that heard something; one with bad samples gets its error, the others go on."""
    from gruworks.tasks.transcribe.streaming import accept_together

    if len(items) == 1 or len({id(stream) for stream, _ in items}) < len(items) or any(s is None for _, s in items):
        return [_alone(stream, samples) for stream, samples in items]
    if not all(numpy.isfinite(samples).all() for _, samples in items):
        return [_alone(stream, samples) for stream, samples in items]
    return list(accept_together([stream for stream, _ in items], [samples for _, samples in items]))


def _alone(stream: Any, samples: Any) -> Any:
    try:
        return stream.finish() if samples is None else stream.accept(samples)
    except GruworksError as error:
        return error


async def _last_word(socket: WebSocket, message: str, code: int) -> None:
    await socket.send_json({"error": {"message": message, "where": None}})
    await socket.close(code)
