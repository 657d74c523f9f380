"""Whole recordings: frames block by block, cut where it is quiet, many at once through a network of both directions."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy
import soxr
import torch
from numpy.typing import NDArray

from gruworks.errors import DataError, OptionError, TooShortError
from gruworks.tasks.transcribe.audio import blocks, check_samples
from gruworks.tasks.transcribe.config import Config, Options
from gruworks.tasks.transcribe.data import Codec
from gruworks.tasks.transcribe.decoding import Opinion, Search, Transcript, transcript
from gruworks.tasks.transcribe.features import FEATURE_FILES, SHIFT, FilterBank, centred, read_features
from gruworks.tasks.transcribe.manifest import Utterance, told_where
from gruworks.tasks.transcribe.model import TranscribeNet

__all__ = ["Piece", "frame_blocks", "pieces", "transcribe_pieces"]

Frames = NDArray[numpy.float32]
Piece = tuple[int, Frames]  # the frame it begins at, and its frames
SEARCHED = 1 / 3  # the part of a piece, its last, in which the quietest place is looked for


def frame_blocks(audio: Any, rate: int | None, codec: Codec, config: Config) -> Iterator[Frames]:
    """Normalised frames [N, F] of a path, an utterance, samples or frames, block by block.

    Raises:
        DataError: what is wrong with the recording. TooShortError: it is shorter than a frame.
    """
    found = 0
    with told_where(audio) if isinstance(audio, Utterance) else contextlib.nullcontext():
        for frames in _raw_blocks(audio, rate, codec, config):
            found += len(frames)
            yield codec.normaliser(frames)
    if not found:
        raise TooShortError(f"{_name(audio)} is shorter than one frame of 25 ms")


def _raw_blocks(audio: Any, rate: int | None, codec: Codec, config: Config) -> Iterator[Frames]:
    one = audio if isinstance(audio, Utterance) else None
    path = one.path if one else Path(audio) if isinstance(audio, str | Path) else None
    if (codec.rate is None) != (path.suffix.lower() in FEATURE_FILES if path else codec.rate is None):
        kind = "features (.mfc, .npy)" if codec.rate is None else "audio"
        raise DataError(f"{path}: this model was fitted on {kind} and reads nothing else")
    if codec.rate is None:
        yield _given(audio if path is None else path, one, codec, config)
        return
    bank = FilterBank(codec.rate, config.bands)
    start, end = (one.start, one.end) if one else (0.0, None)
    whole = [_resampled(audio, rate, codec.rate)] if path is None else blocks(path, codec.rate, start, end)
    for samples in whole:
        yield bank.accept(samples)


def _given(source: Any, one: Utterance | None, codec: Codec, config: Config) -> Frames:
    frames = read_features(source, config.coefficients) if isinstance(source, Path) else numpy.asarray(source)
    if frames.ndim != 2 or frames.shape[1] != codec.inputs or not numpy.isfinite(frames).all():
        shape = list(frames.shape)
        raise DataError(f"{_name(source)}: expected frames of numbers [T, {codec.inputs}] as in the fit, got {shape}")
    if one is not None:
        end = None if one.end is None else round(one.end / SHIFT)
        frames = frames[round(one.start / SHIFT) : end]
    return frames.astype(numpy.float32)


def _resampled(samples: Any, rate: int | None, wanted: int) -> Frames:
    if rate is None:
        raise OptionError(f"samples need their rate: rate={wanted} if they are as the model has them")
    mono = check_samples(samples, "the samples")
    if not len(mono):
        raise DataError("there are no samples: the array is empty")
    return mono if rate == wanted else soxr.resample(mono, rate, wanted)


def _name(audio: Any) -> str:
    if isinstance(audio, Utterance):
        return f"{audio.where} ({audio.path.name})"
    return str(audio) if isinstance(audio, str | Path) else "the recording"


def pieces(frames: Iterable[Frames], longest: int) -> Iterator[Piece]:
    """Pieces of at most `longest` frames, cut at the quietest frame of their last third; one if it is short enough."""
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
def transcribe_pieces(
    model: TranscribeNet, found: Sequence[Piece], codec: Codec, search: Callable[[], Search], options: Options,
    centre: bool,
) -> list[Transcript]:  # fmt: skip
    """The transcript of each piece, the network running once for all; with `centre` each piece is less its mean."""
    parts = [torch.from_numpy(centred(frames) if centre else frames) for _, frames in found]
    rows = torch.nn.utils.rnn.pad_sequence(parts, batch_first=True)
    encoded, lengths = model.encode(rows, torch.tensor([len(frames) for _, frames in found]))
    answer, step, transcripts = model.answer(encoded).numpy(), model.stride * SHIFT, []
    for (begun, _), row, memory, length in zip(found, answer, encoded, lengths.tolist(), strict=True):
        one = search()
        one.advance(row[:length])
        opinion = _opinion(model, memory[:length], options.attention_weight)
        told = transcript(row[:length], one, codec.alphabet, options.n_best, step, begun * SHIFT, opinion)
        transcripts.append(told)
    return transcripts


def _opinion(model: TranscribeNet, memory: torch.Tensor, weight: float) -> Opinion | None:
    """Scores of the attention decoder for each text of a search; None where there is no such decoder."""
    decoder = model.attention_decoder
    if decoder is None or not weight or not len(memory):
        return None
    return lambda texts: [weight * told for told in decoder.opinions(memory, texts)]
