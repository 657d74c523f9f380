"""A trial learns parity, keeps what it measured, and tests labels after so many steps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from gruworks.errors import RunError
from gruworks.lab.experiment import Reader
from gruworks.lab.problems.automata import AUTOMATA
from gruworks.lab.problems.batches import Batch
from gruworks.lab.settings import FIT
from gruworks.lab.tracking import trial as trials
from gruworks.lab.tracking.models import tracker
from gruworks.lab.tracking.trial import Level, Trial, accuracies, run, training_length

FITTED = replace(FIT, steps=200, validate_every=100, learning_rate=1e-2, batch_size=16, warm_up=10, averaged_steps=10)
TINY = Trial(parameters=600, length=12, first_length=2, test_length=50, test_rows=60, training=FITTED)


def test_a_trial_learns_and_is_kept(tmp_path: Path) -> None:
    metrics = run(TINY, tmp_path / "run")
    assert list(metrics["accuracy"]) == ["40", "50"]
    assert metrics["accuracy"]["40"] > 0.7
    assert metrics["best_step"] in (100, 200)
    assert metrics["steps"] == 200
    assert run(TINY, tmp_path / "run") == metrics
    with pytest.raises(RunError, match="other settings"):
        run(replace(TINY, parameters=700), tmp_path / "run")


class Exact(torch.nn.Module):
    """A state that counts ones: parity by hand, wrong from the step `fails` on."""

    hidden_size = 2

    def __init__(self, fails: int) -> None:
        super().__init__()
        self.fails = fails

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, None]:
        odd = x[..., 1].cumsum(0) % 2
        odd[self.fails :] = 1 - odd[self.fails :]
        return torch.stack([1 - odd, odd], -1), None


def test_accuracy_is_of_the_label_after_so_many_steps() -> None:
    model = Reader(Exact(fails=80), 2)
    model.readout.weight.data.copy_(torch.eye(2))
    model.readout.bias.data.zero_()
    assert accuracies(model, AUTOMATA["parity"], 81, 70, 0) == {"40": 1.0, "80": 1.0, "81": 0.0}
    untrained = tracker("gru", 2, 2, 300)
    assert 0.3 < accuracies(untrained, AUTOMATA["parity"], 5, 200, 0)["5"] < 0.7


def test_training_words_grow_to_their_full_length() -> None:
    lengths = [training_length(TINY, step) for step in range(200)]
    assert lengths == sorted(lengths)
    assert set(lengths[:80]) == {2}
    assert set(lengths[120:]) == {12}


def level_after(level: Level, right: int, words: int = 20) -> list[int]:
    """The level after so many right last labels of words of three symbols."""
    outputs = torch.eye(120)[torch.arange(3 * words) % 120]
    y = outputs.argmax(-1)
    y[-words:][right:] += 1
    level.count(Batch(torch.zeros(3, words, 120), torch.ones(3, words, dtype=torch.bool), y), outputs)
    level.grow()
    return [int(one) for one in level.now]


def test_symbols_and_then_length_grow_where_last_labels_are_right() -> None:
    level = Level(replace(TINY, first_symbols=100), AUTOMATA["s5"])
    level.grow()
    assert level.now.tolist() == [100, 2]  # nothing was counted
    assert level_after(level, 14) == [100, 2]
    assert level_after(level, 15) == [120, 2]
    assert level_after(level, 15) == [120, 2]
    assert [level_after(level, 16)[1] for _ in range(11)] == [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 12]
    kept = Level(replace(TINY, first_symbols=5), AUTOMATA["s5"])
    kept.load_state_dict(level.state_dict())
    assert kept.now.tolist() == [120, 12]


def test_an_interrupted_trial_goes_on_at_its_level_to_the_same_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = replace(TINY, first_symbols=1, training=replace(FITTED, steps=80, validate_every=20))
    whole = run(trial, tmp_path / "whole")
    made = trials.track
    count = 0

    def stops(*operands: Any, **settings: Any) -> Batch:
        nonlocal count
        count += 1
        if count == 55:  # in the third epoch, after two growths
            raise RuntimeError("power cut")
        return made(*operands, **settings)

    monkeypatch.setattr(trials, "track", stops)
    with pytest.raises(RuntimeError, match="power cut"):
        run(trial, tmp_path / "part")
    monkeypatch.setattr(trials, "track", made)
    resumed = run(trial, tmp_path / "part")
    assert resumed["accuracy"] == whole["accuracy"]
    assert resumed["validation"] == whole["validation"]
    weights = [load_file(tmp_path / name / "weights.safetensors") for name in ("whole", "part")]
    assert weights[0]["level.now"][0] == 2  # the second symbol came after the first epoch
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
