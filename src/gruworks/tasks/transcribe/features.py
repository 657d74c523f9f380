"""Log-mel features of samples, feature files, and the normalization of features by mean and variance."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import kaldi_native_fbank
import numpy
from numpy.typing import NDArray

from gruworks.errors import DataError

__all__ = [
    "FEATURE_FILES", "SHIFT", "WINDOW", "FilterBank", "Moments", "Normaliser", "RunningMean", "centred", "check_frames",
    "filter_bank", "parse_mfc", "read_features",
]  # fmt: skip

Frames = NDArray[numpy.float32]
FEATURE_FILES = (".mfc", ".npy")
SHIFT = 0.010  # frame shift in seconds
WINDOW = 0.025  # frame length in seconds
SCALE = 32768.0  # Kaldi's floor of the logarithm assumes 16-bit samples
PRIOR = 50  # weight, in frames, of the corpus mean in a recording's mean
MEMORY = 1000  # time constant of the running mean, in frames


class FilterBank:
    """Incremental log-mel filter bank.

    >>> bank = FilterBank(8000, bands=40)
    >>> bank.accept(numpy.zeros(4000, numpy.float32)).shape          # half a second
    (48, 40)

    Frames are 25 ms long, with a shift of 10 ms. Samples of an incomplete frame are buffered, so the frames do not
    depend on how the samples are divided into calls.

    Args:
        rate: sampling rate in Hz.
        bands: number of mel bands between 20 Hz and half the sampling rate.
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
        """Add samples [N] and return the newly completed frames [T, bands]."""
        if len(samples):
            self.bank.accept_waveform(self.rate, samples * numpy.float32(SCALE))
        ready = self.bank.num_frames_ready
        frames = numpy.zeros((ready - self.done, self.bands), numpy.float32)
        for i in range(len(frames)):
            frames[i] = self.bank.get_frame(self.done + i)  # copied, because `pop` frees it
        self.bank.pop(len(frames))
        self.done = ready
        return frames


def filter_bank(samples: NDArray[numpy.float32], rate: int, bands: int) -> Frames:
    """Compute the log-mel frames [T, bands] of samples [N]."""
    return FilterBank(rate, bands).accept(samples)


def read_features(path: Path, coefficients: int) -> Frames:
    """Read frames [T, F] from a .npy file, or from an .mfc file of Sphinx (an int32 count, then float32 values).

    Args:
        path: the feature file.
        coefficients: F of an .mfc file, which does not state it.

    Raises:
        DataError: the file is missing, is no feature file, has no frames, or holds NaN or infinity.
    """
    if not path.is_file():
        raise DataError(f"{path} does not exist")
    if path.suffix != ".npy":
        frames = parse_mfc(path.read_bytes(), coefficients, path)
    else:
        try:
            frames = numpy.load(path, allow_pickle=False)
        except (ValueError, OSError, EOFError) as error:
            raise DataError(f"{path} can't be read as an array ({error})") from error
    frames = check_frames(frames, None, str(path))
    if not len(frames):
        raise DataError(f"{path} has no frames")
    return frames


def check_frames(frames: Any, size: int | None, where: str) -> Frames:
    """Convert frames [T, F] to float32.

    Args:
        frames: an array of frames.
        size: the expected F; None accepts any.
        where: the name of the array in error messages.

    Raises:
        DataError: another shape or type, NaN or infinity.
    """
    array = numpy.asarray(frames)
    if array.dtype.kind not in "fiu" or array.ndim != 2 or array.shape[1] != (size or array.shape[1]):
        expected = f"frames of numbers [T, {size or 'F'}]" + " as in the fit" * (size is not None)
        raise DataError(f"{where}: expected {expected}, got {array.dtype} {list(array.shape)}")
    finite = numpy.isfinite(array).all(1)
    if not finite.all():
        raise DataError(f"{where}: frame {int((~finite).argmax())} holds NaN or infinity")
    return array.astype(numpy.float32)


def parse_mfc(content: bytes, coefficients: int, where: object) -> Frames:
    """Parse the content of a Sphinx feature file into frames [T, coefficients].

    Raises:
        DataError: the content is no such file; the message calls it `where`.
    """
    for order in (">", "<"):  # Sphinx specifies big-endian; some programs write little-endian
        count = int(numpy.frombuffer(content[:4], f"{order}i4")[0]) if len(content) >= 4 else -1
        if 4 * count == len(content) - 4 and count % coefficients == 0:
            return numpy.frombuffer(content[4:], f"{order}f4").astype(numpy.float32).reshape(-1, coefficients)
    raise DataError(
        f"{where}: expected a Sphinx feature file, a count and frames of {coefficients} numbers, got {len(content)} "
        "bytes that don't fit; set the number of coefficients with --coefficients"
    )


class Moments(NamedTuple):
    """Statistics of a recording: number of frames, sum [F] and sum of squares [F] of its frames."""

    frames: int
    total: NDArray[numpy.float64]
    squares: NDArray[numpy.float64]

    @classmethod
    def of(cls, frames: Frames) -> Moments:
        wide = frames.astype(numpy.float64)
        return cls(len(wide), wide.sum(0), (wide**2).sum(0))


@dataclass(frozen=True)
class Normaliser:
    """Normalization of each feature to mean 0 and variance 1 over the training recordings.

    Args:
        mean: mean of each feature [F].
        deviation: standard deviation of each feature [F].
    """

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
    """Subtract a recording's mean from its normalized frames [T, F], which removes channel and loudness.

    The mean includes `PRIOR` frames of zeros, the corpus mean, so that short recordings are changed less.
    """
    less: Frames = frames - frames.sum(0) / numpy.float32(len(frames) + PRIOR)
    return less


class RunningMean:
    """Causal mean subtraction: each frame minus an exponentially weighted mean of the frames up to it.

    >>> level = RunningMean(2)
    >>> level(numpy.ones((1, 2), numpy.float32)).round(2).tolist()
    [[0.98, 0.98]]

    The result does not depend on how the frames are divided into calls.

    Args:
        size: F, features per frame.
    """

    def __init__(self, size: int) -> None:
        self.total, self.count = numpy.zeros(size, numpy.float32), 0.0

    def __call__(self, frames: Frames) -> Frames:
        """Subtract the running mean from normalized frames [T, F]."""
        less, keep = numpy.empty_like(frames), numpy.float32(1 - 1 / MEMORY)
        for i, frame in enumerate(frames):
            self.total = self.total * keep + frame
            self.count = self.count * float(keep) + 1
            less[i] = frame - self.total / numpy.float32(self.count + PRIOR)
        return less
