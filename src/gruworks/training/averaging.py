"""Averaged weights: what is validated, kept in checkpoints and used afterwards."""

from __future__ import annotations

from typing import Any

import torch
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor

__all__ = ["MovingAverage"]


class MovingAverage(WeightAveraging):
    """A plain mean over the first `steps` optimiser steps, an exponential one with that memory from there on.

    It starts without the initial weights' weight, which a fixed decay would drag along in a short fit.
    """

    def __init__(self, steps: int) -> None:
        def average(averaged: list[Tensor], current: list[Tensor], seen: Tensor) -> None:
            share = 1.0 / min(int(seen) + 1, steps)
            if averaged[0].is_floating_point():
                torch._foreach_lerp_(averaged, current, share)  # in place: a fresh tensor for each costs more than it
            else:
                torch._foreach_copy_(averaged, current)  # a marker, such as the reset form of a layer, has no mean

        arguments: dict[str, Any] = {"multi_avg_fn": average}
        super().__init__(**arguments)
