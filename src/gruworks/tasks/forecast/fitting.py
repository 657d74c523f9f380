"""Losses of the three models, and their fits."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from gruworks.tasks.forecast.config import QUANTILES, Config
from gruworks.tasks.forecast.data import Batch, Windows
from gruworks.tasks.forecast.models.encoder import ForecastNet
from gruworks.training.fit import Fitted, fit
from gruworks.training.parallel import mean
from gruworks.training.runs import RunFolder

__all__ = ["LOSSES", "fit_all_rows", "fit_windows", "pinball", "quantile_loss", "sampler_loss", "segment_loss"]


def pinball(answer: Tensor, target: Tensor) -> Tensor:
    """Pinball loss (Koenker and Bassett 1978) of each step ahead [..., K], averaged over quantiles; 0 without a target.

    Args:
        answer: quantiles [..., K, Q] for `QUANTILES`, or the median alone where Q is 1.
        target: [..., K]; NaN where it is missing.
    """
    levels = answer.new_tensor(QUANTILES if answer.shape[-1] > 1 else (0.5,))
    known = ~target.isnan()
    error = torch.where(known, target, 0.0)[..., None] - answer
    return torch.maximum(levels * error, (levels - 1) * error).mean(-1) * known


def quantile_loss(model: torch.nn.Module, batch: Batch) -> Tensor:
    """Weighted pinball loss of the encoder, averaged over horizon and rows."""
    answer = model(
        batch["features"], batch["difference_ar"], batch["seasonal"], ahead=batch.get("ahead"), gaps=batch.get("gaps")
    )
    each = pinball(answer, batch["target"]).mean(-1)
    return (each * batch["weight"]).sum() / mean(batch["weight"].count_nonzero()).clamp(min=1)


def segment_loss(model: torch.nn.Module, batch: Batch) -> Tensor:
    """Pinball loss of the segment model over each window's scale, averaged over windows and horizon."""
    answer = model(batch["values"], batch["channel"])
    return (pinball(answer, batch["target"]) / batch["scale"][:, None]).mean()


def sampler_loss(model: torch.nn.Module, batch: Batch) -> Tensor:
    """Mean negative log-likelihood of the sampler's next values, in units of the scale."""
    likelihood = model(batch["values"], batch["waves"], batch["scale"]).log_prob(batch["target"])
    unit = 0.0 if getattr(model, "counts", False) else batch["scale"].log()[:, None]
    loss: Tensor = -((likelihood + unit) * batch["weight"]).sum() / mean(batch["weight"].sum()).clamp(min=1)
    return loss


LOSSES: dict[str, Callable[..., Tensor]] = {
    "encoder": quantile_loss, "segment": segment_loss, "sampler": sampler_loss,
}  # fmt: skip


def fit_windows(
    model: torch.nn.Module, windows: Any, config: Config, run: RunFolder, quiet: bool, resume: bool, fresh: bool = True
) -> Fitted:
    """Fit `model` in place to batches of `windows`; `fresh` if its weights are initial ones."""
    what = f"learning {config.target}, {config.horizon} ahead"
    loss, validation = LOSSES[config.model], windows.validation()
    if isinstance(model, ForecastNet) and isinstance(windows, Windows) and windows.lag and fresh:
        _start_from_season(model, windows)
    return fit(model, loss, windows.draw, validation, config.training, run, what, quiet=quiet, resume=resume)


def fit_all_rows(model: torch.nn.Module, windows: Any, config: Config, run: RunFolder, quiet: bool, steps: int) -> None:
    """Fit a new `model` to all rows, for the number of `steps` that early stopping chose."""
    again = RunFolder(run.path / "refit", {})
    training = replace(config.training, steps=steps, validate_every=steps)
    fit_windows(model, windows, replace(config, training=training), again, quiet, False)
    shutil.rmtree(again.path, ignore_errors=True)


@torch.no_grad()
def _start_from_season(model: ForecastNet, windows: Windows) -> None:
    """Start with the seasonal weight at 1 and that of the level's drift since then at its least-squares estimate.

    From 0, gradient descent would take most of a fit to reach 1.
    """
    over, under = torch.zeros(model.shape[0]), torch.zeros(model.shape[0])
    for index in range(8):
        batch = windows.draw(2**31, index)
        known = (batch["weight"] > 0)[..., None] & ~batch["target"].isnan()
        rest = torch.where(known, batch["target"] - batch["seasonal"], 0.0)
        drift = torch.where(known, batch["difference_ar"], 0.0)
        over, under = over + (drift * rest).sum((0, 1)), under + (drift * drift).sum((0, 1))
    model.seasonal_weight.fill_(1.0)
    model.difference_ar_weight.copy_(torch.where(under > 0, over / under.clamp(min=1e-12), 0.0).clamp(0, 1))
