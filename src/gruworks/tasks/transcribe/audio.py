"""Recordings in: any file that soundfile reads, as mono float32 samples at one rate, whole or block by block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import soundfile
import soxr
from numpy.typing import NDArray

from gruworks.errors import DataError

__all__ = ["AUDIO_FILES", "Facts", "blocks", "check_samples", "facts", "read_audio"]

Samples = NDArray[numpy.float32]
AUDIO_FILES = (".wav", ".flac", ".ogg", ".mp3")
BLOCK_SECONDS = 10


@dataclass(frozen=True)
class Facts:
    """Header of an audio file: samples per second, their number, channels."""

    rate: int
    samples: int
    channels: int

    @property
    def seconds(self) -> float:
        return self.samples / self.rate


def facts(path: Path) -> Facts:
    """The header of an audio file; a DataError that says what it is where it is none."""
    with _opened(path) as file:
        return Facts(file.samplerate, file.frames, file.channels)


def read_audio(path: Path, rate: int | None = None, start: float = 0.0, end: float | None = None) -> Samples:
    """The whole recording, or its part from `start` to `end` seconds, as mono samples [N] at `rate`."""
    parts = list(blocks(path, rate, start, end))
    return numpy.concatenate(parts) if parts else numpy.zeros(0, numpy.float32)


def blocks(path: Path, rate: int | None = None, start: float = 0.0, end: float | None = None) -> Iterator[Samples]:
    """The recording in pieces of about ten seconds: an hour of it never stands in memory at once.

    Raises:
        DataError: no audio, no samples, or samples that are no numbers; with file and place.
    """
    with _opened(path) as file:
        own = file.samplerate
        first, last = round(start * own), file.frames if end is None else min(file.frames, round(end * own))
        if last <= first:
            raise DataError(f"{path} has no samples" + (f" from {start} s on" if start else ""))
        if first:
            _seek(file, path, first)
        resampler = None if rate in (None, own) else soxr.ResampleStream(own, rate, 1, dtype="float32")
        at = first
        while at < last:
            piece = _read(file, path, min(BLOCK_SECONDS * own, last - at))
            if not len(piece):
                raise DataError(f"{path} ends after {at / own:.2f} s, its header says {last / own:.2f} s")
            check_samples(piece, f"{path}, {at / own:.2f} s")
            at += len(piece)
            yield piece if resampler is None else resampler.resample_chunk(piece, last=at >= last)


def check_samples(samples: Any, where: str) -> Samples:
    """`samples` as mono float32 [N], from [N] or [N, channels]; integers are taken as 16-bit.

    Raises:
        DataError: something else, or values that are no numbers.
    """
    array = numpy.asarray(samples)
    if array.dtype.kind not in "fiu" or array.ndim not in (1, 2) or (array.ndim == 2 and array.shape[1] > 64):
        raise DataError(f"{where}: expected samples [N] or [N, channels], got {array.dtype} {list(array.shape)}")
    if array.dtype.kind in "iu":
        array = array / 32768.0
    if array.ndim == 2:
        array = array.mean(1)
    mono: Samples = numpy.ascontiguousarray(array, dtype=numpy.float32)
    bad = ~numpy.isfinite(mono)
    if bad.any():
        at = int(bad.argmax())
        raise DataError(f"{where}: sample {at} is {mono[at]}, not a number: mend the recording")
    return mono


def _opened(path: Path) -> soundfile.SoundFile:
    if not path.is_file():
        raise DataError(f"{path} does not exist" if not path.exists() else f"{path} is no file")
    try:
        return soundfile.SoundFile(path)
    except soundfile.LibsndfileError as error:
        raise DataError(f"{path} can't be read as audio ({error.error_string.strip()})") from error


def _seek(file: soundfile.SoundFile, path: Path, place: int) -> None:
    try:
        file.seek(place)
    except soundfile.LibsndfileError as error:
        raise DataError(f"{path} is damaged ({error.error_string.strip()})") from error


def _read(file: soundfile.SoundFile, path: Path, count: int) -> Samples:
    try:
        piece: Samples = file.read(count, dtype="float32", always_2d=True).mean(1)
    except soundfile.LibsndfileError as error:
        raise DataError(f"{path} is damaged ({error.error_string.strip()})") from error
    return piece
