"""Prediction of the next number of a sequence by a GRU trained on other number lines, with its gates and states."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy
import torch

from gruworks.errors import DataError, TooShortError
from gruworks.lab.gates import GateValues, values_of
from gruworks.lab.number_lines.lines import Floats, Frame, frame_of, mean_step
from gruworks.lab.number_lines.unit import Trained, train_unit
from gruworks.ops.weights import Reset
from gruworks.tasks.forecast.features.difference_ar import difference_ar_forecast

__all__ = ["NextNumber", "next_number"]

MOST_READ = 12  # the longest sequence that a GRU of this size learns to 0.001 of a step within seconds


@dataclass(frozen=True, kw_only=True)
class NextNumber(GateValues):
    """Prediction `answer` after `numbers`, with the gates and states of the GRU, [T, 8] each.

    `difference_ar` is the prediction of the autoregression on differences, `read` [T] the GRU's input, scaled by
    `frame`, `step` the mean absolute difference of the numbers, `is_line` True if all differences are equal.
    """

    numbers: Floats
    answer: float
    difference_ar: float
    is_line: bool
    step: float
    frame: Frame
    read: Floats
    trained: Trained
    seconds: float


def next_number(numbers: Sequence[float], reset: Reset = "before", seed: int = 0) -> NextNumber:
    """Train a GRU on number lines with other starts and steps than `numbers`, and predict the next number.

    >>> shown = next_number([1, 2, 3, 4, 5])
    >>> round(shown.answer, 1), round(shown.difference_ar, 1), shown.update.shape
    (6.0, 6.0, (5, 8))

    Args:
        numbers: at least three finite numbers; the GRU reads the last 12.
        reset: reset form, "before" (Cho et al. 2014) or "after" (PyTorch).
        seed: of initial weights and training lines.

    Raises:
        TooShortError: fewer than three numbers. DataError: an entry that isn't a finite number up to 1e100.
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
    step = mean_step(y)
    return NextNumber(
        numbers=y,
        answer=answer,
        difference_ar=float(difference_ar_forecast(y, 1)[0]),
        is_line=bool(numpy.ptp(numpy.diff(y)) <= 1e-6 * step),
        step=step,
        frame=frame,
        read=read,
        **values_of(trained.unit.gru, x),
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
