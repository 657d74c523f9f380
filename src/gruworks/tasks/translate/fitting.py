"""Training loss of a translation network, and the weight of a batch in the validation loss."""

from __future__ import annotations

import torch
from torch import Tensor

from gruworks.nn.cross_entropy import linear_cross_entropy
from gruworks.tasks.translate.config import Config
from gruworks.tasks.translate.data import Batch
from gruworks.tasks.translate.model import TranslationNet
from gruworks.tasks.translate.subwords import PAD

__all__ = ["fit_loss", "translation_loss", "weight"]


def translation_loss(model: torch.nn.Module, batch: Batch, smoothing: float = 0.0) -> Tensor:
    """Mean cross-entropy of the target tokens in nats; in training with label smoothing (Szegedy et al. 2016)."""
    assert isinstance(model, TranslationNet)
    features, _ = model.read(model.encode(batch["source"], batch["source_lengths"]), batch["target"][:, :-1])
    wanted = batch["target"][:, 1:].T
    there = wanted != PAD
    smoothing = smoothing if model.training else 0.0
    return linear_cross_entropy(features[there], *model.last_layer(), wanted[there], smoothing).mean()


def fit_loss(model: torch.nn.Module, batch: Batch, config: Config) -> Tensor:
    """Loss of a fit: the mean over the target tokens of a batch, or in training with `config.summed` their sum."""
    mean = translation_loss(model, batch, config.smoothing)
    # Adadelta hardly moves where gradients are below the root of its epsilon, 1e-3, as those of the mean are.
    return mean * weight(batch) if config.summed and model.training else mean


def weight(batch: Batch) -> int:
    """Number of target tokens in a batch."""
    return int((batch["target"][:, 1:] != PAD).sum())
