"""Callback that ends a fit when its minutes are over, and tells the learning rate schedule how much has passed."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from lightning.pytorch import Callback, Trainer

from gruworks.training.minutes import Costs, Minutes

__all__ = ["Pace"]


class Pace(Callback):
    """Progress of a fit by wall time, from 0 at its first step to 1; the validation after it is within the time.

    Processes of DDP follow the first one. A resumed fit goes on with the time that it had spent.

    Args:
        minutes: the time of the command.
        costs: of a step and a validation, as measured before the fit.
        schedule: the settings that were made from them, for resuming.
    """

    def __init__(self, minutes: Minutes, costs: Costs, schedule: dict[str, int]) -> None:
        self.minutes, self.costs, self.schedule, self.validation = minutes, costs, schedule, costs.validation
        self.first, self.progress, self._begun = minutes.elapsed, 0.0, 0.0

    @property
    def end(self) -> float:
        """Elapsed seconds at which training ends."""
        return self.minutes.elapsed + self.minutes.left_to_fit - self.validation

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        passed = (self.minutes.elapsed - self.first) / max(self.end - self.first, 1e-9)
        self.progress = float(trainer.strategy.broadcast(min(1.0, max(self.progress, passed))))
        if self.progress >= 1:
            trainer.should_stop = True

    def on_validation_start(self, *_: Any) -> None:
        self._begun = self.minutes.clock()

    def on_validation_end(self, *_: Any) -> None:
        self.validation = self.minutes.clock() - self._begun

    def state_dict(self) -> dict[str, Any]:
        times = {"elapsed": self.minutes.elapsed, "first": self.first, "progress": self.progress}
        return times | {"costs": asdict(self.costs), "schedule": self.schedule}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.first, self.progress = float(state_dict["first"]), float(state_dict["progress"])
        self.minutes.earlier = float(state_dict["elapsed"])
