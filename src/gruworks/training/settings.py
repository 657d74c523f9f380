"""Settings of the optimization, shared by all tasks; imports nothing heavy, for the command line's sake."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from gruworks.settings import Settings, setting

__all__ = ["FitSettings"]


@dataclass(frozen=True)
class FitSettings(Settings):
    """Settings of the optimisation: length, learning rate, seed.

    With `steps` 0, the fit takes `minutes` of wall time, and its learning rate decays with the time that has passed.
    """

    panel: ClassVar[str] = "Fit"
    panels: ClassVar[dict[str, str]] = dict.fromkeys(
        ("patience", "validate_every", "optimizer", "schedule", "rate_floor", "warm_up", "weight_decay", "clip",
         "averaged_steps", "threads", "devices"), "Advanced"
    )  # fmt: skip

    steps: int = setting(600, "maximum number of optimizer steps; 0: as many as fit into minutes", low=0)
    minutes: float = setting(20.0, "maximum duration in minutes", low=0.01, high=600.0)
    patience: int = setting(8, "early stopping: validations without improvement before the fit ends", low=1)
    validate_every: int = setting(20, "optimizer steps between validations; each validation writes a checkpoint", low=1)
    batch_size: int = setting(8, "batch size", low=1)
    learning_rate: float = setting(3e-3, "learning rate after warm-up", low=1e-8, high=10.0)
    optimizer: Literal["adamw", "adadelta"] = setting("adamw", "optimizer; adadelta has rho 0.95 and eps 1e-6")
    schedule: Literal["cosine", "inverse_square_root", "constant"] = setting(
        "cosine", "learning rate schedule after warm-up"
    )
    rate_floor: float = setting(
        0.05, "lowest learning rate of the schedule, as a fraction of the highest", low=0, high=1
    )
    warm_up: int = setting(20, "warm-up steps, in which the learning rate rises linearly", low=0)
    weight_decay: float = setting(0.01, "decoupled weight decay", low=0.0)
    clip: float = setting(1.0, "gradient clipping: largest norm of the gradient", low=1e-6)
    averaged_steps: int = setting(50, "steps over which the weights are averaged; 1 turns averaging off", low=1)
    threads: int = setting(1, "threads; 0 takes torch's default, for large models", low=0, high=1024, local=True)
    devices: int = setting(1, "processes or GPUs of data-parallel training", low=1, high=1024, local=True)
    seed: int = setting(0, "seed of the random number generators", low=0)
