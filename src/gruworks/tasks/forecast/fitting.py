"""The losses of the three models, and how their batches reach the one fitting loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gruworks.tasks.forecast.config import QUANTILES, Config
from gruworks.tasks.forecast.data import Batch
from gruworks.training.fit import Fitted, fit
from gruworks.training.runs import RunFolder

__all__ = ["fit_windows", "pinball", "quantile_loss", "segment_loss"]


def pinball(answer: Tensor, target: Tensor) -> Tensor:
    """Pinball loss of each step ahead [..., K] (Koenker and Bassett 1978), mean over quantiles; 0 where it is unknown.

    `answer` is [..., K, Q] for the quantiles of `QUANTILES`, or its median alone where Q is 1; `target` may be NaN.
    """
    levels = answer.new_tensor(QUANTILES if answer.shape[-1] > 1 else (0.5,))
    known = ~target.isnan()
    error = torch.where(known, target, 0.0)[..., None] - answer
    return torch.maximum(levels * error, (levels - 1) * error).mean(-1) * known


def quantile_loss(model: torch.nn.Module, batch: Batch) -> Tensor:
    """The encoder's: mean over horizons and steps, in mean scales of the series."""
    answer = model(
        batch["features"], batch["highway"], batch["season"], ahead=batch.get("ahead"), gaps=batch.get("gaps")
    )
    each = pinball(answer, batch["target"]).mean(-1)
    return (each * batch["weight"]).sum() / batch["weight"].count_nonzero().clamp(min=1)


def segment_loss(model: torch.nn.Module, batch: Batch) -> Tensor:
    """The segment model's: mean over windows and horizons, each over the window's own scale."""
    answer = model(batch["values"], batch["channel"])
    return (pinball(answer, batch["target"]) / batch["scale"][:, None]).mean()


def fit_windows(
    model: torch.nn.Module,
    loss: Callable[..., Any],
    windows: Any,
    config: Config,
    run: RunFolder,
    quiet: bool,
    resume: bool,
) -> Fitted:
    """Fit `model` in place on what `windows` draws."""
    what = f"learning {config.target}, {config.horizon} ahead"
    validation = windows.validation()
    return fit(model, loss, windows.draw, validation, config.training, run, what, quiet=quiet, resume=resume)
