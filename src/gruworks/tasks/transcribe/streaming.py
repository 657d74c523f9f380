"""Transcribing while hearing: samples in as they come, text out; many streams in one step of the network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy
import soxr
import torch
from numpy.typing import NDArray

from gruworks.errors import DataError, OptionError
from gruworks.nn.state import select, stack
from gruworks.tasks.transcribe.alphabet import BLANK
from gruworks.tasks.transcribe.audio import check_samples
from gruworks.tasks.transcribe.config import Config, Options
from gruworks.tasks.transcribe.data import Codec
from gruworks.tasks.transcribe.decoding import Search, Transcript, transcript
from gruworks.tasks.transcribe.features import SHIFT, FilterBank, RunningMean
from gruworks.tasks.transcribe.model import TranscribeNet

__all__ = ["Stream", "Update", "accept_together", "finish_together", "run_together"]

Frames = NDArray[numpy.float32]


class Update(NamedTuple):
    """State of a stream's text: since the last final one, its part that can't change, and what became final."""

    partial: str
    stable: str
    final: str


class Stream:
    """One speaker's stream. `Transcriber.stream()` makes it.

    >>> stream = transcriber.stream()                                     # doctest: +SKIP
    >>> partial, stable, final = stream.accept(samples)                   # doctest: +SKIP
    >>> stream.finish().final                                             # doctest: +SKIP

    The network takes `chunk` steps at once, counted from the start of the stream, so the text does not depend on how
    the samples are cut. A segment ends after `silence` seconds without a symbol; `segments` holds those that ended.

    Args:
        rate: samples per second of what is accepted; resampled where the model has another one.
    """

    def __init__(
        self, model: TranscribeNet, codec: Codec, config: Config, options: Options, search: Callable[[], Search],
        rate: int | None = None,
    ) -> None:  # fmt: skip
        self.model, self.codec, self.config, self.options, self._search = model, codec, config, options, search
        self.bank = None if codec.rate is None else FilterBank(codec.rate, config.bands)
        self.resampler = _resampler(rate, codec.rate)
        self.level = RunningMean(codec.inputs) if config.normalise == "recording" else None
        self.state = model.start(1)
        self.waiting = numpy.zeros((0, codec.inputs), numpy.float32)
        self.segments: list[Transcript] = []
        self.ended = False
        self.steps = 0  # of the network's, since the start of the stream
        self._begin()

    @property
    def step(self) -> float:
        """Seconds of one step of the network."""
        return self.model.stride * SHIFT

    def accept(self, samples: Any) -> Update:
        """Hear more: mono samples [N] (or [N, channels]), floats in -1 ... 1 or 16-bit integers.

        Raises:
            DataError: something else, samples that are no numbers, or a stream that has been finished.
        """
        return accept_together([self], [samples])[0]

    def accept_features(self, frames: Any) -> Update:
        """Hear more as frames [N, F], where the model was fitted on given features."""
        return accept_together([self], [frames], features=True)[0]

    def finish(self) -> Update:
        """No more comes: everything that waits becomes final."""
        self._check_open()
        if self.resampler is not None:
            self._hear(self.resampler.resample_chunk(numpy.zeros(0, numpy.float32), last=True))
        before = len(self.segments)
        finish_together([self])
        return self._update(before)

    def _hear(self, samples: Frames) -> None:
        assert self.bank is not None
        self._take(self.bank.accept(samples))

    def _take(self, frames: Frames) -> None:
        self.take(self.codec.normaliser(frames))

    def take(self, frames: Frames) -> None:
        """More normalised frames [N, F], not transcribed before `accept_together` or `finish_together`."""
        frames = frames if self.level is None else self.level(frames)
        self.waiting = numpy.concatenate([self.waiting, frames]) if len(self.waiting) else frames

    def _push(self, piece: Any, features: bool) -> None:
        self._check_open()
        where = "what the stream was given"
        if features:
            if self.bank is not None:
                raise DataError("this model was fitted on audio: use accept(samples)")
            frames = numpy.asarray(piece, numpy.float32)
            if frames.ndim != 2 or frames.shape[1] != self.codec.inputs or not numpy.isfinite(frames).all():
                size = self.codec.inputs
                raise DataError(f"{where}: expected frames of numbers [N, {size}], got {list(frames.shape)}")
            self._take(frames)
            return
        if self.bank is None:
            raise DataError("this model was fitted on given features: use accept_features(frames)")
        samples = check_samples(piece, where)
        self._hear(samples if self.resampler is None else self.resampler.resample_chunk(samples))

    def _check_open(self) -> None:
        if self.ended:
            raise DataError("this stream has been finished: make a new one")

    def _begin(self) -> None:
        self.search, self.begun, self.quiet = self._search(), self.steps, 0
        self.rows: list[Frames] = []

    def _read(self, rows: Frames) -> None:
        """Decode what the network said, step by step, so that a segment ends at the same step whatever the chunk."""
        for row in rows:
            self.search.advance(row[None])
            self.rows.append(row)
            self.steps += 1
            self.quiet = self.quiet + 1 if row.argmax() == BLANK else 0
            long = len(self.rows) * self.step >= self.options.longest
            if long or self.quiet * self.step >= self.options.silence:
                self._conclude()

    def _conclude(self) -> None:
        """End the segment; one without text leaves nothing behind."""
        if self.search.results()[0].symbols:
            rows, alphabet = numpy.stack(self.rows), self.codec.alphabet
            one = transcript(rows, self.search, alphabet, self.options.n_best, self.step, self.begun * self.step)
            if one.text:
                self.segments.append(one)
        self._begin()

    def _update(self, before: int) -> Update:
        alphabet = self.codec.alphabet
        partial = alphabet.decode(self.search.results(ended=False)[0].symbols)
        final = " ".join(one.text for one in self.segments[before:])
        return Update(partial, alphabet.decode(self.search.stable()), final)


def accept_together(streams: Sequence[Stream], pieces: Sequence[Any], features: bool = False) -> list[Update]:
    """`Stream.accept` for many streams of one model, the network running once for all that have a chunk ready."""
    if len(streams) != len(pieces) or len({id(stream.model) for stream in streams}) > 1:
        raise OptionError("accept_together needs one piece for each stream, and streams of one model")
    before = [len(stream.segments) for stream in streams]
    for stream, piece in zip(streams, pieces, strict=True):
        stream._push(piece, features)
    run_together(streams)
    return [stream._update(count) for stream, count in zip(streams, before, strict=True)]


def finish_together(streams: Sequence[Stream]) -> None:
    """`Stream.finish` for many streams of one model."""
    run_together(streams)
    for stream in streams:
        stream.ended = True
    _step(streams)
    for stream in streams:
        stream._conclude()


def run_together(streams: Sequence[Stream]) -> None:
    """Steps of the network as long as a stream has a whole chunk."""
    while streams:
        size = streams[0].config.chunk * streams[0].model.stride
        streams = [stream for stream in streams if len(stream.waiting) >= size]
        _step(streams)


@torch.inference_mode()
def _step(streams: Sequence[Stream]) -> None:
    """One step of the network over the next chunk of each stream; those that ended give all that still waits."""
    if not streams:
        return
    first = streams[0]
    size = first.config.chunk * first.model.stride
    features = numpy.zeros((len(streams), size, first.codec.inputs), numpy.float32)
    lengths = torch.tensor([min(size, len(stream.waiting)) for stream in streams])
    for row, stream in enumerate(streams):
        piece, stream.waiting = stream.waiting[:size], stream.waiting[size:]
        features[row, : len(piece)] = piece
    last = torch.tensor([stream.ended for stream in streams])
    state = first.state if len(streams) == 1 else stack([stream.state for stream in streams])
    answer, ready, after = first.model.step(torch.from_numpy(features), lengths, state, last)
    for row, stream in enumerate(streams):
        stream.state = after if len(streams) == 1 else select(after, torch.tensor([row]))
        stream._read(answer[row, : int(ready[row])].numpy())


def _resampler(rate: int | None, wanted: int | None) -> Any:
    if rate is None or rate == wanted:
        return None
    if wanted is None:
        raise OptionError("this model was fitted on given features: a rate says nothing to it")
    return soxr.ResampleStream(rate, wanted, 1, dtype="float32")
