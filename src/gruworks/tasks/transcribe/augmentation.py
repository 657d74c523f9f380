"""Variations of a recording while it is learnt: speed, throat, gain, noise, masks, drawn from a given generator."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy
import soxr
from numpy.typing import NDArray

from gruworks.errors import DataError
from gruworks.tasks.transcribe.audio import AUDIO_FILES, blocks
from gruworks.tasks.transcribe.config import Augmentation

__all__ = [
    "add_noise",
    "change_speed",
    "mask_features",
    "read_noise",
    "stretch",
    "vary_features",
    "vary_frames",
    "vary_samples",
    "warp_bands",
]

Array = NDArray[numpy.float32]
NOISE_SECONDS = 60.0


def change_speed(samples: Array, factor: float) -> Array:
    """`factor` times as fast, tempo and pitch (Ko et al. 2015): samples [N] → [N / factor]."""
    changed: Array = soxr.resample(samples, factor, 1.0, quality="LQ")
    return changed


def add_noise(samples: Array, decibels: float, rng: numpy.random.Generator, recorded: Sequence[Array] = ()) -> Array:
    """Noise at a signal-to-noise ratio of `decibels`: a stretch of what is `recorded`, else white. Silence stays."""
    noise = _stretch_of(recorded, len(samples), rng) if recorded else rng.standard_normal(len(samples))
    loud = _power(noise)
    if not loud:
        return samples
    noisy: Array = samples + noise.astype(numpy.float32) * numpy.float32(
        numpy.sqrt(_power(samples) / loud / 10 ** (decibels / 10))
    )
    return noisy


def read_noise(folder: str | None, rate: int) -> list[Array]:
    """The recordings of noise in `folder`, at `rate`, up to `NOISE_SECONDS` of each; none where there is no folder.

    Raises:
        DataError: no such folder, nothing to hear in it, or a file that can't be read.
    """
    if folder is None:
        return []
    files = sorted(one for one in Path(folder).rglob("*") if one.suffix.lower() in AUDIO_FILES)
    noises = [numpy.concatenate(list(blocks(one, rate, 0.0, NOISE_SECONDS))) for one in files]
    heard = [one for one in noises if one.any()]
    if not heard:
        raise DataError(f"{folder} has no noise: expected a folder of recordings that are not silent")
    return heard


def _stretch_of(recorded: Sequence[Array], count: int, rng: numpy.random.Generator) -> Array:
    """`count` samples from somewhere in one of the recordings, which goes round where it is shorter."""
    one = recorded[int(rng.integers(len(recorded)))]
    begin = int(rng.integers(len(one)))
    stretch_of: Array = numpy.take(one, numpy.arange(begin, begin + count), mode="wrap")
    return stretch_of


def _power(samples: NDArray[numpy.floating]) -> float:
    return float(numpy.mean(samples.astype(numpy.float64) ** 2)) if len(samples) else 0.0


def stretch(frames: Array, factor: float) -> Array:
    """`factor` times as fast, for frames [T, F] without samples: linear interpolation between frames."""
    steps = max(1, round(len(frames) / factor))
    place = numpy.linspace(0, len(frames) - 1, steps)
    before = place.astype(numpy.int64)
    after = numpy.minimum(before + 1, len(frames) - 1)
    share = (place - before)[:, None].astype(numpy.float32)
    stretched: Array = frames[before] * (1 - share) + frames[after] * share
    return stretched


def warp_bands(frames: Array, factor: float) -> Array:
    """Log-mel frames [T, F] as a throat 1 / `factor` as long has them: band f holds what stood at f / factor.

    Vocal tract length perturbation (Jaitly and Hinton 2013) on the mel scale, by linear interpolation between bands.
    """
    place = numpy.clip(numpy.arange(frames.shape[1]) / factor, 0, frames.shape[1] - 1)
    before = place.astype(numpy.int64)
    after = numpy.minimum(before + 1, frames.shape[1] - 1)
    share = (place - before).astype(numpy.float32)
    warped: Array = frames[:, before] * (1 - share) + frames[:, after] * share
    return warped


def mask_features(frames: Array, how: Augmentation, rng: numpy.random.Generator) -> Array:
    """Bands and stretches of time set to the mean, which is 0 (SpecAugment, Park et al. 2019, without its warping)."""
    masked = frames.copy()
    for _ in range(how.band_masks):
        low, high = _part(frames.shape[1], how.band_share, rng)
        masked[:, low:high] = 0
    for _ in range(how.time_masks):
        low, high = _part(frames.shape[0], how.time_share, rng)
        masked[low:high] = 0
    return masked


def vary_samples(
    samples: Array, how: Augmentation, rng: numpy.random.Generator, recorded: Sequence[Array] = ()
) -> Array:
    """Another speed, gain and noise each time; the noise is cut from what is `recorded`, if anything is."""
    if how.speed:
        samples = change_speed(samples, 1 + rng.uniform(-how.speed, how.speed))
    if how.gain:
        samples = samples * numpy.float32(10 ** (rng.uniform(-how.gain, how.gain) / 20))
    if how.noise is not None:
        samples = add_noise(samples, how.noise + rng.exponential(10.0), rng, recorded)
    return samples


def vary_frames(frames: Array, how: Augmentation, rng: numpy.random.Generator) -> Array:
    """Another tempo and another throat each time, for log-mel frames."""
    if how.tempo:
        frames = stretch(frames, 1 + rng.uniform(-how.tempo, how.tempo))
    if how.warp:
        frames = warp_bands(frames, 1 + rng.uniform(-how.warp, how.warp))
    return frames


def vary_features(frames: Array, how: Augmentation, rng: numpy.random.Generator) -> Array:
    """Another speed each time, for frames whose samples are not there."""
    range_ = max(how.speed, how.tempo)
    return stretch(frames, 1 + rng.uniform(-range_, range_)) if range_ else frames


def _part(size: int, share: float, rng: numpy.random.Generator) -> tuple[int, int]:
    width = int(rng.integers(0, int(size * share) + 1))
    low = int(rng.integers(0, size - width + 1))
    return low, low + width
