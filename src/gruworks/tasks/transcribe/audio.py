"""Audio files as mono float32 samples at one sampling rate, whole or block by block."""

from __future__ import annotations

import io
import operator
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy
import soundfile
import soxr
from numpy.typing import NDArray

from gruworks.errors import DataError
from gruworks.tasks.transcribe import mp3

__all__ = ["AUDIO_FILES", "FFMPEG_FILES", "Header", "blocks", "check_rate", "check_samples", "header", "read_audio"]

Samples = NDArray[numpy.float32]
FFMPEG_FILES = (".m4a", ".mp4", ".webm", ".aac", ".wma", ".mka", ".mkv", ".mov", ".3gp", ".amr")
AUDIO_FILES = (
    ".wav", ".flac", ".ogg", ".mp3", ".opus", ".oga", ".aiff", ".aif", ".au", ".caf", ".w64", ".sph", *FFMPEG_FILES,
)  # fmt: skip
BLOCK_SECONDS = 10
HIGHEST_RATE = 1_000_000


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


def read_audio(
    path: Path, rate: int | None = None, start: float = 0.0, end: float | None = None, told: list[str] | None = None
) -> Samples:
    """Read a recording, or its part from `start` to `end` seconds, as mono samples [N] at `rate` Hz."""
    parts = list(blocks(path, rate, start, end, told))
    return numpy.concatenate(parts) if parts else numpy.zeros(0, numpy.float32)


def blocks(
    path: Path, rate: int | None = None, start: float = 0.0, end: float | None = None, told: list[str] | None = None
) -> Iterator[Samples]:
    """Read a recording in blocks of about ten seconds, so that memory does not grow with its length.

    A file whose header states another length than it has is read to its own end.

    Args:
        path: the audio file.
        rate: sampling rate of the blocks in Hz; None keeps the file's.
        start: beginning of the part to read, in seconds.
        end: its end in seconds; None reads to the end of the file.
        told: a list that a line is appended to where the header states another length than the file has.

    Raises:
        DataError: the file is no audio file, has no samples, or holds NaN or infinity.
    """
    with _opened(path, told) as file:
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
            check_samples(piece, f"{path}, {at / own:.2f} s")
            if not len(piece):
                _end_early(path, at / own, last / own, told, at == first)
                last = at
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


def check_rate(rate: Any) -> int:
    """The sampling rate of samples, an integer of hertz.

    Raises:
        DataError: no positive integer.
    """
    try:
        number = operator.index(rate)
    except TypeError:
        number = int(rate) if isinstance(rate, float) and rate.is_integer() else 0
    if isinstance(rate, bool) or not 0 < number <= HIGHEST_RATE:
        raise DataError(f"expected the sampling rate of the samples in Hz, for example rate=16000, got {rate!r}")
    return number


def _end_early(path: Path, found: float, stated: float, told: list[str] | None, empty: bool) -> None:
    if empty:
        raise DataError(f"{path} ends after {found:.2f} s; its header says {stated:.2f} s")
    _tell(told, path, found, stated)


def _tell(told: list[str] | None, path: Path, found: float, stated: float) -> None:
    if told is not None:
        told.append(f"{path}: its header says {stated:.2f} s, it has {found:.2f} s, all of which are read")


@contextmanager
def _opened(path: Path, told: list[str] | None = None) -> Iterator[soundfile.SoundFile]:
    """Open an audio file; errors of libsndfile become a DataError that names the file."""
    if not path.is_file():
        raise DataError(f"{path} does not exist" if not path.exists() else f"{path} is not a file")
    if path.suffix.lower() in FFMPEG_FILES:
        with _converted(path) as converted, soundfile.SoundFile(converted) as file:
            yield file
        return
    try:
        with soundfile.SoundFile(_source(path, told)) as file:
            yield file
    except soundfile.LibsndfileError as error:
        told_by = error.error_string.strip()
        raise DataError(f"{path} can't be read as audio ({told_by}){_advice(path)}") from error


def _advice(path: Path) -> str:
    return f": convert it, for example with ffmpeg -i {path.name} {path.stem}.wav"


def _source(path: Path, told: list[str] | None) -> Any:
    """The path, or the repaired content of a file whose header states another length than it has."""
    kind = path.suffix.lower()
    if kind == ".mp3":
        content = path.read_bytes()
        found = mp3.frames(content)
        if not found.places or found.right:
            return path
        if len(found.rates) > 1:
            rates = " and ".join(f"{rate} Hz" for rate in sorted(found.rates))
            raise DataError(f"{path} joins recordings of {rates}: join them after conversion to one sampling rate")
        assert found.first is not None
        seconds = found.first.samples / found.first.rate
        if found.stated is not None:
            _tell(told, path, len(found.places) * seconds, found.stated * seconds)
        return io.BytesIO(mp3.repaired(content, found))
    return _mended_wav(path, told) if kind == ".wav" else path


def _mended_wav(path: Path, told: list[str] | None) -> Any:
    """A WAV file with the actual size of its data chunk, where an unseekable output left it open; others unchanged."""
    with path.open("rb") as file:
        start = file.read(1 << 16)
    at, size = start.find(b"data"), path.stat().st_size
    if start[:4] != b"RIFF" or at < 0 or at + 8 > len(start):
        return path
    stated, there = int.from_bytes(start[at + 4 : at + 8], "little"), size - at - 8
    per_second = int.from_bytes(start[28:32], "little") or 1
    if stated > there and stated < 0xFFFF_FFF0:
        _tell(told, path, there / per_second, stated / per_second)
    if stated or there < 2:
        return path
    content = path.read_bytes()
    sizes = (size - 8).to_bytes(4, "little"), there.to_bytes(4, "little")
    return io.BytesIO(content[:4] + sizes[0] + content[8 : at + 4] + sizes[1] + content[at + 8 :])


@contextmanager
def _converted(path: Path) -> Iterator[Path]:
    """A WAV file with the sound of a file that libsndfile can't read, by ffmpeg.

    Raises:
        DataError: ffmpeg is not installed, or can't read the file.
    """
    program = shutil.which("ffmpeg")
    if program is None:
        advice = f"install it, or convert the file elsewhere: ffmpeg -i {path.name} {path.stem}.wav"
        raise DataError(f"{path}: reading {path.suffix} needs ffmpeg, which is not installed: {advice}")
    with tempfile.TemporaryDirectory(prefix="gruworks-") as folder:
        out = Path(folder) / "sound.wav"
        # only the file itself: a playlist in it could name other files and addresses
        command = [program, "-v", "error", "-nostdin", "-protocol_whitelist", "file", "-i", f"file:{path.resolve()}"]
        done = subprocess.run([*command, "-vn", "-c:a", "pcm_s16le", str(out)], capture_output=True, check=False)
        if done.returncode or not out.is_file():
            lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise DataError(f"{path} can't be read as audio (ffmpeg: {lines[-1] if lines else done.returncode})")
        yield out
