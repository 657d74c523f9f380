"""The settings of a fit, the same for every task. Imports nothing heavy: the command line builds its flags here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gruworks.settings import Settings, setting

__all__ = ["FitSettings"]


@dataclass(frozen=True)
class FitSettings(Settings):
    """Settings of the optimisation: length, learning rate, seed."""

    steps: int = setting(600, "optimiser steps at most", low=1)
    minutes: float = setting(20.0, "minutes at most", low=0.01, high=120.0)
    patience: int = setting(8, "validations without a gain before the fit stops", low=1)
    validate_every: int = setting(20, "optimiser steps between validations, each with a checkpoint", low=1)
    batch_size: int = setting(8, "rows of one batch", low=1)
    learning_rate: float = setting(3e-3, "learning rate after warm-up", low=1e-8, high=10.0)
    optimizer: Literal["adamw", "adadelta"] = setting("adamw", "adamw, or adadelta with rho .95 and eps 1e-6")
    schedule: Literal["cosine", "inverse_square_root", "constant"] = setting("cosine", "learning rate after warm-up")
    rate_floor: float = setting(0.05, "share of the learning rate that the schedule never falls below", low=0, high=1)
    warm_up: int = setting(20, "steps over which the learning rate rises", low=0)
    weight_decay: float = setting(0.01, "decoupled weight decay", low=0.0)
    clip: float = setting(1.0, "largest norm of the gradient", low=1e-6)
    averaged_steps: int = setting(50, "steps over which the weights are averaged; 1 keeps the last ones", low=1)
    threads: int = setting(
        1, "threads; 0 takes as many as torch has, which serves large models", low=0, high=1024, local=True
    )
    devices: int = setting(
        1, "processes (or GPUs) that fit together, each on batches of its own", low=1, high=1024, local=True
    )
    seed: int = setting(0, "seed of everything that is drawn", low=0)
