"""Number lines: scaling of the input numbers, and random training lines with held-out starts and steps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy
from numpy.typing import NDArray

from gruworks.errors import OptionError

__all__ = ["START_RANGE", "STEP_RANGE", "Frame", "Lines", "draw_lines", "frame_of", "mean_step"]

Floats = NDArray[numpy.float64]

START_RANGE = 10.0  # training lines start between -10 and 10
STEP_RANGE = 5.0  # their steps lie between -5 and 5
# Minimum distance of training lines from held-out starts and from held-out steps.
APART_START = 0.25
APART_STEP = 0.1

NEGLIGIBLE = 1e-12  # differences below this fraction of the numbers are rounding errors


class Frame(NamedTuple):
    """Scaling of a number y to the GRU's input: (y - shift) / scale.

    >>> Frame(1000.0, 1.0).read(numpy.array([1001.0, 1002.0])).tolist()
    [1.0, 2.0]
    """

    shift: float
    scale: float

    def read(self, y: Floats) -> Floats:
        framed: Floats = (y - self.shift) / self.scale
        return framed

    def restore(self, value: float) -> float:
        """The number of a scaled value, value * scale + shift."""
        return value * self.scale + self.shift

    def __str__(self) -> str:
        y = f"(y {'-' if self.shift > 0 else '+'} {abs(self.shift):.12g})" if self.shift else "y"
        return y if self.scale == 1 else f"{y} / {self.scale:.12g}"


class Lines(NamedTuple):
    """Number lines as training data: starts [N], steps [N], numbers [T, N], and the next numbers as targets [N]."""

    starts: Floats
    steps: Floats
    numbers: Floats
    targets: Floats
    held_out_starts: tuple[float, ...]
    held_out_steps: tuple[float, ...]

    def held_out(self) -> str:
        """Held-out starts and steps, as a clause."""
        starts, steps = (", ".join(f"{v:.4g}" for v in some) for some in (self.held_out_starts, self.held_out_steps))
        return f"none starts within {APART_START:g} of {starts} or steps within {APART_STEP:g} of {steps}"


def mean_step(y: Floats) -> float:
    """Mean of |y_t - y_{t-1}|; 0 if it is within rounding error."""
    step = float(numpy.abs(numpy.diff(y)).mean())
    return step if step > NEGLIGIBLE * float(numpy.abs(y).max()) else 0.0


def frame_of(y: Floats) -> Frame:
    """Scaling of y to the range of the training lines: a power of ten, and a round shift if necessary.

    >>> str(frame_of(numpy.array([1.0, 2, 3]))), str(frame_of(numpy.array([10.0, 20, 30])))
    ('y', 'y / 10')
    >>> str(frame_of(numpy.array([1001.0, 1002, 1003])))
    '(y - 1000)'
    """
    step = mean_step(y)
    # The step then lies in [STEP_RANGE / 10, STEP_RANGE).
    scale = 10.0 ** math.floor(math.log10(10 * step / STEP_RANGE)) if step else 1.0
    unit = START_RANGE * scale
    return Frame(math.trunc(y[0] / unit) * unit if abs(y[0]) > unit else 0.0, scale)


def draw_lines(
    count: int,
    length: int,
    rng: numpy.random.Generator,
    held_out_starts: Sequence[float],
    held_out_steps: Sequence[float],
) -> Lines:
    """`count` random lines of `length` numbers, with starts and steps apart from the held-out ones.

    >>> lines = draw_lines(100, 5, numpy.random.default_rng(0), [1.0], [1.0])
    >>> bool(abs(lines.starts - 1).min() > 0.25), bool(abs(lines.steps - 1).min() > 0.1)
    (True, True)
    """
    starts = _uniform_outside(count, START_RANGE, held_out_starts, APART_START, rng)
    steps = _uniform_outside(count, STEP_RANGE, held_out_steps, APART_STEP, rng)
    numbers = starts + steps * numpy.arange(length)[:, None]
    held_out = tuple(map(float, held_out_starts)), tuple(map(float, held_out_steps))
    return Lines(starts, steps, numbers, starts + steps * length, *held_out)


def _uniform_outside(
    count: int, bound: float, centres: Sequence[float], apart: float, rng: numpy.random.Generator
) -> Floats:
    """`count` random values, uniform in ±bound outside of `apart` around each centre."""
    kept = numpy.empty(0)
    for _ in range(100):
        drawn = rng.uniform(-bound, bound, 4 * count)
        near = numpy.abs(drawn[:, None] - numpy.asarray(centres, float)) <= apart
        kept = numpy.concatenate([kept, drawn[~near.any(1)]])
        if len(kept) >= count:
            return kept[:count]
    raise OptionError(
        f"{len(centres)} held-out values with {apart:g} around each leave nothing of -{bound:g} to {bound:g} "
        "to train on: hold out fewer"
    )
