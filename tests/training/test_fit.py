"""The fitting loop on a model of one weight: seeds, early stopping, budget, resuming, averaged weights, Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from torch import Tensor

from gruworks.errors import RunError
from gruworks.training.fit import Fitted, fit
from gruworks.training.runs import RunFolder
from gruworks.training.settings import FitSettings

SHORT: dict[str, Any] = {"steps": 40, "validate_every": 10, "warm_up": 2, "learning_rate": 0.1}


class Line(torch.nn.Module):
    """y = w x, behind a dropout, so that random numbers matter."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.dropout = torch.nn.Dropout(0.5)

    def forward(self, x: Tensor) -> Tensor:
        return self.weight * self.dropout(x)


def loss(model: torch.nn.Module, batch: Tensor) -> Tensor:
    return ((model(batch) - 3 * batch) ** 2).mean()


def draw(epoch: int, index: int) -> Tensor:
    return torch.from_numpy(numpy.random.default_rng([epoch, index]).normal(size=16).astype("float32"))


def run(path: Path, loss: Callable[..., Tensor] = loss, resume: bool = False, **settings: Any) -> tuple[Line, Fitted]:
    model = Line()
    folder = RunFolder.open(path) if resume else RunFolder.create(path, "forecast")
    given = FitSettings.from_flat(SHORT | settings)
    fitted = fit(model, loss, draw, [draw(99, 0)], given, folder, "a line", quiet=True, resume=resume)
    return model, fitted


def interrupting(at: int) -> Callable[..., Tensor]:
    """The loss, until the training step `at`, where Ctrl-C comes."""
    steps = 0

    def loss_until(model: torch.nn.Module, batch: Tensor) -> Tensor:
        nonlocal steps
        steps += model.training
        if steps == at:
            raise KeyboardInterrupt
        return loss(model, batch)

    return loss_until


def test_a_fit_learns_and_tells_what_it_did(tmp_path: Path) -> None:
    model, fitted = run(tmp_path / "run", steps=200, averaged_steps=5, patience=50)
    assert float(model.weight.detach()) > 1.0
    assert not model.training
    assert (fitted.steps, fitted.ended_by) == (200, "all steps done")
    assert 0 < fitted.best_step <= 200
    with torch.no_grad():
        assert fitted.best_loss == pytest.approx(float(loss(model, draw(99, 0))))  # of the weights that are kept


def test_the_same_seed_gives_the_same_bits(tmp_path: Path) -> None:
    torch.manual_seed(1)
    one, _ = run(tmp_path / "1")
    torch.manual_seed(2)
    same, _ = run(tmp_path / "2")
    other, _ = run(tmp_path / "3", seed=1)
    assert torch.equal(one.weight, same.weight)
    assert not torch.equal(one.weight, other.weight)


def test_the_caller_s_random_numbers_go_on_untouched(tmp_path: Path) -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    run(tmp_path / "run")
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("at", [11, 15, 30, 31])
def test_a_resumed_fit_ends_in_the_bits_of_one_that_never_stopped(at: int, tmp_path: Path) -> None:
    whole, facts = run(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt, match=r"the last checkpoint is kept in .*part"):
        run(tmp_path / "part", interrupting(at))
    resumed, again = run(tmp_path / "part", resume=True)
    assert torch.equal(whole.weight, resumed.weight)
    assert (again.steps, again.best_step, again.best_loss) == (facts.steps, facts.best_step, facts.best_loss)


def test_patience_counts_on_after_resuming(tmp_path: Path) -> None:
    def still(model: torch.nn.Module, batch: Tensor) -> Tensor:
        return loss(model, batch) * 0 + 1

    def stops(at: int) -> Callable[..., Tensor]:
        return lambda model, batch: interrupting_loss(model, batch) * 0 + 1

    interrupting_loss = interrupting(35)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "run", stops(35), steps=200, patience=5)
    _, fitted = run(tmp_path / "run", still, resume=True, steps=200, patience=5)
    assert (fitted.steps, fitted.ended_by) == (60, "validation loss no longer improves")


