"""Progress bar of a fit, with losses and remaining time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

__all__ = ["FitProgress"]


class FitProgress(Callback):
    """Callback that shows step, losses, elapsed time and the estimated time left.

    Args:
        what: text before the bar.
        steps: number of optimizer steps.
        show: text to print above the bar after each validation.
    """

    def __init__(self, what: str, steps: int, show: Callable[[torch.nn.Module], str] | None = None) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.completed}/{task.total}"),
            TextColumn("{task.fields[losses]}"),
            TimeElapsedColumn(),
            TextColumn("left at most"),
            TimeRemainingColumn(),
        )
        self.bar = Progress(*columns, console=Console(stderr=True))
        self.what, self.steps, self.show = what, steps, show
        self.task: TaskID | None = None

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if not trainer.is_global_zero:
            return
        self.bar.start()
        self.task = self.bar.add_task(self.what, total=self.steps, completed=trainer.global_step, losses="")

    def on_train_batch_end(self, trainer: Trainer, pl_module: Any, *rest: Any) -> None:
        self._update(trainer, pl_module)

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: Any) -> None:
        if self.show is not None and trainer.is_global_zero:
            with torch.random.fork_rng():
                self.bar.console.print(self.show(pl_module.model), markup=False, highlight=False)

    def on_validation_end(self, trainer: Trainer, pl_module: Any) -> None:
        self._update(trainer, pl_module)

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        self.bar.stop()

    def _update(self, trainer: Trainer, learner: Any) -> None:
        if self.task is not None:
            losses = " ".join(f"{name} {value:.4f}" for name, value in learner.losses.items())
            self.bar.update(self.task, completed=trainer.global_step, losses=losses)
