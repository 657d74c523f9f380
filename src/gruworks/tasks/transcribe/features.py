"""From samples to log-mel frames, the same offline and online; feature files; the global mean and variance."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import kaldi_native_fbank
import numpy
from numpy.typing import NDArray

from gruworks.errors import DataError

__all__ = [
    "FEATURE_FILES",
    "SHIFT",
    "WINDOW",
    "FilterBank",
    "Moments",
    "Normaliser",
    "RunningMean",
    "centred",
    "filter_bank",
    "parse_mfc",
    "read_features",
]

Frames = NDArray[numpy.float32]
FEATURE_FILES = (".mfc", ".npy")
SHIFT = 0.010  # seconds from frame to frame
WINDOW = 0.025  # seconds of samples in a frame
SCALE = 32768.0  # the floor under the logarithm is meant for 16-bit samples
PRIOR = 50  # frames that the corpus's mean counts for beside a recording's own
MEMORY = 1000  # frames that a running mean remembers


class FilterBank:
    """Log-mel frames from samples as they come.

    >>> bank = FilterBank(8000, bands=40)
    >>> bank.accept(numpy.zeros(4000, numpy.float32)).shape          # half a second
    (48, 40)

    A frame is 25 ms of samples, 10 ms after the one before; samples that fill no frame wait. So the frames are the
    same, bit for bit, however the samples are cut.

    Args:
        rate: samples per second. bands: mel bands between 20 Hz and half the rate.
    """

    def __init__(self, rate: int, bands: int) -> None:
        options = kaldi_native_fbank.FbankOptions()
        options.frame_opts.samp_freq = rate
        options.frame_opts.dither = 0.0
        options.frame_opts.frame_shift_ms = 1000 * SHIFT
        options.frame_opts.frame_length_ms = 1000 * WINDOW
        options.frame_opts.snip_edges = True
        options.mel_opts.num_bins = bands
        self.rate, self.bands, self.done = rate, bands, 0
        self.bank = kaldi_native_fbank.OnlineFbank(options)

    def accept(self, samples: NDArray[numpy.float32]) -> Frames:
        """The frames [N, bands] that are complete now and were not before."""
        if len(samples):
            self.bank.accept_waveform(self.rate, samples * numpy.float32(SCALE))
        ready = self.bank.num_frames_ready
        frames = numpy.zeros((ready - self.done, self.bands), numpy.float32)
        for i in range(len(frames)):
            frames[i] = self.bank.get_frame(self.done + i)  # a view, which `pop` takes away
        self.bank.pop(len(frames))
        self.done = ready
        return frames


def filter_bank(samples: NDArray[numpy.float32], rate: int, bands: int) -> Frames:
    """Log-mel frames [T, bands] of a whole recording [N]."""
    return FilterBank(rate, bands).accept(samples)


def read_features(path: Path, coefficients: int) -> Frames:
    """Frames [T, F] from a file: .npy, or .mfc as Sphinx writes it (an int32 count, then so many float32).

    Raises:
        DataError: no such file, a size or values that can't be.
    """
    if not path.is_file():
        raise DataError(f"{path} does not exist")
    frames = _read_npy(path) if path.suffix == ".npy" else parse_mfc(path.read_bytes(), coefficients, path)
    if not len(frames):
        raise DataError(f"{path} has no frames")
    if not numpy.isfinite(frames).all():
        raise DataError(f"{path}: frame {int((~numpy.isfinite(frames)).any(1).argmax())} holds no number")
    return frames


def _read_npy(path: Path) -> Frames:
    try:
        frames = numpy.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise DataError(f"{path} can't be read as an array ({error})") from error
    if not isinstance(frames, numpy.ndarray) or frames.ndim != 2 or frames.dtype.kind not in "fiu":
        raise DataError(f"{path}: expected an array of frames [T, F]")
    return frames.astype(numpy.float32)


def parse_mfc(content: bytes, coefficients: int, where: object) -> Frames:
    """Frames [T, coefficients] of a Sphinx feature file's content.

    Raises:
        DataError: it isn't one; `where` is what the message calls it.
    """
    for order in (">", "<"):  # big-endian by Sphinx's own rule, the other one by some of its writers
        count = int(numpy.frombuffer(content[:4], f"{order}i4")[0]) if len(content) >= 4 else -1
        if 4 * count == len(content) - 4 and count % coefficients == 0:
            return numpy.frombuffer(content[4:], f"{order}f4").astype(numpy.float32).reshape(-1, coefficients)
    raise DataError(
        f"{where}: {len(content)} bytes are no count and so many frames of {coefficients} numbers: "
        "is it a Sphinx feature file, and are its coefficients so many (--coefficients)?"
    )


class Moments(NamedTuple):
    """A recording's part of mean and variance: number of frames, their sum and sum of squares [F]."""

    frames: int
    total: NDArray[numpy.float64]
    squares: NDArray[numpy.float64]

    @classmethod
    def of(cls, frames: Frames) -> Moments:
        wide = frames.astype(numpy.float64)
        return cls(len(wide), wide.sum(0), (wide**2).sum(0))


@dataclass(frozen=True)
class Normaliser:
    """Brings each entry of a frame to mean 0 and variance 1 over the training recordings: mean, deviation [F]."""

    mean: Frames
    deviation: Frames

    @classmethod
    def of(cls, recordings: Iterable[Moments]) -> Normaliser:
        counts, totals, squares = zip(*recordings, strict=True)
        mean = sum(totals) / sum(counts)
        deviation = numpy.sqrt(numpy.maximum(sum(squares) / sum(counts) - mean**2, 1e-8))
        return cls(mean.astype(numpy.float32), deviation.astype(numpy.float32))

    def __call__(self, frames: Frames) -> Frames:
        normal: Frames = (frames - self.mean) / self.deviation
        return normal


def centred(frames: Frames) -> Frames:
    """A recording's normalised frames [T, F] less their mean, which takes away its channel and loudness.

    The corpus's mean counts for `PRIOR` frames, so that a short recording keeps most of what its sounds are.
    """
    less: Frames = frames - frames.sum(0) / numpy.float32(len(frames) + PRIOR)
    return less


class RunningMean:
    """`centred` for frames as they come: each less the mean of those heard so far, the latest `MEMORY` above all.

    >>> level = RunningMean(2)
    >>> level(numpy.ones((1, 2), numpy.float32)).round(2).tolist()
    [[0.98, 0.98]]

    Frame by frame, so that the numbers are the same however the frames are cut.
    """

    def __init__(self, size: int) -> None:
        self.total, self.count = numpy.zeros(size, numpy.float32), 0.0

    def __call__(self, frames: Frames) -> Frames:
        """normalised frames [N, F] → the same less their running means."""
        less, keep = numpy.empty_like(frames), numpy.float32(1 - 1 / MEMORY)
        for i, frame in enumerate(frames):
            self.total = self.total * keep + frame
            self.count = self.count * float(keep) + 1
            less[i] = frame - self.total / numpy.float32(self.count + PRIOR)
        return less
