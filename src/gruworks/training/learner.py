"""The LightningModule of all tasks, made of a model and a loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from lightning.pytorch import LightningModule
from torch import Tensor

from gruworks.nn.state import State, detach
from gruworks.training.parallel import reseed
from gruworks.training.schedule import share_of_rate
from gruworks.training.settings import FitSettings

__all__ = ["CarryingLoss", "Learner", "Loss", "Weigh"]

Loss = Callable[[torch.nn.Module, Any], Tensor]
CarryingLoss = Callable[[torch.nn.Module, Any, State | None], tuple[Tensor, State]]
Weigh = Callable[[Any], int]

CARRIED = "carried."  # prefix of the carried state in a checkpoint


class Learner(LightningModule):
    """Training of `model` on `loss(model, batch)`; `val_loss` is the same loss on the validation batches.

    With `carries`, the loss is `loss(model, batch, state)` → (loss, state), and each batch starts from the detached
    state of the batch before (truncated back-propagation through time). Each validation starts from None. `progress`
    returns the elapsed fraction of a fit that ends by its time.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        loss: Loss | CarryingLoss,
        settings: FitSettings,
        carries: bool = False,
        weigh: Weigh | None = None,
        progress: Callable[[], float] | None = None,
    ) -> None:
        super().__init__()
        self.progress = progress
        self.model, self.loss, self.settings, self.carries, self.weigh = model, loss, settings, carries, weigh
        self.carried: State | None = None
        self.carried_in_validation: State | None = None
        self.last_loss: Tensor | None = None

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        """Skip the traversal of a batch that is on the CPU already."""
        return batch if device.type == "cpu" else super().transfer_batch_to_device(batch, device, dataloader_idx)

    @property
    def losses(self) -> dict[str, float]:
        """The last training loss ("loss") and validation loss ("val_loss"), if any."""
        found = {} if self.last_loss is None else {"loss": float(self.last_loss)}
        validated = self.trainer.callback_metrics.get("val_loss")
        return found if validated is None else found | {"val_loss": float(validated)}

    def on_train_epoch_start(self) -> None:
        reseed(self.settings.seed, self.current_epoch)

    def training_step(self, batch: Any, index: int) -> Tensor:
        loss, self.carried = self._loss(batch, self.carried)
        self.last_loss = loss.detach()  # `log` costs as much as a small model's forward pass
        return loss

    def on_train_batch_end(self, *_: Any) -> None:
        """Stop after the last step; Lightning then runs a final validation."""
        if 0 < self.settings.steps <= self.trainer.global_step:
            self.trainer.should_stop = True

    def on_validation_epoch_start(self) -> None:
        self.carried_in_validation = None

    def validation_step(self, batch: Any, index: int) -> None:
        loss, self.carried_in_validation = self._loss(batch, self.carried_in_validation)
        self.log("val_loss", loss, batch_size=1 if self.weigh is None else self.weigh(batch))

    def _loss(self, batch: Any, state: State | None) -> tuple[Tensor, State | None]:
        if not self.carries:
            return self.loss(self.model, batch), None  # type: ignore[call-arg,return-value]
        loss, after = self.loss(self.model, batch, state)  # type: ignore[call-arg]
        return loss, detach(after)

    def configure_optimizers(self) -> Any:
        settings, weights = self.settings, self.model.parameters()
        rate, decay = settings.learning_rate, settings.weight_decay
        optimizer: torch.optim.Optimizer
        if settings.optimizer == "adadelta":
            optimizer = torch.optim.Adadelta(weights, rate, rho=0.95, eps=1e-6, weight_decay=decay)
        else:
            optimizer = torch.optim.AdamW(weights, rate, weight_decay=decay, fused=True)

        def share(step: int) -> float:
            return share_of_rate(step, settings, None if self.progress is None else self.progress())

        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, share)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["random_state"] = torch.get_rng_state()
        checkpoint |= {CARRIED + name: value for name, value in (self.carried or {}).items()}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        torch.set_rng_state(checkpoint["random_state"])
        carried = {name: value for name, value in checkpoint.items() if name.startswith(CARRIED)}
        self.carried = {name.removeprefix(CARRIED): value for name, value in carried.items()} or None
