"""One `fit` for all tasks: a failure, Ctrl-C or a full disk leaves the estimator and the run on disk as they were."""

from __future__ import annotations

import errno
import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch

from gruworks import Forecaster, Generator, Transcriber, Translator
from gruworks.data.text import Document
from gruworks.errors import RunError, WriteError
from gruworks.tasks.estimator import Estimator
from gruworks.training.learner import Learner
from gruworks.training.runs import RunFolder
from tests.tasks.forecast import conftest as forecast
from tests.tasks.generate import conftest as generate
from tests.tasks.transcribe import conftest as transcribe
from tests.tasks.translate import conftest as translate

TONE = numpy.sin(numpy.arange(4000) / 5).astype(numpy.float32)


@dataclass(frozen=True)
class Case:
    """A tiny estimator of one task, two sets of data, and what a fitted one answers."""

    make: Callable[[], Any]
    data: Any
    other: Any
    answer: Callable[[Any], Any]


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Case]:
    folder = tmp_path_factory.mktemp("spoken")
    sounds = [transcribe.write(folder / name, seeds) for name, seeds in (("a", range(12)), ("b", range(20, 32)))]
    short = {"steps": 6, "validate_every": 2, "warm_up": 1}
    pairs = translate.toy(1)
    return {
        "forecast": Case(
            lambda: Forecaster(horizon=3, **{**forecast.TINY, **short}), forecast.wavy(120), forecast.wavy(90, seed=1),
            lambda one: one.predict()["y_hat"].tolist(),
        ),
        "generate": Case(
            lambda: Generator(**{**generate.TINY, **short}), [Document(generate.prose())],
            [Document(generate.prose(50).upper())], lambda one: one.score("the ").log_probabilities,
        ),
        "translate": Case(
            lambda: Translator(**{**translate.SIZES, **short}), pairs, pairs[:30],
            lambda one: one.score(pairs[:2]),
        ),
        "transcribe": Case(
            lambda: Transcriber(**{**transcribe.SMALL, **short}), *sounds,
            lambda one: one.align(TONE, "a", rate=transcribe.RATE),
        ),
    }  # fmt: skip


@pytest.fixture(scope="module", params=["forecast", "generate", "translate", "transcribe"])
def case(request: pytest.FixtureRequest, cases: dict[str, Case]) -> Case:
    return cases[request.param]


