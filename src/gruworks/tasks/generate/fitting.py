"""Loss of a language model, and the weight of a batch in the validation loss."""

from __future__ import annotations

import torch
from torch import Tensor

from gruworks.nn.state import State
from gruworks.tasks.generate.data import Batch

__all__ = ["text_loss", "weight"]


def text_loss(model: torch.nn.Module, batch: Batch, state: State | None) -> tuple[Tensor, State]:
    """Mean cross-entropy of the targets in nats, and the state after the batch.

    Args:
        model: a `LanguageNet`.
        batch: tokens and targets [T, B], where negative targets have no loss; `keep` [B], False where state is reset.
        state: the state after the previous batch; None: empty.
    """
    keep = batch["keep"]
    if state is None or not bool(keep.any()):
        state = None
    elif not bool(keep.all()):
        state = {name: value * keep.view(-1, *[1] * (value.dim() - 1)) for name, value in state.items()}
    features, after = model(batch["tokens"], state)
    losses: Tensor = model.losses(features, batch["targets"])  # type: ignore[operator]
    return losses.sum() / weight(batch), after


def weight(batch: Batch) -> int:
    """Number of targets in a batch, at least 1."""
    return max(1, int((batch["targets"] >= 0).sum()))
