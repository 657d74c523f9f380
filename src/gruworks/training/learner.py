"""The one LightningModule: a task gives it a model and a loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from lightning.pytorch import LightningModule
from torch import Tensor

from gruworks.training.schedule import warm_up_and_cosine
from gruworks.training.settings import FitSettings

__all__ = ["Learner", "Loss"]

Loss = Callable[[torch.nn.Module, Any], Tensor]


class Learner(LightningModule):
    """Fits `model` to make `loss(model, batch)` small; `val_loss` is the same loss on the validation batches."""

    def __init__(self, model: torch.nn.Module, loss: Loss, settings: FitSettings) -> None:
        super().__init__()
        self.model, self.loss, self.settings = model, loss, settings

    def training_step(self, batch: Any, index: int) -> Tensor:
        loss = self.loss(self.model, batch)
        self.log("loss", loss, batch_size=1)
        return loss

    def validation_step(self, batch: Any, index: int) -> None:
        self.log("val_loss", self.loss(self.model, batch), batch_size=1)

    def configure_optimizers(self) -> Any:
        settings = self.settings
        optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: warm_up_and_cosine(step, settings.warm_up, settings.steps)
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["random_state"] = torch.get_rng_state()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        torch.set_rng_state(checkpoint["random_state"])
