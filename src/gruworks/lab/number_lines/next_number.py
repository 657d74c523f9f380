"""After 1, 2, 3, 4, 5 comes 6: a unit trained on other number lines answers, and shows what went on inside."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy
import torch

from gruworks.errors import DataError, TooShortError
from gruworks.lab.number_lines.lines import Floats, Frame, frame_of, mean_step
from gruworks.lab.number_lines.unit import Trained, train_unit
from gruworks.nn.tracing import trace
from gruworks.ops.weights import Reset
from gruworks.tasks.forecast.features.difference_ar import difference_ar_forecast

__all__ = ["NextNumber", "next_number"]

MOST_READ = 12  # what a unit of this size learns to 0.001 of a step within seconds


@dataclass(frozen=True)
class NextNumber:
    """A unit's answer after `numbers`, that of the autoregression on differences, and all gates and states.

    `read` [T] is what the unit read, in `frame`; update (z_t, it replaces), reset, candidate and state are [T, 8].
    """

    numbers: Floats
    answer: float
    highway: float
    is_line: bool
    step: float
    frame: Frame
    read: Floats
    update: Floats
    reset: Floats
    candidate: Floats
    state: Floats
    trained: Trained
    seconds: float

    def gates(self) -> dict[str, Floats]:
        """z_t, r_t, h̃_t and h_t by name, each [T, 8]."""
        return {"z_t": self.update, "r_t": self.reset, "h̃_t": self.candidate, "h_t": self.state}


def next_number(numbers: Sequence[float], reset: Reset = "before", seed: int = 0) -> NextNumber:
    """Train a unit on lines that neither start nor step like `numbers`, and ask it for the next one.

    >>> shown = next_number([1, 2, 3, 4, 5])
    >>> round(shown.answer, 1), round(shown.highway, 1), shown.update.shape
    (6.0, 6.0, (5, 8))

    Args:
        numbers: three or more finite numbers; the unit reads the last 12, in the frame that the answer states.
        reset: the unit's form, "before" (Cho et al. 2014) or "after" (PyTorch). seed: of weights and lines.

    Raises:
        TooShortError: fewer than three numbers. DataError: something that isn't a finite number of usual size.
        OptionError: an unknown reset form or a negative seed.
    """
    y = _checked(numbers)
    begun = time.perf_counter()
    frame = frame_of(y[-MOST_READ:])
    read = frame.read(y[-MOST_READ:])
    trained = train_unit([read[0]], [(read[-1] - read[0]) / (len(read) - 1)], len(read), reset, seed)
    x = torch.from_numpy(read)[:, None, None]
    with torch.no_grad():
        answer = frame.restore(trained.unit(x).item())
    inside = {name: value[:, 0].numpy() for name, value in trace(trained.unit.gru, x)._asdict().items()}
    step = mean_step(y)
    return NextNumber(
        numbers=y,
        answer=answer,
        highway=float(difference_ar_forecast(y, 1)[0]),
        is_line=bool(numpy.ptp(numpy.diff(y)) <= 1e-6 * step),
        step=step,
        frame=frame,
        read=read,
        **inside,
        trained=trained,
        seconds=time.perf_counter() - begun,
    )


def _checked(numbers: Sequence[Any]) -> Floats:
    try:
        y = numpy.asarray(numbers, dtype=numpy.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"expected numbers, got {numbers!r}: {error}") from error
    if y.ndim != 1 or len(y) < 3:
        raise TooShortError(f"expected three numbers or more in a row, got {list(numbers)}: two do not show a line")
    for position, value in enumerate(y, 1):
        if not abs(value) <= 1e100:
            raise DataError(f"expected finite numbers up to 1e100, got {value} at place {position}: leave it out")
    return y
