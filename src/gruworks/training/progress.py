"""Progress bar of a fit, with losses, the loss to expect at the end, and remaining time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from gruworks.training.minutes import Curve, expected_loss
from gruworks.training.pace import Pace

__all__ = ["FitProgress"]


class FitProgress(Callback):
    """Callback that shows step, losses, elapsed time and the estimated time left.

    Args:
        what: text before the bar.
        steps: number of optimizer steps; 0 for a fit by wall time.
        show: text to print above the bar after each validation.
        pace: keeps the time of a fit by wall time, whose bar counts seconds.
        curve: loss curve of earlier fits, for the loss to expect at the end of a fit by wall time.
    """

    def __init__(
        self, what: str, steps: int, show: Callable[[torch.nn.Module], str] | None = None, pace: Pace | None = None,
        curve: Curve | None = None,
    ) -> None:  # fmt: skip
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.completed:.0f}/{task.total:.0f}" + (" s" if pace else "")),
            TextColumn("{task.fields[losses]}"),
            TimeElapsedColumn(),
            TextColumn("left" if pace else "left at most"),
            TimeRemainingColumn(),
        )
        self.bar = Progress(*columns, console=Console(stderr=True))
        self.what, self.steps, self.show, self.pace, self.curve = what, steps, show, pace, curve
        self.expected = ""
        self.task: TaskID | None = None

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not trainer.is_global_zero:
            return
        self.bar.start()
        total = self.pace.minutes.seconds if self.pace else self.steps
        self.task = self.bar.add_task(self.what, total=total, completed=self._completed(trainer), losses="")

    def on_train_batch_end(self, trainer: Trainer, pl_module: Any, *rest: Any) -> None:
        self._update(trainer, pl_module)

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: Any) -> None:
        if self.show is not None and trainer.is_global_zero:
            with torch.random.fork_rng():
                self.bar.console.print(self.show(pl_module.model), markup=False, highlight=False)

    def on_validation_end(self, trainer: Trainer, pl_module: Any) -> None:
        if self.pace and self.curve and 0 < self.pace.progress < 1:
            now = pl_module.losses["val_loss"]
            loss = expected_loss(self.pace.costs.loss, now, self.pace.progress, self.curve)
            self.expected = f" (about {loss:.2f} expected at the end)"
        self._update(trainer, pl_module)

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        self.bar.stop()

    def _update(self, trainer: Trainer, learner: Any) -> None:
        if self.task is not None:
            losses = " ".join(f"{name} {value:.4f}" for name, value in learner.losses.items()) + self.expected
            self.bar.update(self.task, completed=self._completed(trainer), losses=losses)

    def _completed(self, trainer: Trainer) -> int:
        return int(self.pace.minutes.elapsed) if self.pace else trainer.global_step
