"""Fits by wall time, on a clock that the loss moves: the end, validations, learning rates, resuming, expectations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from gruworks.errors import RunError
from gruworks.training.fit import Fitted, fit
from gruworks.training.learner import Learner
from gruworks.training.minutes import Costs, Minutes, expected_loss, measured, scheduled, speed
from gruworks.training.runs import RunFolder
from gruworks.training.settings import FitSettings
from tests.training.test_fit import Line, draw, loss

STEP, VALIDATION = 0.5, 2.0  # seconds


class Clock:
    """Seconds that pass with each call of `loss` alone."""

    def __init__(self, stop_at: float = 1e9) -> None:
        self.now, self.stop_at = 100.0, stop_at

    def __call__(self) -> float:
        return self.now

    def loss(self, model: torch.nn.Module, batch: Tensor) -> Tensor:
        self.now += STEP if model.training else VALIDATION
        if self.now >= self.stop_at:
            raise KeyboardInterrupt
        return loss(model, batch)


def run(path: Path, clock: Clock, seconds: float = 100.0, resume: bool = False, **settings: Any) -> Fitted:
    folder = RunFolder.open(path) if resume else RunFolder.create(path, "forecast")
    given = FitSettings.from_flat({"steps": 0, "learning_rate": 0.1, **settings})
    return fit(
        Line(), clock.loss, draw, [draw(99, 0)], given, folder, "a line", quiet=True, resume=resume,
        minutes=Minutes(seconds, clock(), clock=clock),
    )  # fmt: skip


@pytest.mark.parametrize("seconds", [40.0, 100.0, 400.0])
def test_training_and_validation_end_with_the_minutes(seconds: float, tmp_path: Path) -> None:
    clock = Clock()
    fitted = run(tmp_path / "run", clock, seconds, patience=1000)
    assert 0.93 * seconds < clock() - 100 <= seconds
    assert fitted.ended_by == "time limit reached"


def test_the_learning_rate_falls_with_the_time_to_its_floor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rates: list[float] = []
    real = Learner.training_step

    def step(self: Learner, batch: Any, index: int) -> Tensor:
        rates.append(self.trainer.optimizers[0].param_groups[0]["lr"])
        return real(self, batch, index)

    monkeypatch.setattr(Learner, "training_step", step)
    run(tmp_path / "run", Clock(), 400.0, patience=1000, warm_up=5)
    assert rates[0] == pytest.approx(0.02)
    assert max(rates) == pytest.approx(0.1, rel=0.01)
    assert rates[-1] < 0.006  # the floor is 0.005
    assert rates[len(rates) // 2] == pytest.approx(0.0525, rel=0.1)


def test_a_resumed_fit_has_the_time_that_was_left(tmp_path: Path) -> None:
    clock = Clock(stop_at=160.0)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "run", clock, patience=1000)
    kept = torch.load(tmp_path / "run" / "checkpoints" / "last.ckpt", weights_only=True)["callbacks"]["Pace"]
    spent = kept["elapsed"]
    assert 20 < spent < 60
    again = Clock()
    run(tmp_path / "run", again, resume=True, patience=1000)
    assert 93 < again() - 100 + spent <= 100


def test_the_batches_are_those_of_a_fit_by_steps_and_a_fault_in_one_is_raised(tmp_path: Path) -> None:
    def batches(path: Path, **settings: Any) -> list[float]:
        seen: list[float] = []

        def watched(model: torch.nn.Module, batch: Tensor) -> Tensor:
            if model.training:
                seen.append(float(batch.sum()))
            return clock.loss(model, batch)

        clock = Clock()
        folder, given = RunFolder.create(path, "forecast"), FitSettings.from_flat(settings | {"validate_every": 7})
        minutes = Minutes(40.0, clock(), clock=clock)
        fit(Line(), watched, draw, [draw(99, 0)], given, folder, "a line", quiet=True, minutes=minutes)
        return seen

    by_time, by_steps = batches(tmp_path / "time", steps=0), batches(tmp_path / "steps", steps=20)
    assert by_time[4:24] == by_steps  # after four that are timed

    def broken(epoch: int, index: int) -> Tensor:
        if (epoch, index) == (1, 2):
            raise ZeroDivisionError
        return draw(epoch, index)

    clock, folder = Clock(), RunFolder.create(tmp_path / "broken", "forecast")
    given = FitSettings.from_flat({"steps": 0, "validate_every": 7})
    with pytest.raises(ZeroDivisionError):
        fit(Line(), clock.loss, broken, [draw(99, 0)], given, folder, "a line", quiet=True,
            minutes=Minutes(40.0, clock(), clock=clock))  # fmt: skip


def test_a_run_of_steps_is_not_resumed_by_minutes(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "run", Clock(stop_at=110.0), steps=100, validate_every=3)
    with pytest.raises(RunError, match="damaged, or of another fit"):
        run(tmp_path / "run", Clock(), resume=True)


def test_validations_warm_up_and_averaging_follow_from_the_steps_that_fit() -> None:
    settings = scheduled(FitSettings.from_flat({"steps": 0}), Costs(0.1, 1.0, 3.0), 100.0)
    assert (settings.validate_every, settings.warm_up, settings.averaged_steps) == (167, 40, 40)
    given = scheduled(FitSettings.from_flat({"steps": 0, "warm_up": 7}), Costs(0.1, 1.0, 3.0), 100.0)
    assert given.warm_up == 7
    assert scheduled(FitSettings(steps=0), Costs(0.1, 1.0, 3.0), 100.0) == FitSettings(steps=0)


def test_the_loss_before_the_first_step_is_that_of_validation() -> None:
    model = torch.nn.Linear(1, 1)

    def run(batch: Tensor) -> Tensor:
        return model(batch).sum() * 0 + (9.0 if model.training else 3.0)

    assert measured(model, run, [lambda: torch.ones(1)] * 2, [torch.ones(1)]).loss == 3.0
    assert model.weight.grad is None


def test_the_expected_loss_follows_the_curve_of_earlier_fits() -> None:
    curve = {0.0: 0.0, 0.5: 0.8, 1.0: 1.0}
    assert expected_loss(4.0, 2.0, 0.5, curve) == pytest.approx(1.5)
    assert expected_loss(4.0, 2.0, 1.0, curve) == 2.0
    assert expected_loss(4.0, 5.0, 0.5, curve) <= 5.0  # a loss that rose


def test_the_speed_is_the_reference_s_over_the_machine_s() -> None:
    ticks = iter([0.0, 0.1, 1.0, 1.05, 2.0, 2.2])
    once = speed(lambda: next(ticks))
    ticks = iter([0.0, 0.2, 1.0, 1.1, 2.0, 2.4])
    assert speed(lambda: next(ticks)) == pytest.approx(once / 2)
