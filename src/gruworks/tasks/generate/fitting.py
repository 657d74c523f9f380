"""The loss of a language model, and how its batches reach the one fitting loop."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from gruworks.nn.state import State
from gruworks.tasks.generate.config import Config
from gruworks.tasks.generate.data import Batch, Bundles, CarriedRows
from gruworks.tasks.generate.model import LanguageNet
from gruworks.training.fit import Fitted, fit
from gruworks.training.runs import RunFolder

__all__ = ["fit_texts", "text_loss"]


def text_loss(model: torch.nn.Module, batch: Batch, state: State | None) -> tuple[Tensor, State]:
    """Mean cross-entropy of the batch's targets in nats, and the state after it; rows that don't keep start empty."""
    keep = batch["keep"]
    if state is None or not bool(keep.any()):
        state = None
    elif not bool(keep.all()):
        state = {name: value * keep.view(-1, *[1] * (value.dim() - 1)) for name, value in state.items()}
    features, after = model(batch["tokens"], state)
    losses: Tensor = model.losses(features, batch["targets"])  # type: ignore[operator]
    return losses.sum() / weight(batch), after


def weight(batch: Batch) -> int:
    """Number of targets of the batch."""
    return max(1, int((batch["targets"] >= 0).sum()))


def fit_texts(
    model: LanguageNet,
    texts: CarriedRows | Bundles,
    config: Config,
    run: RunFolder,
    quiet: bool,
    resume: bool,
    show: Callable[[torch.nn.Module], str] | None = None,
) -> Fitted:
    """Fit `model` in place; `show` writes a sample to print after each validation."""
    return fit(
        model, text_loss, texts.draw, texts.validation(), config.training, run, "learning to write", quiet=quiet,
        resume=resume, carries=True, weigh=weight, show=show,
    )  # fmt: skip
