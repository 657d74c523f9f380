"""Loss curve of a fit, written to `curve.json` in the run folder."""

from __future__ import annotations

import math
from typing import Any

from lightning.pytorch import Callback, Trainer

from gruworks.training.pace import Pace
from gruworks.training.runs import RunFolder

__all__ = ["History"]


class History(Callback):
    """Callback that records step, training loss and validation loss at each validation; checkpoints include them.

    Of a fit by wall time, whose `pace` is given, the file also has the fraction of the time that has passed.
    """

    def __init__(self, run: RunFolder, pace: Pace | None = None) -> None:
        self.run, self.pace = run, pace
        self.rows: list[list[float | None]] = []

    def on_validation_end(self, trainer: Trainer, pl_module: Any) -> None:
        losses = [value if math.isfinite(value) else None for value in pl_module.losses.values()]  # JSON has no NaN
        self.rows.append([trainer.global_step, *losses])
        if trainer.is_global_zero:
            columns = zip(("step", "loss", "val_loss"), zip(*self.rows, strict=True), strict=True)
            progress = {} if self.pace is None else {"progress": self.pace.progress}
            self.run.write_json("curve.json", dict(columns) | progress)

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.rows = state_dict["rows"]
