"""Streaming transcription: samples in as they arrive, text out; many streams in one batch."""

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
from gruworks.tasks.transcribe.audio import check_rate, check_samples
from gruworks.tasks.transcribe.config import Config, Options
from gruworks.tasks.transcribe.data import Codec
from gruworks.tasks.transcribe.decoding import Search, Transcript, timed, transcript
from gruworks.tasks.transcribe.features import SHIFT, FilterBank, RunningMean, check_frames
from gruworks.tasks.transcribe.model import TranscribeNet
from gruworks.tasks.transcribe.stationary import is_stationary

__all__ = ["Stream", "Update", "accept_together", "finish_together", "run_together"]

Frames = NDArray[numpy.float32]


class Update(NamedTuple):
    """Result of a call: the open segment's text, its part that can't change, and the text of segments that ended."""

    partial: str
    stable: str
    final: str


class Stream:
    """Transcription of one audio stream, made by `Transcriber.stream`.

    >>> stream = transcriber.stream()                                     # doctest: +SKIP
    >>> partial, stable, final = stream.accept(samples)                   # doctest: +SKIP
    >>> stream.finish().final                                             # doctest: +SKIP

    The network runs on chunks of `chunk` steps counted from the start of the stream, so the text does not depend on how
    the samples are divided into calls. A segment ends after `silence` seconds of blanks; `segments` holds the
    transcripts of ended segments.

    Args:
        model: a network fitted with `streaming=True`.
        codec: sampling rate, tokens and normalization.
        config: settings of the fit.
        options: decoding options.
        search: factory of searches, one per segment.
        rate: sampling rate of the samples in Hz, resampled to the model's; None is the model's.
    """

    def __init__(
        self, model: TranscribeNet, codec: Codec, config: Config, options: Options, search: Callable[[], Search],
        rate: int | None = None,
    ) -> None:  # fmt: skip
        self.model, self.codec, self.config, self.options, self._search = model, codec, config, options, search
        self.bank = None if codec.rate is None else FilterBank(codec.rate, config.bands)
        self.resampler = _resampler(rate, codec.rate)
        self.running_mean = RunningMean(codec.inputs) if config.normalise == "recording" else None
        self.state = model.start(1)
        self.waiting = numpy.zeros((0, codec.inputs), numpy.float32)
        self.segments: list[Transcript] = []
        self.ended = False
        self.steps = 0  # network steps since the start of the stream
        self.frames = numpy.zeros((0, codec.inputs), numpy.float32)  # of the open segment, for a closed word list
        self.first = 0  # number of the first of them
        self._begin()

    @property
    def step(self) -> float:
        """Duration of a step of the network in seconds."""
        return self.model.stride * SHIFT

    def accept(self, samples: Any) -> Update:
        """Add samples [N] or [N, channels]: floats between -1 and 1, or 16-bit integers.

        Raises:
            DataError: another type or shape, NaN or infinity, or a finished stream.
        """
        return accept_together([self], [samples])[0]

    def accept_features(self, frames: Any) -> Update:
        """Add frames [T, F], for a model fitted on feature files."""
        return accept_together([self], [frames], features=True)[0]

    def finish(self) -> Update:
        """End the stream and transcribe all samples that are still buffered."""
        self._check_open()
        if self.resampler is not None and self.bank is not None:
            rest = self.resampler.resample_chunk(numpy.zeros(0, numpy.float32), last=True)
            self.take(self.codec.normaliser(self.bank.accept(rest)))
        before = len(self.segments)
        finish_together([self])
        return self._update(before)

    def take(self, frames: Frames) -> None:
        """Buffer normalized frames [T, F] for `run_together` or `finish_together`."""
        frames = frames if self.running_mean is None else self.running_mean(frames)
        self.waiting = numpy.concatenate([self.waiting, frames]) if len(self.waiting) else frames

    def _push(self, piece: Any, features: bool) -> None:
        self._check_open()
        where = "input of the stream"
        if self.bank is None:
            if not features:
                raise DataError("this model was fitted on feature files: use accept_features(frames)")
            frames = check_frames(piece, self.codec.inputs, where)
        elif features:
            raise DataError("this model was fitted on audio: use accept(samples)")
        else:
            samples = check_samples(piece, where)
            frames = self.bank.accept(samples if self.resampler is None else self.resampler.resample_chunk(samples))
        self.take(self.codec.normaliser(frames))

    def _check_open(self) -> None:
        if self.ended:
            raise DataError("this stream has been finished: make a new one")

    def _begin(self) -> None:
        self.search, self.begun, self.quiet = self._search(), self.steps, 0
        self.rows: list[Frames] = []
        done = self.steps * self.model.stride - self.first
        self.frames, self.first = self.frames[done:], self.first + done

    def _read(self, rows: Frames) -> None:
        """Decode log-probabilities [T, V] step by step, so that segments do not depend on the chunk size."""
        for row in rows:
            self.search.advance(row[None])
            self.rows.append(row)
            self.steps += 1
            self.quiet = self.quiet + 1 if row.argmax() == BLANK else 0
            long = len(self.rows) * self.step >= self.options.longest
            if long or self.quiet * self.step >= self.options.silence:
                self._conclude()

    def _conclude(self) -> None:
        """End the segment and keep its transcript unless it is empty."""
        if self.search.results()[0].symbols and not self._is_noise():
            rows, alphabet = numpy.stack(self.rows), self.codec.alphabet
            options, begun = self.options, self.begun * self.step
            one = transcript(rows, self.search, alphabet, options.n_best, self.step, begun, least=options.least)
            if one.text:
                self.segments.append(one)
        self._begin()

    def _update(self, before: int) -> Update:
        final = " ".join(one.text for one in self.segments[before:])
        stable = self.codec.alphabet.decode(self.search.stable())
        if not self.options.least:
            return Update(self.codec.alphabet.decode(self.search.results(ended=False)[0].symbols), stable, final)
        partial = self._listed()
        return Update(partial, stable if partial.startswith(stable) else "", final)

    def _is_noise(self) -> bool:
        """True for a segment of silence or steady noise, where only words of a list are allowed."""
        if not self.options.least or self.codec.rate is None:
            return False
        return is_stationary(self.frames[: len(self.rows) * self.model.stride], self.codec.normaliser.deviation)

    def _listed(self) -> str:
        """The partial text with a closed word list: whole words alone, without those of a low confidence."""
        if not self.rows or self._is_noise():
            return ""
        rows, symbols = numpy.stack(self.rows), self.search.results()[0].symbols
        words = timed(rows, symbols, self.codec.alphabet, self.step)
        return " ".join(word.text for word in words if word.confidence >= self.options.least)


