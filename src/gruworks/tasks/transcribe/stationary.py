"""Detection of silence and stationary noise, in which a closed word list would still find words."""

from __future__ import annotations

import numpy
from numpy.typing import NDArray

__all__ = ["is_stationary"]

SMOOTHED = 5  # frames of the moving average
WINDOW, STEP = 100, 50  # frames
LEAST = 0.43  # nats; 480 noises of 0.3 to 3 s have 0.38 at most, 600 spoken digits 0.48 at least


def is_stationary(frames: NDArray[numpy.float32], deviation: NDArray[numpy.float32]) -> bool:
    """True where the log-mel energies hardly change over time, as in silence, hum and steady noise.

    The measure is the standard deviation over time of the smoothed energies, the mean of all bands, in the window of a
    second in which it is largest.

    Args:
        frames: normalized frames [T, F]. deviation: the standard deviations [F] that they were divided by.
    """
    if len(frames) <= SMOOTHED:
        return True
    sums = numpy.cumsum(numpy.concatenate([numpy.zeros((1, frames.shape[1])), frames * deviation]), axis=0)
    smooth = (sums[SMOOTHED:] - sums[:-SMOOTHED]) / SMOOTHED
    begins = range(0, max(1, len(smooth) - STEP), STEP)
    return max(float(smooth[begin : begin + WINDOW].std(0).mean()) for begin in begins) < LEAST
