"""The loss of a forecast, and how its batches reach the one fitting loop."""

from __future__ import annotations

import torch
from torch import Tensor

from gruworks.tasks.forecast.config import QUANTILES, Config
from gruworks.tasks.forecast.data import Batch, Windows
from gruworks.tasks.forecast.model import ForecastNet
from gruworks.training.fit import Fitted, fit
from gruworks.training.runs import RunFolder

__all__ = ["fit_windows", "quantile_loss", "width_gain"]


def quantile_loss(model: torch.nn.Module, batch: Batch) -> Tensor:
    """Mean pinball loss over quantiles, horizons and steps (Koenker and Bassett 1978), in mean scales of the series."""
    answer = model(batch["features"], batch["highway"], batch["season"])
    levels = answer.new_tensor(QUANTILES)
    error = batch["target"][..., None] - answer
    pinball = torch.maximum(levels * error, (levels - 1) * error).mean((-1, -2))
    return (pinball * batch["weight"]).sum() / batch["weight"].count_nonzero().clamp(min=1)


def fit_windows(
    model: ForecastNet, windows: Windows, config: Config, run: RunFolder, quiet: bool, resume: bool
) -> Fitted:
    """Fit `model` in place, then set the width of its band."""
    what = f"learning {config.target}, {config.horizon} ahead"
    validation = windows.validation()
    fitted = fit(model, quantile_loss, windows.draw, validation, config.training, run, what, quiet=quiet, resume=resume)
    model.width_gain.fill_(width_gain(model, validation))
    return fitted


@torch.no_grad()
def width_gain(model: ForecastNet, validation: list[Batch]) -> float:
    """By how much the band must widen to hold its nominal share of the validation targets (split conformal)."""
    ratios = []
    for batch in validation:
        answer = model(batch["features"], batch["highway"], batch["season"])
        middle = answer[..., len(QUANTILES) // 2]
        error = batch["target"] - middle
        width = torch.where(error > 0, answer[..., -1] - middle, middle - answer[..., 0])
        ratios.append((error.abs() / width.clamp(min=1e-12))[batch["weight"] > 0].flatten())
    return float(torch.cat(ratios).quantile(QUANTILES[-1] - QUANTILES[0])) if ratios else 1.0
