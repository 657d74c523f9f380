"""Training and validation loss at each validation, kept in the run folder as `curve.json`."""

from __future__ import annotations

import math
from typing import Any

from lightning.pytorch import Callback, Trainer

from gruworks.training.runs import RunFolder

__all__ = ["History"]


class History(Callback):
    """Step, training and validation loss of every validation; checkpoints hold them, so a resumed fit goes on."""

    def __init__(self, run: RunFolder) -> None:
        self.run = run
        self.rows: list[list[float | None]] = []

    def on_validation_end(self, trainer: Trainer, pl_module: Any) -> None:
        losses = [_number(value) for value in pl_module.losses.values()]
        self.rows.append([trainer.global_step, *losses])
        steps, *columns = zip(*self.rows, strict=True)
        if trainer.is_global_zero:
            self.run.write_json("curve.json", dict(zip(("step", "loss", "val_loss"), (steps, *columns), strict=True)))

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.rows = state_dict["rows"]


def _number(loss: float) -> float | None:
    """JSON has no NaN: a loss that is none is null."""
    return loss if math.isfinite(loss) else None