def test_ctrl_c_before_the_first_checkpoint_says_so(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt, match="there is no checkpoint yet in"):
        run(tmp_path / "run", interrupting(5))
    with pytest.raises(RunError, match="has no checkpoint to resume from: start the fit anew"):
        run(tmp_path / "run", resume=True)


def test_ctrl_c_works_again_after_a_fit(tmp_path: Path) -> None:
    def mine(*arguments: Any) -> None: ...

    before = signal.signal(signal.SIGINT, mine)
    try:
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "run", interrupting(15))
        assert signal.getsignal(signal.SIGINT) is mine
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_fit_stops_where_nothing_is_gained(tmp_path: Path) -> None:
    _, fitted = run(tmp_path / "run", lambda model, batch: loss(model, batch) * 0 + 1, steps=200, patience=3)
    assert (fitted.steps, fitted.best_step) == (40, 10)
    assert fitted.ended_by == "validation loss no longer improves"


def test_the_best_weights_are_kept_not_the_last(tmp_path: Path) -> None:
    """The validation loss wants w at 0.5 while training pulls further: the best validation lies on the way."""

    def two_minds(model: torch.nn.Module, batch: Tensor) -> Tensor:
        return loss(model, batch) if model.training else (model.weight - 0.5).abs().sum()

    model, fitted = run(tmp_path / "run", two_minds, steps=200, averaged_steps=1, patience=50, validate_every=5)
    last = torch.load(tmp_path / "run" / "checkpoints" / "last.ckpt", weights_only=True)
    assert last["global_step"] == 200
    assert fitted.best_step < 100
    assert abs(float(model.weight.detach()) - 0.5) < abs(float(last["state_dict"]["model.weight"]) - 0.5) - 0.1


def test_the_averaged_weights_are_validated_and_kept(tmp_path: Path) -> None:
    seen: list[tuple[bool, float]] = []

    def watched(model: torch.nn.Module, batch: Tensor) -> Tensor:
        seen.append((model.training, float(model.weight.detach())))
        return loss(model, batch)

    model, _ = run(tmp_path / "run", watched, steps=10, validate_every=10, averaged_steps=1000)
    training = [weight for trains, weight in seen if trains]
    (validated,) = [weight for trains, weight in seen if not trains]
    last = torch.load(tmp_path / "run" / "checkpoints" / "last.ckpt", weights_only=True)
    after = [*training[1:], float(last["current_model_state"]["model.weight"])]  # steps 1 ... 10
    assert validated == pytest.approx(numpy.mean(after), rel=1e-5)
    assert float(model.weight.detach()) == pytest.approx(validated)


def test_a_memory_of_one_step_keeps_the_last_weights(tmp_path: Path) -> None:
    model, _ = run(tmp_path / "run", steps=10, averaged_steps=1)
    last = torch.load(tmp_path / "run" / "checkpoints" / "last.ckpt", weights_only=True)
    assert torch.equal(model.weight, last["current_model_state"]["model.weight"])


Carried = tuple[Tensor, dict[str, Tensor]]


def carrying(model: torch.nn.Module, batch: Tensor, state: dict[str, Tensor] | None) -> Carried:
    """The state is a sum over all batches so far, weighted by the model, and the loss depends on it."""
    before = torch.zeros(1, requires_grad=True) if state is None else state["sum"]
    after = 0.5 * before + model(batch).mean()
    return (after - 1) ** 2 + loss(model, batch), {"sum": after}


def test_what_one_batch_leaves_the_next_one_starts_from(tmp_path: Path) -> None:
    starts: list[tuple[bool, float | None]] = []

    def watched(model: torch.nn.Module, batch: Tensor, state: dict[str, Tensor] | None) -> Carried:
        starts.append((model.training, None if state is None else float(state["sum"])))
        assert state is None or not state["sum"].requires_grad
        return carrying(model, batch, state)

    folder = RunFolder.create(tmp_path / "run", "forecast")
    settings = FitSettings.from_flat(SHORT | {"steps": 4, "validate_every": 2})
    fit(Line(), watched, draw, [draw(98, 0), draw(99, 0)], settings, folder, "", quiet=True, carries=True)
    training = [start for trains, start in starts if trains]
    validation = [start for trains, start in starts if not trains]
    assert training[0] is None
    assert None not in training[1:]
    assert [start is None for start in validation] == [True, False, True, False]  # anew for each validation


