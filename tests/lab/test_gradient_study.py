"""The study of gradients on a task: every curve from T - t = 0 on, from the weights that were trained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gruworks.errors import DataError, OptionError
from gruworks.lab.experiment import problem
from gruworks.lab.gradient_study import _followed, reaches
from gruworks.lab.settings import FIT, Study

STUDY = Study(length=8, test_rows=20, training=replace(FIT, steps=20, validate_every=10, learning_rate=5e-2, warm_up=1))


def test_every_curve_is_there(tmp_path: Path) -> None:
    found = reaches(STUDY, ["rnn", "lstm", "gru"], 4, tmp_path, rows=2)
    assert found["length"] == 8
    for name in ("rnn", "lstm", "gru"):
        one = found["reaches"][name]
        for when in ("initial", "trained"):
            for inputs in ("task", "random"):
                assert len(one[when][inputs]["mean"]) == 9
                assert one[when][inputs]["mean"][0] == pytest.approx(1)
            assert len(one[when]["loss"]) == 9
        assert one["initial"]["task"] != one["trained"]["task"]
        assert one["initial"]["task"] != one["initial"]["random"]
    held = found["reaches"]["held"]
    plain, kept = (curve["mean"][-1] for curve in held.values())
    assert plain < 0.05 < 0.5 < kept


def test_the_answers_are_those_of_the_rows_that_are_followed() -> None:
    study = replace(STUDY, task="dyck2")
    posed = problem(study)
    batch = _followed(study, posed, rows=3)
    whole = posed.test[0]
    assert batch.x.shape == (8, 3, 4)
    assert batch.y.tolist() == whole.y.view(8, 20)[:, -3:].reshape(-1).tolist()


def test_unknown_cells_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"expected cells among rnn, .*, got gur"):
        reaches(STUDY, ["gur"], 4, tmp_path)
    posed = problem(STUDY)
    with pytest.raises(DataError, match="no test sequence of 9 steps"):
        _followed(replace(STUDY, length=9), posed, rows=1)
