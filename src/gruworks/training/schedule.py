"""Learning rate schedule."""

from __future__ import annotations

import math

from gruworks.training.settings import FitSettings

__all__ = ["share_of_rate"]


def share_of_rate(step: int, settings: FitSettings, progress: float | None = None) -> float:
    """Factor of the learning rate at `step`: linear warm-up over `warm_up` steps, then `schedule`.

    "cosine" decays to `rate_floor` at the last step, "inverse_square_root" as 1 / sqrt(step) after the warm-up (Vaswani
    et al. 2017), "constant" does not decay. `progress` is the elapsed fraction of a fit that ends by its time.

    >>> settings = FitSettings(warm_up=2, steps=10, rate_floor=0.05)
    >>> [round(share_of_rate(step, settings), 2) for step in (0, 1, 2, 6, 10)]
    [0.5, 1.0, 1.0, 0.52, 0.05]
    """
    warm_up = settings.warm_up
    if step < warm_up:
        return (step + 1) / warm_up
    if settings.schedule == "constant":
        return 1.0
    if settings.schedule == "inverse_square_root":
        return max(settings.rate_floor, math.sqrt(max(1, warm_up) / max(1, step)))
    if progress is None:
        progress = min(1.0, (step - warm_up) / max(1, settings.steps - warm_up))
    return settings.rate_floor + (1 - settings.rate_floor) * 0.5 * (1 + math.cos(math.pi * progress))
