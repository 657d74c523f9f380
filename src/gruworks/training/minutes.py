"""Fits by wall time: what has passed of the minutes, the time of a step, validations, the loss to expect at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy
import torch

from gruworks.training.settings import FitSettings

__all__ = ["PROBED", "SCHEDULED", "Costs", "Curve", "Minutes", "expected_loss", "measured", "scheduled", "speed"]

Clock = Callable[[], float]
Curve = Mapping[float, float]  # of earlier fits: by elapsed fraction, the part of the whole improvement that is reached

SCHEDULED = ("validate_every", "warm_up", "averaged_steps", "patience")  # settings that the time decides
PROBED = 4  # batches whose time is taken
VALIDATIONS, VALIDATING = 14, 0.06  # at most so many, in at most this fraction of the time
RESERVED, LEAST_RESERVED = 0.03, 0.8  # fraction and seconds of the time that saving and the end of the program take
SIDE, PRODUCTS = 384, 24  # matrix products that measure the machine
REFERENCE = 0.012  # seconds that they take on the two quiet cores that the sizes were chosen on


@dataclass
class Minutes:
    """The wall time of a command that fits a model.

    Args:
        seconds: all of it, from reading to saving.
        begun: when the command began, by `clock`.
        reserve: seconds that the task needs after the fit, to score held-out data.
        earlier: seconds that were spent before the fit was resumed.
        clock: returns seconds.
    """

    seconds: float
    begun: float
    reserve: float = 0.0
    earlier: float = 0.0
    clock: Clock = time.monotonic

    @property
    def elapsed(self) -> float:
        return self.earlier + self.clock() - self.begun

    @property
    def left(self) -> float:
        """Seconds left for the task: without those that saving takes."""
        return self.seconds - max(LEAST_RESERVED, RESERVED * self.seconds) - self.elapsed

    @property
    def left_to_fit(self) -> float:
        """Seconds left for training and validation."""
        return self.left - self.reserve


@dataclass(frozen=True)
class Costs:
    """Seconds of a training step and of a validation, and the validation loss before the first step."""

    step: float
    validation: float
    loss: float


def measured(
    model: torch.nn.Module, run: Callable[[Any], torch.Tensor], draws: Sequence[Callable[[], Any]],
    validation: list[Any], clock: Clock = time.monotonic,
) -> Costs:  # fmt: skip
    """Time training steps, batches and gradients, and a validation batch; the weights stay as they are.

    Args:
        run: the loss of a batch. draws: return training batches.
    """
    model.train()
    seconds = []
    for draw in draws:
        begun = clock()
        run(draw()).backward()  # type: ignore[no-untyped-call]
        seconds.append(clock() - begun)
        model.zero_grad()
    model.eval()
    with torch.no_grad():
        begun = clock()
        loss = float(run(validation[len(validation) // 2]))
        one = clock() - begun
    model.train()
    return Costs(float(numpy.median(seconds[1:])), one * len(validation), loss)


def scheduled(settings: FitSettings, costs: Costs, seconds: float) -> FitSettings:
    """Settings of a fit that has so many seconds: validations, warm-up and averaging by the steps that fit into them.

    Settings that were given stay as they are.
    """
    steps = max(1.0, seconds / costs.step)
    validations = min(VALIDATIONS, max(1.0, VALIDATING * seconds / max(costs.validation, 1e-9)))
    return settings.suggested(
        validate_every=max(1, int(numpy.ceil(steps / validations))), warm_up=int(min(200, 0.04 * steps)),
        averaged_steps=max(1, int(0.04 * steps)), patience=max(3, int(validations) // 2),
    )  # fmt: skip


def speed(clock: Clock = time.monotonic) -> float:
    """Speed of this machine at matrix products, relative to the one that the tasks' sizes were chosen on."""
    a = torch.ones(SIDE, SIDE)
    seconds = []
    for _ in range(3):
        begun = clock()
        for _ in range(PRODUCTS):
            a = (a @ a).clamp_(max=1.0)
        seconds.append(clock() - begun)
    return REFERENCE / max(min(seconds), 1e-6)


def expected_loss(first: float, now: float, progress: float, curve: Curve) -> float:
    """The loss to expect at the end, from the first loss and the present one, by the curve of earlier fits."""
    reached = float(numpy.interp(progress, list(curve), list(curve.values())))
    return min(now, first - (first - now) / max(reached, 1e-3))
