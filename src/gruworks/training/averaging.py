"""Weight averaging over optimizer steps, for validation, checkpoints and the final model."""

from __future__ import annotations

from typing import Any

import torch
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor

__all__ = ["MovingAverage"]


class MovingAverage(WeightAveraging):
    """Mean of the weights over the first `steps` optimizer steps, then an exponential moving average.

    Unlike an average with fixed decay from the start, it does not keep the initial weights in a short fit.

    Args:
        steps: time constant of the average.
    """

    def __init__(self, steps: int) -> None:
        def average(averaged: list[Tensor], current: list[Tensor], seen: Tensor) -> None:
            share = 1.0 / min(int(seen) + 1, steps)
            if averaged[0].is_floating_point():
                torch._foreach_lerp_(averaged, current, share)  # in place, without allocations
            else:
                torch._foreach_copy_(averaged, current)  # integers and flags, such as the reset form

        arguments: dict[str, Any] = {"multi_avg_fn": average}
        super().__init__(**arguments)