def test_a_resumed_fit_goes_on_with_the_carried_state(tmp_path: Path) -> None:
    def start(path: Path, loss: Callable[..., Any], resume: bool = False) -> float:
        folder = RunFolder.open(path) if resume else RunFolder.create(path, "forecast")
        model = Line()
        settings = FitSettings.from_flat(SHORT)
        fit(model, loss, draw, [draw(99, 0)], settings, folder, "", quiet=True, resume=resume, carries=True)
        return float(model.weight.detach())

    def interrupted(model: torch.nn.Module, batch: Tensor, state: dict[str, Tensor] | None) -> Carried:
        nonlocal steps
        steps += model.training
        if steps == 25:
            raise KeyboardInterrupt
        return carrying(model, batch, state)

    steps = 0
    whole = start(tmp_path / "whole", carrying)
    with pytest.raises(KeyboardInterrupt):
        start(tmp_path / "part", interrupted)
    assert start(tmp_path / "part", carrying, resume=True) == whole


def test_validation_batches_count_as_they_weigh(tmp_path: Path) -> None:
    def fixed(model: torch.nn.Module, batch: Tensor) -> Tensor:
        return loss(model, batch) if model.training else batch.mean() + 0 * model.weight.sum()

    folder = RunFolder.create(tmp_path / "run", "forecast")
    batches = [torch.full((3,), 1.0), torch.full((1,), 5.0)]
    settings = FitSettings.from_flat(SHORT | {"steps": 2})
    fitted = fit(Line(), fixed, draw, batches, settings, folder, "", quiet=True, weigh=len)
    assert fitted.best_loss == pytest.approx((3 * 1.0 + 1 * 5.0) / 4)


