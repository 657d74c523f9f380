"""Data augmentation of recordings: speed, vocal tract length, gain, noise and SpecAugment masks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy
import soxr
from numpy.typing import NDArray

from gruworks.data.folders import visible_files
from gruworks.errors import DataError
from gruworks.tasks.transcribe.audio import AUDIO_FILES, read_audio
from gruworks.tasks.transcribe.config import Augmentation

__all__ = [
    "add_noise", "change_speed", "mask_features", "read_noise", "stretch", "vary_features", "vary_frames",
    "vary_samples", "warp_bands",
]  # fmt: skip

Array = NDArray[numpy.float32]
NOISE_SECONDS = 60.0


def change_speed(samples: Array, factor: float) -> Array:
    """Resample [N] to [N / factor], which changes tempo and pitch by `factor` (Ko et al. 2015)."""
    changed: Array = soxr.resample(samples, factor, 1.0, quality="LQ")
    return changed


def add_noise(samples: Array, decibels: float, rng: numpy.random.Generator, recorded: Sequence[Array] = ()) -> Array:
    """Add noise to samples [N] at a signal-to-noise ratio in dB.

    Args:
        samples: the recording [N].
        decibels: signal-to-noise ratio.
        rng: source of the noise, or of the choice of a random excerpt.
        recorded: noise recordings; without them white noise is added.
    """
    noise: NDArray[numpy.floating]
    if recorded:
        one = recorded[int(rng.integers(len(recorded)))]
        noise = numpy.take(one, numpy.arange(len(samples)) + int(rng.integers(len(one))), mode="wrap")
    else:
        noise = rng.standard_normal(len(samples))
    power = _power(noise)
    if not power:
        return samples
    gain = numpy.float32(numpy.sqrt(_power(samples) / power / 10 ** (decibels / 10)))
    noisy: Array = samples + noise.astype(numpy.float32) * gain
    return noisy


def read_noise(folder: str | None, rate: int) -> list[Array]:
    """Read the noise recordings of a folder at `rate` Hz, up to `NOISE_SECONDS` of each; [] without a folder.

    Raises:
        DataError: a file can't be read, or the folder has no recording that isn't silent.
    """
    if folder is None:
        return []
    files = [one for one in visible_files(Path(folder)) if one.suffix.lower() in AUDIO_FILES]
    noises = [noise for noise in (read_audio(one, rate, 0.0, NOISE_SECONDS) for one in files) if noise.any()]
    if not noises:
        raise DataError(
            f"{folder} has no recording with sound: expected a folder of noise recordings, not all of them silent"
        )
    return noises


def _power(samples: NDArray[numpy.floating]) -> float:
    return float(numpy.mean(samples.astype(numpy.float64) ** 2)) if len(samples) else 0.0


def stretch(frames: Array, factor: float) -> Array:
    """Change the tempo of frames [T, F] by `factor`: linear interpolation to [T / factor, F]."""
    steps = max(1, round(len(frames) / factor))
    return _interpolated(frames, numpy.linspace(0, len(frames) - 1, steps))


def warp_bands(frames: Array, factor: float) -> Array:
    """Vocal tract length perturbation of log-mel frames [T, F]: band f becomes band f / factor.

    Jaitly and Hinton 2013, on the mel scale, by linear interpolation between bands.
    """
    place = numpy.clip(numpy.arange(frames.shape[1]) / factor, 0, frames.shape[1] - 1)
    return numpy.ascontiguousarray(_interpolated(frames.T, place).T)


def _interpolated(rows: Array, place: NDArray[numpy.float64]) -> Array:
    """Interpolate linearly between rows [N, M] at fractional row numbers [P]: [P, M]."""
    before = place.astype(numpy.int64)
    after = numpy.minimum(before + 1, len(rows) - 1)
    weight = (place - before)[:, None].astype(numpy.float32)
    between: Array = rows[before] * (1 - weight) + rows[after] * weight
    return between


def mask_features(frames: Array, how: Augmentation, rng: numpy.random.Generator) -> Array:
    """Set random bands and time spans of frames [T, F] to 0 (SpecAugment without warping, Park et al. 2019)."""
    masked = frames.copy()
    for _ in range(how.band_masks):
        masked[:, _span(frames.shape[1], how.band_share, rng)] = 0
    for _ in range(how.time_masks):
        masked[_span(frames.shape[0], how.time_share, rng)] = 0
    return masked


def _span(size: int, largest: float, rng: numpy.random.Generator) -> slice:
    """A random span of at most the fraction `largest` of `size` entries."""
    width = int(rng.integers(0, int(size * largest) + 1))
    low = int(rng.integers(0, size - width + 1))
    return slice(low, low + width)


def vary_samples(
    samples: Array, how: Augmentation, rng: numpy.random.Generator, recorded: Sequence[Array] = ()
) -> Array:
    """Perturb speed and gain of samples [N] at random and add noise, from `recorded` if given."""
    if how.speed:
        samples = change_speed(samples, 1 + rng.uniform(-how.speed, how.speed))
    if how.gain:
        samples = samples * numpy.float32(10 ** (rng.uniform(-how.gain, how.gain) / 20))
    if how.noise is not None:
        samples = add_noise(samples, how.noise + rng.exponential(10.0), rng, recorded)
    return samples


def vary_frames(frames: Array, how: Augmentation, rng: numpy.random.Generator) -> Array:
    """Perturb tempo and vocal tract length of log-mel frames [T, F] at random."""
    if how.tempo:
        frames = stretch(frames, 1 + rng.uniform(-how.tempo, how.tempo))
    if how.warp:
        frames = warp_bands(frames, 1 + rng.uniform(-how.warp, how.warp))
    return frames


def vary_features(frames: Array, how: Augmentation, rng: numpy.random.Generator) -> Array:
    """Perturb the tempo of frames [T, F] of a feature file at random."""
    range_ = max(how.speed, how.tempo)
    return stretch(frames, 1 + rng.uniform(-range_, range_)) if range_ else frames
