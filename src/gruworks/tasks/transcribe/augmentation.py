"""Variations of a recording while it is learnt: speed, gain, noise, masks, drawn from a given generator."""

from __future__ import annotations

import numpy
import soxr
from numpy.typing import NDArray

from gruworks.tasks.transcribe.config import Augmentation

__all__ = ["add_noise", "change_speed", "mask_features", "stretch", "vary_features", "vary_samples"]

Array = NDArray[numpy.float32]


def change_speed(samples: Array, factor: float) -> Array:
    """`factor` times as fast, tempo and pitch (Ko et al. 2015): samples [N] → [N / factor]."""
    changed: Array = soxr.resample(samples, factor, 1.0, quality="LQ")
    return changed


def add_noise(samples: Array, decibels: float, rng: numpy.random.Generator) -> Array:
    """White noise at a signal-to-noise ratio of `decibels`; silence stays as it is."""
    power = float(numpy.mean(samples.astype(numpy.float64) ** 2)) if len(samples) else 0.0
    noise = rng.standard_normal(len(samples)).astype(numpy.float32)
    noisy: Array = samples + noise * numpy.float32(numpy.sqrt(power / 10 ** (decibels / 10)))
    return noisy


def stretch(frames: Array, factor: float) -> Array:
    """`factor` times as fast, for frames [T, F] without samples: linear interpolation between frames."""
    steps = max(1, round(len(frames) / factor))
    place = numpy.linspace(0, len(frames) - 1, steps)
    before = place.astype(numpy.int64)
    after = numpy.minimum(before + 1, len(frames) - 1)
    share = (place - before)[:, None].astype(numpy.float32)
    stretched: Array = frames[before] * (1 - share) + frames[after] * share
    return stretched


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


def vary_samples(samples: Array, how: Augmentation, rng: numpy.random.Generator) -> Array:
    """Another speed, gain and noise each time."""
    if how.speed:
        samples = change_speed(samples, 1 + rng.uniform(-how.speed, how.speed))
    if how.gain:
        samples = samples * numpy.float32(10 ** (rng.uniform(-how.gain, how.gain) / 20))
    if how.noise is not None:
        samples = add_noise(samples, how.noise + rng.exponential(10.0), rng)
    return samples


def vary_features(frames: Array, how: Augmentation, rng: numpy.random.Generator) -> Array:
    """Another speed each time, for frames whose samples are not there."""
    return stretch(frames, 1 + rng.uniform(-how.speed, how.speed)) if how.speed else frames


def _part(size: int, share: float, rng: numpy.random.Generator) -> tuple[int, int]:
    width = int(rng.integers(0, int(size * share) + 1))
    low = int(rng.integers(0, size - width + 1))
    return low, low + width
