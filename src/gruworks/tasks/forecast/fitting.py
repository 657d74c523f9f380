"""The losses of the three models, and their batches in the fitting loop."""

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

__all__ = ["fit_all_rows", "fit_windows", "pinball", "quantile_loss", "segment_loss", "start_from_season"]


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
        batch["features"], batch["difference_ar"], batch["seasonal"], ahead=batch.get("ahead"), gaps=batch.get("gaps")
    )
    each = pinball(answer, batch["target"]).mean(-1)
    return (each * batch["weight"]).sum() / mean(batch["weight"].count_nonzero()).clamp(min=1)


def segment_loss(model: torch.nn.Module, batch: Batch) -> Tensor:
    """The segment model's: mean over windows and horizons, each over the window's own scale."""
    answer = model(batch["values"], batch["channel"])
    return (pinball(answer, batch["target"]) / batch["scale"][:, None]).mean()


@torch.no_grad()
def start_from_season(model: ForecastNet, windows: Windows) -> None:
    """Begin where the season before is repeated, with what the level has moved since as far as least squares says.

    A gain that begins at 0 and moves by a learning rate would take most of a fit to come to 1.
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


def fit_windows(
    model: torch.nn.Module,
    loss: Callable[..., Any],
    windows: Any,
    config: Config,
    run: RunFolder,
    quiet: bool,
    resume: bool,
    fresh: bool = True,
) -> Fitted:
    """Fit `model` in place on what `windows` draws; `fresh` where its weights are those of a new network."""
    what = f"learning {config.target}, {config.horizon} ahead"
    validation = windows.validation()
    if isinstance(model, ForecastNet) and isinstance(windows, Windows) and windows.lag and fresh:
        start_from_season(model, windows)
    return fit(model, loss, windows.draw, validation, config.training, run, what, quiet=quiet, resume=resume)


def fit_all_rows(
    model: torch.nn.Module,
    loss: Callable[..., Any],
    windows: Any,
    config: Config,
    run: RunFolder,
    quiet: bool,
    steps: int,
) -> None:
    """Fit a new `model` for as many steps as held-out rows chose, on `windows` that hold nothing out."""
    again = RunFolder(run.path / "refit", {})
    training = replace(config.training, steps=steps, validate_every=steps)
    fit_windows(model, loss, windows, replace(config, training=training), again, quiet, False)
    shutil.rmtree(again.path, ignore_errors=True)