def accept_together(streams: Sequence[Stream], pieces: Sequence[Any], features: bool = False) -> list[Update]:
    """Call `Stream.accept` for many streams of one model, whose complete chunks run in one batch.

    Args:
        streams: streams of one model.
        pieces: samples (or frames) for each stream.
        features: True where `pieces` are frames.

    Raises:
        OptionError: another number of pieces, or streams of several models.
        DataError: as `Stream.accept`.
    """
    if len(streams) != len(pieces) or len({id(stream.model) for stream in streams}) > 1:
        raise OptionError("accept_together needs one piece for each stream, and streams of one model")
    before = [len(stream.segments) for stream in streams]
    for stream, piece in zip(streams, pieces, strict=True):
        stream._push(piece, features)
    run_together(streams)
    return [stream._update(count) for stream, count in zip(streams, before, strict=True)]


def finish_together(streams: Sequence[Stream]) -> None:
    """End many streams of one model, in one batch; their last segments go to `segments`."""
    run_together(streams)
    for stream in streams:
        stream.ended = True
    _step(streams)
    for stream in streams:
        stream._conclude()


def run_together(streams: Sequence[Stream]) -> None:
    """Run the network as long as a stream has a complete chunk buffered."""
    while streams:
        size = streams[0].config.chunk * streams[0].model.stride
        streams = [stream for stream in streams if len(stream.waiting) >= size]
        _step(streams)


@torch.inference_mode()
def _step(streams: Sequence[Stream]) -> None:
    """Run the network on the next chunk of each stream; ended streams also flush their delayed outputs."""
    if not streams:
        return
    first = streams[0]
    size = first.config.chunk * first.model.stride
    features = numpy.zeros((len(streams), size, first.codec.inputs), numpy.float32)
    lengths = torch.tensor([min(size, len(stream.waiting)) for stream in streams])
    for row, stream in enumerate(streams):
        piece, stream.waiting = stream.waiting[:size], stream.waiting[size:]
        if stream.options.least:
            stream.frames = numpy.concatenate([stream.frames, piece])
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
        raise OptionError("this model was fitted on feature files, not audio: leave out rate")
    rate = check_rate(rate)
    return soxr.ResampleStream(rate, wanted, 1, dtype="float32")
