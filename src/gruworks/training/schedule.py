"""The learning rate over the steps of a fit."""

from __future__ import annotations

import math

__all__ = ["warm_up_and_cosine"]


def warm_up_and_cosine(step: int, warm_up: int, steps: int, floor: float = 0.05) -> float:
    """The share of the full learning rate at `step`: it rises over `warm_up` steps, then falls to `floor` as a cosine.

    >>> [round(warm_up_and_cosine(step, 2, 10), 2) for step in (0, 1, 2, 6, 10)]
    [0.5, 1.0, 1.0, 0.52, 0.05]
    """
    if step < warm_up:
        return (step + 1) / warm_up
    progress = min(1.0, (step - warm_up) / max(1, steps - warm_up))
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * progress))
