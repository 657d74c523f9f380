"""Latency of streaming: recordings fed in real time, with the computing time measured."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy

from gruworks.tasks.transcribe.config import Config
from gruworks.tasks.transcribe.data import content_of
from gruworks.tasks.transcribe.features import SHIFT
from gruworks.tasks.transcribe.manifest import Utterance
from gruworks.tasks.transcribe.streaming import Stream

__all__ = ["Latency", "measure", "peak_memory"]

PIECE = 0.1  # seconds of audio per call
PLAYED = 20  # utterances, spread over the manifest


@dataclass(frozen=True)
class Latency:
    """Median and 95th percentile of the latency in seconds, for audio that arrives in pieces of 100 ms.

    `first_*` is measured from the start of the first word to the first partial text, `final_*` from the end of the
    recording to its final text. Where the end of speech must be detected, `silence` seconds are added to `final_*`.
    """

    utterances: int
    first_p50: float
    first_p95: float
    final_p50: float
    final_p95: float


def measure(
    new_stream: Callable[[], Stream], utterances: Sequence[Utterance], rate: int | None, config: Config
) -> Latency | None:
    """Measure the latency over at most `PLAYED` utterances; None if all transcripts are empty.

    Args:
        new_stream: starts a stream.
        utterances: recordings to play.
        rate: sampling rate of the model in Hz; None for models of feature files.
        config: settings of the model.
    """
    places = numpy.unique(numpy.linspace(0, len(utterances) - 1, min(PLAYED, len(utterances))).round().astype(int))
    waits = [_play(new_stream(), content_of(utterances[i], rate, config), rate) for i in places]
    firsts, finals = [first for first, _ in waits if first is not None], [final for _, final in waits]
    if not firsts:
        return None
    quantiles = [float(q) for seconds in (firsts, finals) for q in numpy.quantile(seconds, [0.5, 0.95])]
    return Latency(len(waits), *quantiles)


def _play(stream: Stream, content: Any, rate: int | None) -> tuple[float | None, float]:
    """Latency of the first partial and of the final text; a piece that arrives during computation is queued."""
    size = round(PIECE / SHIFT) if rate is None else round(PIECE * rate)
    accept = stream.accept_features if rate is None else stream.accept
    seconds = len(content) * SHIFT if rate is None else len(content) / rate
    now, shown = 0.0, None
    for first in range(0, len(content), size):
        begun = time.perf_counter()
        update = accept(content[first : first + size])
        now = max(now, min(seconds, (first + size) / size * PIECE)) + time.perf_counter() - begun
        if shown is None and (update.partial or update.final):
            shown = now
    begun = time.perf_counter()
    update = stream.finish()
    now = max(now, seconds) + time.perf_counter() - begun
    if shown is None and update.final:
        shown = now
    words = [word for one in stream.segments for word in one.words]
    return (shown - words[0].start if shown is not None and words else None), now - seconds


def peak_memory() -> float | None:
    """Peak memory of this process in MiB; None where the system does not report it."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1 << 20 if sys.platform == "darwin" else 1 << 10)
