"""Transcription of whole recordings: features block by block, segmentation at quiet frames, batches of segments."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy
import soxr
import torch
from numpy.typing import NDArray

from gruworks.errors import DataError, OptionError, TooShortError
from gruworks.tasks.transcribe.audio import blocks, check_rate, check_samples
from gruworks.tasks.transcribe.config import Config, Options
from gruworks.tasks.transcribe.data import Codec, check_kind, content_of
from gruworks.tasks.transcribe.decoding import Rescore, Search, Transcript, joined, transcript
from gruworks.tasks.transcribe.features import SHIFT, FilterBank, centred, check_frames, filter_bank
from gruworks.tasks.transcribe.manifest import Utterance, error_context
from gruworks.tasks.transcribe.model import TranscribeNet
from gruworks.tasks.transcribe.stationary import is_stationary
from gruworks.tasks.transcribe.streaming import Stream, finish_together, run_together

__all__ = ["Piece", "frame_blocks", "pieces", "transcribe_all"]

Frames = NDArray[numpy.float32]
Piece = tuple[int, Frames]  # first frame of a segment, its frames
SEARCHED = 1 / 3  # part of a segment, at its end, that is searched for the quietest frame
TOGETHER = 16  # recordings or segments of one batch
EMPTY = Transcript("", [], 0.0, [], [])
T = TypeVar("T")


def frame_blocks(audio: Any, rate: int | None, codec: Codec, config: Config) -> Iterator[Frames]:
    """Yield the normalized frames [T, F] of a recording block by block.

    Args:
        audio: a path, an utterance, or an array of samples (of frames, for a model of feature files).
        rate: sampling rate of samples, in Hz.
        codec: sampling rate and normalization of the model.
        config: settings of the model.

    Raises:
        DataError: the recording can't be read; the message says why.
        TooShortError: the recording is shorter than a frame.
    """
    if isinstance(audio, str | Path):
        audio = Utterance(Path(audio), "", None, str(audio))
    if isinstance(audio, bytes | bytearray | memoryview) or hasattr(audio, "read"):
        expected = "expected a path, an array of samples, or a list of these"
        raise DataError(f"{expected}, got {type(audio).__name__}: write it to a file, or decode it with soundfile.read")
    context: Any = contextlib.nullcontext()
    unnormalized, name = _of_array(audio, rate, codec, config), "the recording"
    if isinstance(audio, Utterance):
        context, unnormalized, name = error_context(audio), _of_file(audio, codec, config), str(audio.path)
    found = 0
    with context:
        for frames in unnormalized:
            found += len(frames)
            yield codec.normaliser(frames)
        if not found:
            raise TooShortError(f"{name} is shorter than one frame of 25 ms")


def _of_file(utterance: Utterance, codec: Codec, config: Config) -> Iterator[Frames]:
    if codec.rate is None:
        yield check_frames(content_of(utterance, None, config), codec.inputs, str(utterance.path))
        return
    check_kind(utterance, codec.rate)
    bank = FilterBank(codec.rate, config.bands)
    for samples in blocks(utterance.path, codec.rate, utterance.start, utterance.end):
        yield bank.accept(samples)


def _of_array(array: Any, rate: int | None, codec: Codec, config: Config) -> Iterator[Frames]:
    if codec.rate is None:
        yield check_frames(array, codec.inputs, "the recording")
        return
    if rate is None:
        raise OptionError(f"samples need their sampling rate: rate={codec.rate} if it is the model's")
    rate = check_rate(rate)
    mono = check_samples(array, "the samples")
    if not len(mono):
        raise DataError("expected samples, got an empty array")
    resampled = mono if rate == codec.rate else soxr.resample(mono, rate, codec.rate)
    yield filter_bank(resampled, codec.rate, config.bands)


def transcribe_all(
    model: TranscribeNet, recordings: Sequence[Iterable[Frames]], codec: Codec, config: Config, options: Options,
    search: Callable[[], Search],
) -> list[Transcript]:  # fmt: skip
    """Transcribe recordings in batches of `TOGETHER` recordings or, for a bidirectional model, segments.

    Each recording is an iterable of blocks of normalized frames [T, F], which is not held in memory as a whole.
    """
    found: list[list[Transcript]] = []
    if not model.bidirectional:
        for group in _groups(recordings):
            streams = [Stream(model, codec, config, options, search) for _ in group]
            for parts in itertools.zip_longest(*group):
                for stream, frames in zip(streams, parts, strict=True):
                    if frames is not None:
                        stream.take(frames)
                run_together(streams)
            finish_together(streams)
            found += [stream.segments for stream in streams]
    else:
        found = [[] for _ in recordings]
        longest, centre = round(options.longest / SHIFT), config.normalise == "recording"
        cut = ((i, piece) for i, frames in enumerate(recordings) for piece in pieces(frames, longest))
        for segments in _groups(cut):
            transcripts = _transcribe(model, [piece for _, piece in segments], codec, search, options, centre)
            for (i, _), one in zip(segments, transcripts, strict=True):
                found[i] += [one] if one.text else []
    return [joined(segments) for segments in found]


def _groups(items: Iterable[T]) -> Iterator[list[T]]:
    """Split an iterable into chunks of at most `TOGETHER` items."""
    iterator = iter(items)
    while group := list(itertools.islice(iterator, TOGETHER)):
        yield group


def pieces(frames: Iterable[Frames], longest: int) -> Iterator[Piece]:
    """Cut blocks of frames into segments of at most `longest` frames, at the quietest frame of their last third."""
    waiting: list[Frames] = []
    begun = 0
    for block in frames:
        waiting.append(block)
        while sum(map(len, waiting)) > longest:
            whole = numpy.concatenate(waiting)
            first = round(longest * (1 - SEARCHED))
            cut = first + int(whole[first:longest].mean(1).argmin())
            yield begun, whole[:cut]
            begun, waiting = begun + cut, [whole[cut:]]
    if sum(map(len, waiting)):
        yield begun, numpy.concatenate(waiting)


@torch.inference_mode()
def _transcribe(
    model: TranscribeNet, found: Sequence[Piece], codec: Codec, search: Callable[[], Search], options: Options,
    centre: bool,
) -> list[Transcript]:  # fmt: skip
    """Transcribe a batch of segments; `centre` subtracts the mean of each."""
    parts = [torch.from_numpy(centred(frames) if centre else frames) for _, frames in found]
    rows = torch.nn.utils.rnn.pad_sequence(parts, batch_first=True)
    encoded, lengths = model.encode(rows, torch.tensor([len(frames) for _, frames in found]))
    answer, step, transcripts = model.answer(encoded).numpy(), model.stride * SHIFT, []
    for (begun, frames), row, memory, length in zip(found, answer, encoded, lengths.tolist(), strict=True):
        if options.least and codec.rate is not None and is_stationary(frames, codec.normaliser.deviation):
            transcripts.append(EMPTY)
            continue
        one = search()
        one.advance(row[:length])
        rescore = _rescore(model, memory[:length], options.attention_weight)
        transcripts.append(
            transcript(row[:length], one, codec.alphabet, options.n_best, step, begun * SHIFT, rescore, options.least)
        )
    return transcripts


def _rescore(model: TranscribeNet, memory: torch.Tensor, weight: float) -> Rescore | None:
    """Weighted scores of the attention decoder; None for a model without one."""
    decoder = model.attention_decoder
    if decoder is None or not weight or not len(memory):
        return None
    return lambda texts: [weight * score for score in decoder.scores(memory, texts)]
