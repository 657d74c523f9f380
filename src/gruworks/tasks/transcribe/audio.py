"""Audio files as mono float32 samples at one sampling rate, whole or block by block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy
import soundfile
import soxr
from numpy.typing import NDArray

from gruworks.errors import DataError

__all__ = ["AUDIO_FILES", "Header", "blocks", "check_samples", "header", "read_audio"]

Samples = NDArray[numpy.float32]
AUDIO_FILES = (".wav", ".flac", ".ogg", ".mp3")
BLOCK_SECONDS = 10


class Header(NamedTuple):
    """Header of an audio file: sampling rate in Hz, number of samples per channel, number of channels."""

    rate: int
    samples: int
    channels: int


def header(path: Path) -> Header:
    """Read the header of an audio file.

    Raises:
        DataError: the file is missing or is no audio file.
    """
    with _opened(path) as file:
        return Header(file.samplerate, file.frames, file.channels)


def read_audio(path: Path, rate: int | None = None, start: float = 0.0, end: float | None = None) -> Samples:
    """Read a recording, or its part from `start` to `end` seconds, as mono samples [N] at `rate` Hz."""
    parts = list(blocks(path, rate, start, end))
    return numpy.concatenate(parts) if parts else numpy.zeros(0, numpy.float32)


def blocks(path: Path, rate: int | None = None, start: float = 0.0, end: float | None = None) -> Iterator[Samples]:
    """Read a recording in blocks of about ten seconds, so that memory does not grow with its length.

    Args:
        path: the audio file.
        rate: sampling rate of the blocks in Hz; None keeps the file's.
        start: beginning of the part to read, in seconds.
        end: its end in seconds; None reads to the end of the file.

    Raises:
        DataError: the file is no audio file, has no samples, or holds NaN or infinity.
    """
    with _opened(path) as file:
        own = file.samplerate
        first, last = round(start * own), file.frames if end is None else min(file.frames, round(end * own))
        if last <= first:
            raise DataError(f"{path} has no samples" + (f" from {start} s on" if start else ""))
        if first:
            file.seek(first)
        resampler = None if rate in (None, own) else soxr.ResampleStream(own, rate, 1, dtype="float32")
        at = first
        while at < last:
            piece: Samples = file.read(min(BLOCK_SECONDS * own, last - at), dtype="float32", always_2d=True).mean(1)
            if not len(piece):
                raise DataError(f"{path} ends after {at / own:.2f} s; its header says {last / own:.2f} s")
            check_samples(piece, f"{path}, {at / own:.2f} s")
            at += len(piece)
            yield piece if resampler is None else resampler.resample_chunk(piece, last=at >= last)


def check_samples(samples: Any, where: str) -> Samples:
    """Convert samples [N] or [N, channels] to mono float32 [N]; integers are scaled as 16-bit samples.

    Raises:
        DataError: another shape or type, NaN or infinity.
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
        raise DataError(f"{where}: sample {at} is {mono[at]}; expected a finite number: repair the recording")
    return mono


@contextmanager
def _opened(path: Path) -> Iterator[soundfile.SoundFile]:
    """Open an audio file; errors of libsndfile become a DataError that names the file."""
    if not path.is_file():
        raise DataError(f"{path} does not exist" if not path.exists() else f"{path} is not a file")
    try:
        with soundfile.SoundFile(path) as file:
            yield file
    except soundfile.LibsndfileError as error:
        raise DataError(f"{path} can't be read as audio ({error.error_string.strip()})") from error
