"""The loss of a translation, and how its batches reach the one fitting loop."""

from __future__ import annotations

import torch
from torch import Tensor

from gruworks.nn.cross_entropy import linear_cross_entropy
from gruworks.tasks.translate.config import Config
from gruworks.tasks.translate.data import Batch, Batches
from gruworks.tasks.translate.model import TranslationNet
from gruworks.tasks.translate.subwords import PAD
from gruworks.training.fit import Fitted, fit
from gruworks.training.runs import RunFolder

__all__ = ["fit_pairs", "translation_loss"]


def translation_loss(model: torch.nn.Module, batch: Batch, smoothing: float = 0.0) -> Tensor:
    """Mean cross-entropy of the target's symbols in nats; in training with label smoothing (Szegedy et al. 2016)."""
    assert isinstance(model, TranslationNet)
    target = batch["target"]
    features, _ = model.read(model.encode(batch["source"], batch["source_lengths"]), target[:, :-1])
    wanted = target[:, 1:].T
    there = wanted != PAD
    share = smoothing if model.training else 0.0
    return linear_cross_entropy(features[there], *model.last_layer(), wanted[there], share).mean()


def fit_pairs(
    model: TranslationNet,
    batches: Batches,
    validation: list[Batch],
    config: Config,
    run: RunFolder,
    quiet: bool,
    resume: bool,
) -> Fitted:
    """Fit `model` in place."""

    def loss(model: torch.nn.Module, batch: Batch) -> Tensor:
        mean = translation_loss(model, batch, config.smoothing)
        # Gradients below Adadelta's √ε, 1e-3, make steps of their own size, and nothing is learnt.
        return mean * weigh(batch) if config.summed and model.training else mean

    def weigh(batch: Batch) -> int:
        return int((batch["target"][:, 1:] != PAD).sum())

    what = f"learning {config.source} → {config.target}"
    return fit(
        model, loss, batches.draw, validation, config.training, run, what, quiet=quiet, resume=resume,
        weigh=weigh,
    )  # fmt: skip
