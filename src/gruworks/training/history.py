"""Loss curve of a fit, written to `curve.json` in the run folder and drawn to `curve.png`."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Any

import numpy
from lightning.pytorch import Callback, Trainer

from gruworks.errors import DataError, MissingExtraError
from gruworks.plots.curves import Curve, Panel, draw_curves
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

    def on_fit_end(self, trainer: Trainer, pl_module: Any) -> None:
        if trainer.is_global_zero and self.rows:
            with suppress(MissingExtraError, DataError):  # a fit is not lost with its picture
                self._draw()

    def _draw(self) -> None:
        steps, *losses = numpy.array(self.rows, dtype=numpy.float64).T
        named = dict(zip(("training", "validation"), losses, strict=True))
        finite = {name: numpy.isfinite(values) for name, values in named.items()}
        curves = {name: Curve(steps[at], named[name][at]) for name, at in finite.items() if at.any()}
        if curves:
            panel = Panel("loss of the fit", curves, "optimizer steps", "loss", logarithmic=False)
            draw_curves([panel], self.run.path / "curve.png")

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.rows = state_dict["rows"]
