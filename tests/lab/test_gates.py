"""Memory, saturation, and the gates of fresh units and trained runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy
import pytest
import torch

from gruworks.errors import DataError, OptionError, RunError
from gruworks.lab.experiment import problem, restore, run
from gruworks.lab.gates import fresh, memory_length, of_run, of_text, saturation
from gruworks.lab.settings import FIT, Experiment
from gruworks.training.runs import RunFolder

SMALL = Experiment(length=6, hidden=4, test_rows=20, training=replace(FIT, steps=2, validate_every=1, warm_up=1))


def test_after_its_memory_a_unit_has_1_over_e_left() -> None:
    z = numpy.array([[0.1, 0.5, 0.0, 0.2], [0.3, 0.5, 0.0, 1.0], [0.2, 0.5, 0.0, 0.1]])
    lengths = memory_length(z)
    left = (1 - z).prod(0)
    assert left[:2] ** (lengths[:2] / 3) == pytest.approx(numpy.exp([-1, -1]))
    assert lengths[2:].tolist() == [numpy.inf, 0]


def test_saturation_counts_steps() -> None:
    shut, opened = saturation(numpy.array([[0.05, 0.95], [0.5, 0.99], [0.01, 0.1], [0.2, 0.92]]))
    assert shut.tolist() == [0.5, 0]
    assert opened.tolist() == [0, 0.75]


def test_a_fresh_unit_reads_numbers_and_text() -> None:
    look = of_text("abca", hidden=3, seed=1)
    assert look.reads == ["a", "b", "c", "a"]
    assert look.state.shape == (4, 3)
    h = numpy.vstack([numpy.zeros(3), look.state[:-1]])
    assert look.state == pytest.approx((1 - look.update) * h + look.update * look.candidate)
    assert (of_text("abca", hidden=3, seed=2).state != look.state).all()
    assert fresh(torch.ones(2, 1, 1), ["1", "1"], "ones", hidden=5).reset.shape == (2, 5)
    with pytest.raises(DataError, match="one character"):
        of_text("")
    with pytest.raises(OptionError, match="hidden size of at least 1"):
        of_text("a", hidden=0)


def test_an_experiments_gates_are_those_of_its_weights(tmp_path: Path) -> None:
    run(SMALL, tmp_path / "run")
    look = of_run(tmp_path / "run")
    settings, model = restore(tmp_path / "run")
    x = problem(settings).test[0].x[:, :1]
    assert look.state == pytest.approx(model.cell(x)[0][:, 0].detach().numpy(), abs=1e-6)
    assert "gru after adding" in look.what


def test_a_forecasters_gates_are_shown(tmp_path: Path) -> None:
    from gruworks import Forecaster
    from tests.tasks.forecast.conftest import TINY, wavy

    path = Forecaster(horizon=5, **TINY).fit(wavy(140), quiet=True).save(tmp_path / "run")
    look = of_run(path)
    assert len(look.reads) == len(look.update) > 5
    assert ((look.update > 0) & (look.update < 1)).all()


def test_runs_without_gates_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="does not exist"):
        of_run(tmp_path / "none")
    RunFolder.create(tmp_path / "other", "knitting")
    with pytest.raises(RunError, match="task 'knitting'"):
        of_run(tmp_path / "other")
    run(replace(SMALL, cell="lstm"), tmp_path / "lstm")
    with pytest.raises(RunError, match="no GRU that"):
        of_run(tmp_path / "lstm")
