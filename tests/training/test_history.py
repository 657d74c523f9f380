"""A fit's curve is kept, and goes on in a fit that is resumed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from gruworks.training.fit import fit
from gruworks.training.runs import RunFolder
from gruworks.training.settings import FitSettings

SETTINGS = FitSettings(steps=6, validate_every=2, averaged_steps=1, warm_up=0, patience=99)


def fitted(run: RunFolder, steps: int, resume: bool) -> dict[str, Any]:
    torch.manual_seed(0)
    model = torch.nn.Linear(1, 1)
    x = torch.ones(4, 1)
    settings = replace(SETTINGS, steps=steps)
    fit(model, lambda m, b: m(b).square().mean(), lambda e, i: x, [x], settings, run, "", True, resume)
    return run.read_json("curve.json")


def test_the_curve_has_every_validation(tmp_path: Path) -> None:
    curve = fitted(RunFolder.create(tmp_path / "run", "test"), 6, resume=False)
    assert curve["step"] == [2, 4, 6]
    assert curve["val_loss"] == sorted(curve["val_loss"], reverse=True)
    assert len(curve["loss"]) == 3


def test_a_resumed_fit_goes_on_with_its_curve(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run", "test")
    first = fitted(run, 4, resume=False)
    assert first["step"] == [2, 4]
    second = fitted(run, 8, resume=True)
    assert second["step"] == [2, 4, 6, 8]
    assert second["val_loss"][:2] == first["val_loss"]