@pytest.fixture(scope="module")
def whole(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("runs") / "whole"
    case.make().fit(case.data, out=path, quiet=True)
    return path


def failing_step(monkeypatch: pytest.MonkeyPatch, error: BaseException, at: int = 3) -> None:
    """Let the training step number `at` raise."""
    real, steps = Learner.training_step, 0

    def step(self: Learner, batch: Any, index: int) -> Any:
        nonlocal steps
        steps += 1
        if steps == at:
            raise error
        return real(self, batch, index)

    monkeypatch.setattr(Learner, "training_step", step)


def full_disk(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let the file `name` of a run find no space."""
    real = os.replace

    def replace(source: Any, target: Any) -> None:
        if Path(target).name == name:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(source, target)

    monkeypatch.setattr("os.replace", replace)


FAULTS: dict[str, tuple[Callable[[pytest.MonkeyPatch], None], type[BaseException]]] = {
    "an error in a step": (lambda patch: failing_step(patch, ZeroDivisionError()), ZeroDivisionError),
    "Ctrl-C in a step": (lambda patch: failing_step(patch, KeyboardInterrupt()), KeyboardInterrupt),
    "no space for run.json": (lambda patch: full_disk(patch, "run.json"), WriteError),
    "no space for weights": (lambda patch: full_disk(patch, "weights.safetensors"), WriteError),
    "no space for metrics": (lambda patch: full_disk(patch, "metrics.json"), WriteError),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fit_that_fails_leaves_the_earlier_model(
    fault: str, case: Case, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_it, error = FAULTS[fault]
    model: Estimator = type(case.make()).load(whole)
    before, state = case.answer(model), dict(vars(model))
    fits = [lambda: model.fit(case.other, out=tmp_path / "new", quiet=True)]
    if isinstance(model, Forecaster):
        fits.append(lambda: model.continue_fit(case.other, out=tmp_path / "more", quiet=True))
    for fit in fits:
        with monkeypatch.context() as patch:
            break_it(patch)
            with pytest.raises(error):
                fit()
        assert vars(model).keys() == state.keys()
        assert all(vars(model)[name] is value for name, value in state.items() if not name.startswith("_"))
        assert case.answer(model) == before
    if fault == "no space for run.json":
        assert list(tmp_path.iterdir()) == []  # neither a run nor a checkpoint to go on from
    model.fit(case.other, quiet=True)
    assert model.metrics != state["metrics"]


@pytest.mark.parametrize("fault", ["no space for run.json", "no space for weights", "no space for metrics"])
def test_a_resumed_run_that_cannot_be_written_still_loads(
    fault: str, case: Case, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_it, error = FAULTS[fault]
    run = Path(shutil.copytree(whole, tmp_path / "run"))
    before = case.answer(type(case.make()).load(run))
    with monkeypatch.context() as patch:
        break_it(patch)
        model = case.make()
        with pytest.raises(error):
            model.fit(case.data, out=run, resume=True, quiet=True)
        assert not model.fitted
    assert case.answer(type(model).load(run)) == before


def test_ctrl_c_before_the_first_validation_leaves_a_run_that_can_be_used(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, run = Learner.training_step, tmp_path / "run"

    def step(self: Learner, batch: Any, index: int) -> Any:
        signal.raise_signal(signal.SIGINT)
        return real(self, batch, index)

    monkeypatch.setattr(Learner, "training_step", step)
    with pytest.raises(KeyboardInterrupt):
        case.make().fit(case.data, out=run, quiet=True)
    with pytest.warns(UserWarning, match="was interrupted: these are its best weights so far, of step 1"):
        assert case.answer(type(case.make()).load(run))


CONTINUED: dict[str, tuple[Any, Callable[[Any], int]]] = {
    "generate": ([Document("Ω ж " * 80)], lambda one: len(one.codec.vocabulary)),
    "translate": ([("Ω ж", "ж Ω"), ("ж", "Ω")] * 10, lambda one: len(one.codec.source)),
}


@pytest.mark.parametrize("task", CONTINUED)
def test_a_fit_is_continued_from_its_weights_with_a_vocabulary_that_grows(
    task: str, cases: dict[str, Case], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, vocabulary = CONTINUED[task]
    model = cases[task].make().fit(cases[task].data, quiet=True)
    size, before = vocabulary(model), {name: one.clone() for name, one in model.model.state_dict().items()}
    short = {"steps": 4, "validate_every": 2, "learning_rate": 1e-8}
    with monkeypatch.context() as patch:
        failing_step(patch, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            model.continue_fit(data, out=tmp_path / "run", quiet=True, **short)
    assert vocabulary(model) == size
    again = type(model)(type(model)._config_of(RunFolder.open(tmp_path / "run")))
    again.fit(data, out=tmp_path / "run", resume=True, quiet=True)
    model.continue_fit(data, quiet=True, **short)
    assert vocabulary(again) == vocabulary(model) == size + 2
    for name, old in before.items():
        new = model.model.state_dict()[name]
        assert torch.equal(new, again.model.state_dict()[name])
        torch.testing.assert_close(new[tuple(map(slice, old.shape))], old, rtol=0, atol=1e-5)


def test_a_recogniser_is_continued_on_new_words(cases: dict[str, Case], tmp_path: Path) -> None:
    case = cases["transcribe"]
    model = case.make().fit(case.data, quiet=True)
    words = set(model.vocabulary)
    assert case.answer(model.continue_fit(case.other, quiet=True, steps=2, validate_every=2))
    assert words <= set(model.vocabulary)


def test_a_run_that_was_interrupted_gives_its_best_weights_so_far_and_goes_on(
    case: Case, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the process was killed: what loading needs is written before and while the fit learns."""
    run, kind = tmp_path / "run", type(case.make())
    with monkeypatch.context() as patch:
        failing_step(patch, KeyboardInterrupt(), at=5)
        with pytest.raises(KeyboardInterrupt):
            case.make().fit(case.data, out=run, quiet=True)
    with pytest.warns(
        UserWarning, match="was interrupted: these are its best weights so far, of step [24]; continue it with resume"
    ):
        interim = kind.load(run)
    assert interim.metrics["best_step"] <= 4
    bare = Path(shutil.copytree(run, tmp_path / "bare", ignore=shutil.ignore_patterns("checkpoints")))
    with pytest.warns(UserWarning, match="was interrupted"):
        assert case.answer(kind.load(bare)) == case.answer(interim)  # nothing is unpickled for it
    with monkeypatch.context() as patch:
        failing_step(patch, ZeroDivisionError(), at=1)
        with pytest.raises(ZeroDivisionError):
            case.make().fit(case.data, out=run, resume=True, quiet=True)
    with pytest.warns(UserWarning, match="was interrupted"):
        assert case.answer(kind.load(run)) == case.answer(interim)
    resumed = case.make().fit(case.data, out=run, resume=True, quiet=True)
    assert case.answer(resumed) == case.answer(kind.load(whole)) == case.answer(kind.load(run))


def test_a_run_that_never_validated_has_its_last_weights_and_without_them_says_that_it_did_not_finish(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gruworks.training.checkpoints.INTERVAL", 0.0)
    failing_step(monkeypatch, KeyboardInterrupt(), at=2)
    with pytest.raises(KeyboardInterrupt):
        case.make().fit(case.data, out=tmp_path / "run", quiet=True)
    with pytest.warns(UserWarning, match="was interrupted: these are its best weights so far, of step [12];"):
        interim = type(case.make()).load(tmp_path / "run")
    assert "best_loss" not in interim.metrics
    (tmp_path / "run" / "metrics.json").unlink()
    with pytest.raises(RunError, match=r"has no metrics.json: the fit did not finish"):
        type(case.make()).load(tmp_path / "run")