def test_what_is_shown_comes_from_the_averaged_weights_and_draws_nothing_from_the_fit(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def shown(model: torch.nn.Module) -> str:
        torch.randn(3)
        assert not model.training
        weights.append(float(model.get_parameter("weight").detach()))
        return f"weight number {len(weights)}"

    weights: list[float] = []
    quiet, _ = run(tmp_path / "quiet")
    folder = RunFolder.create(tmp_path / "loud", "forecast")
    model = Line()
    fit(model, loss, draw, [draw(99, 0)], FitSettings.from_flat(SHORT), folder, "a line", show=shown)
    assert "weight number 4" in capfd.readouterr().err
    assert torch.equal(model.weight, quiet.weight)
    assert weights[-1] == float(model.weight.detach())  # the last validation was the best


def test_adadelta_is_there(tmp_path: Path) -> None:
    model, _ = run(tmp_path / "run", optimizer="adadelta", learning_rate=1.0, schedule="constant", steps=10)
    one = 0.1**0.5 * 1e-3  # the first step of Zeiler 2012 is near sqrt(eps / (1 - rho)), whatever the gradient
    assert 0 < float(model.weight.detach()) < 10 * 10 * one


def test_a_fit_ends_when_its_time_is_up(tmp_path: Path) -> None:
    _, fitted = run(tmp_path / "run", steps=10**7, minutes=0.01, patience=10**6)
    assert fitted.ended_by == "time limit reached"
    assert fitted.steps < 10**7


def test_fewer_steps_than_one_validation_are_validated_at_their_end(tmp_path: Path) -> None:
    _, fitted = run(tmp_path / "run", steps=4, validate_every=10)
    assert (fitted.steps, fitted.best_step) == (4, 4)


@pytest.mark.parametrize(("steps", "every"), [(40, 25), (11, 10), (7, 3)])
def test_the_last_step_is_validated_and_may_be_the_best(steps: int, every: int, tmp_path: Path) -> None:
    """Every step comes nearer, so the last one is the best wherever it falls between two validations."""
    slow: dict[str, Any] = {"steps": steps, "validate_every": every, "averaged_steps": 1, "learning_rate": 0.01}
    _, fitted = run(tmp_path / "run", **slow)
    assert (fitted.steps, fitted.best_step, fitted.ended_by) == (steps, steps, "all steps done")
    assert json.loads((tmp_path / "run" / "curve.json").read_text())["step"][-1] == steps
    _, again = run(tmp_path / "run", resume=True, **slow)
    assert (again.steps, again.best_step, again.best_loss) == (fitted.steps, fitted.best_step, fitted.best_loss)


def test_the_last_step_is_validated_where_time_is_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lightning.pytorch.callbacks import Timer

    steps: list[None] = []

    def counted(model: torch.nn.Module, batch: Tensor) -> Tensor:
        steps.extend([None] * model.training)
        return loss(model, batch)

    monkeypatch.setattr(Timer, "time_elapsed", lambda *_: 3600.0 if len(steps) >= 15 else 0.0)
    _, fitted = run(tmp_path / "run", counted, averaged_steps=1)
    assert (fitted.steps, fitted.best_step, fitted.ended_by) == (15, 15, "time limit reached")


def test_a_loss_that_is_no_number_is_said(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"the validation loss is .*, not finite: try a smaller learning_rate"):
        run(tmp_path / "run", lambda model, batch: loss(model, batch) * float("nan"))


def test_a_damaged_checkpoint_is_said(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "run", interrupting(25))
    last = tmp_path / "run" / "checkpoints" / "last.ckpt"
    last.write_bytes(last.read_bytes()[:1000])
    with pytest.raises(RunError, match=r"last.ckpt is damaged.*start the fit anew"):
        run(tmp_path / "run", resume=True)


def test_a_checkpoint_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fit that dies while it writes its second checkpoint, or its sum, still has the first."""
    for fatal in range(5, 9):  # best and last, each with its sum, twice
        real, writes = os.fsync, 0

        def dying(at: int, fatal: int = fatal, real: Callable[[int], None] = real) -> None:
            nonlocal writes
            if "ckpt" in os.readlink(f"/proc/self/fd/{at}"):
                writes += 1
                if writes == fatal:
                    raise MemoryError
            real(at)

        place = tmp_path / str(fatal)
        with monkeypatch.context() as patch:
            patch.setattr("os.fsync", dying)
            with pytest.raises(MemoryError):
                run(place)
        if fatal == 5:
            whole, _ = run(tmp_path / "whole")
        resumed, _ = run(place, resume=True)
        assert torch.equal(whole.weight, resumed.weight)


def interrupted(path: Path) -> Path:
    with pytest.raises(KeyboardInterrupt):
        run(path, interrupting(25))
    return path / "checkpoints" / "last.ckpt"


@pytest.mark.parametrize(
    ("drop", "message"),
    [
        (("state_dict",), "the checkpoint lacks state_dict"),
        (("optimizer_states",), "the checkpoint lacks optimizer_states"),
        (("pytorch-lightning_version",), "the checkpoint lacks pytorch-lightning_version"),
        (("current_model_state", "model.weight"), "current_model_state lacks model.weight"),
        (("loops", "fit_loop", "epoch_progress", "current"), "loops.fit_loop.epoch_progress lacks current"),
        (("callbacks", "History"), "callbacks lacks History"),
        (("lr_schedulers",), "the checkpoint lacks lr_schedulers"),
        (("random_state",), "the checkpoint lacks random_state"),
    ],
)
def test_a_checkpoint_that_lacks_something_is_said(drop: tuple[str, ...], message: str, tmp_path: Path) -> None:
    last = interrupted(tmp_path / "run")
    content = torch.load(last, weights_only=True)
    holder = content
    for name in drop[:-1]:
        holder = holder[name]
    del holder[drop[-1]]
    torch.save(content, last)
    last.with_name("last.ckpt.sha256").unlink()  # as runs of earlier versions have none
    with pytest.raises(RunError, match=f"{last} is damaged.*{message}; start the fit anew"):
        run(tmp_path / "run", resume=True)


def test_a_flipped_bit_of_a_checkpoint_is_named_with_its_file(tmp_path: Path) -> None:
    last = interrupted(tmp_path / "run")
    content = bytearray(last.read_bytes())
    for at in (0, len(content) // 3, len(content) - 1):
        content[at] ^= 16
        last.write_bytes(content)
        with pytest.raises(RunError, match=f"{last} is damaged: its sha256 is not in last.ckpt.sha256 beside it"):
            run(tmp_path / "run", resume=True)
        content[at] ^= 16
    last.write_bytes(content)
    run(tmp_path / "run", resume=True)


def test_a_run_that_was_moved_goes_on_with_its_own_best_weights(tmp_path: Path) -> None:
    whole, _ = run(tmp_path / "whole")
    interrupted(tmp_path / "run")
    (tmp_path / "run").rename(tmp_path / "moved")
    resumed, _ = run(tmp_path / "moved", resume=True)
    assert torch.equal(whole.weight, resumed.weight)


def test_a_quiet_fit_prints_nothing_and_a_loud_one_shows_its_bar(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path / "quiet")
    assert capfd.readouterr() == ("", "")
    folder = RunFolder.create(tmp_path / "loud", "forecast")
    fit(Line(), loss, draw, [draw(99, 0)], FitSettings.from_flat(SHORT), folder, "a line", quiet=False)
    out, err = capfd.readouterr()
    assert out == ""
    assert "a line" in err
    assert "40/40" in err


@pytest.mark.parametrize("at", [1, 5, 9, 10, 11, 25, 39, 40])
def test_ctrl_c_writes_a_checkpoint_after_the_step_and_the_fit_goes_on_to_the_same_bits(
    at: int, tmp_path: Path
) -> None:
    def signalled(model: torch.nn.Module, batch: Tensor) -> Tensor:
        nonlocal steps
        steps += model.training
        if steps == at and model.training:
            signal.raise_signal(signal.SIGINT)
        return loss(model, batch)

    whole, facts = run(tmp_path / "whole")
    steps = 0
    with pytest.raises(KeyboardInterrupt, match=r"the last checkpoint is kept in .*part"):
        run(tmp_path / "part", signalled)
    last = torch.load(tmp_path / "part" / "checkpoints" / "last.ckpt", weights_only=True)
    assert last["global_step"] == steps == at
    resumed, again = run(tmp_path / "part", resume=True)
    assert torch.equal(whole.weight, resumed.weight)
    assert (again.steps, again.best_step, again.best_loss) == (facts.steps, facts.best_step, facts.best_loss)
    curves = [json.loads((tmp_path / name / "curve.json").read_text()) for name in ("whole", "part")]
    assert curves[0] == curves[1]


def test_a_second_ctrl_c_ends_the_fit_at_once(tmp_path: Path) -> None:
    def impatient(model: torch.nn.Module, batch: Tensor) -> Tensor:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        raise AssertionError("the step went on")

    with pytest.raises(KeyboardInterrupt, match="there is no checkpoint yet"):
        run(tmp_path / "run", impatient)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("at", [5, 16, 39])
def test_a_fit_that_dies_between_validations_goes_on_from_the_last_minute(
    at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gruworks.training.checkpoints.INTERVAL", 0.0)
    whole, facts = run(tmp_path / "whole")

    def dying(model: torch.nn.Module, batch: Tensor) -> Tensor:
        nonlocal steps
        steps += model.training
        if steps == at:
            raise MemoryError
        return loss(model, batch)

    steps = 0
    with pytest.raises(MemoryError):
        run(tmp_path / "part", dying)
    last = torch.load(tmp_path / "part" / "checkpoints" / "last.ckpt", weights_only=True)
    assert last["global_step"] == at - 1
    resumed, again = run(tmp_path / "part", resume=True)
    assert torch.equal(whole.weight, resumed.weight)
    assert (again.best_step, again.best_loss) == (facts.best_step, facts.best_loss)
