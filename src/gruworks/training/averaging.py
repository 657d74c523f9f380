"""Averaged weights: what is validated, kept in checkpoints and used afterwards."""

from __future__ import annotations

from typing import Any

from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor

__all__ = ["MovingAverage"]


class MovingAverage(WeightAveraging):
    """A plain mean over the first `steps` optimiser steps, an exponential one with that memory from there on.

    It starts without the initial weights' weight, which a fixed decay would drag along in a short fit.
    """

    def __init__(self, steps: int) -> None:
        def average(averaged: Tensor, current: Tensor, seen: Tensor | int) -> Tensor:
            if not averaged.is_floating_point():
                return current  # a marker, such as the reset form of a layer, has no mean
            share = 1.0 / min(int(seen) + 1, steps)
            return averaged + (current - averaged) * share

        arguments: dict[str, Any] = {"avg_fn": average}
        super().__init__(**arguments)
