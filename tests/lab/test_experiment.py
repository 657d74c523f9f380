"""An experiment learns, is kept, is gone on with, and refuses other settings in its folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from gruworks.errors import OptionError, RunError
from gruworks.lab.experiment import outcome, problem, reader, restore, run
from gruworks.lab.problems.synthetic import adding
from gruworks.lab.settings import FIT, Experiment

SMALL = Experiment(
    length=6, hidden=8, test_rows=200, training=replace(FIT, steps=60, validate_every=20, learning_rate=2e-2, warm_up=2)
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("lab") / "run"
    return folder, run(SMALL, folder)


def test_the_test_loss_is_that_of_the_weights_that_are_kept(finished: tuple[Path, dict[str, Any]]) -> None:
    folder, metrics = finished
    settings, model = restore(folder)
    assert settings == SMALL
    posed = problem(settings)
    assert outcome(model, posed, posed.test) == metrics["test"]
    by_hand = [float((model(batch)[:, 0] - batch.y).square().mean().detach()) for batch in posed.test]
    assert metrics["test"] == pytest.approx(sum(by_hand) / 2, rel=1e-6)
    fresh = reader(settings, posed)
    assert metrics["test"] < 0.9 * outcome(fresh, posed, posed.test)
    assert metrics["curve"]["step"] == [20, 40, 60]
    assert metrics["parameters"] == sum(p.numel() for p in model.parameters())


def test_a_finished_folder_is_read_and_not_trained_again(finished: tuple[Path, dict[str, Any]]) -> None:
    folder, metrics = finished
    before = (folder / "weights.safetensors").stat().st_mtime_ns
    assert run(SMALL, folder) == metrics
    assert (folder / "weights.safetensors").stat().st_mtime_ns == before
    with pytest.raises(RunError, match="other settings"):
        run(replace(SMALL, hidden=9), folder)


def test_an_interrupted_experiment_goes_on_to_the_same_end(
    finished: tuple[Path, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gruworks.lab.problems import synthetic

    made, count = adding, 0

    def stops(rows: int, length: int, seed: int) -> Any:
        nonlocal count
        count += 1
        if count == 60:  # validation and test take four, so it is in training
            raise RuntimeError("power cut")
        return made(rows, length, seed)

    task = synthetic.SYNTHETIC["adding"]
    monkeypatch.setitem(synthetic.SYNTHETIC, "adding", task._replace(make=stops))
    with pytest.raises(RuntimeError, match="power cut"):
        run(SMALL, tmp_path / "run")
    monkeypatch.setitem(synthetic.SYNTHETIC, "adding", task)
    resumed = run(SMALL, tmp_path / "run")
    assert resumed["test"] == finished[1]["test"]
    assert resumed["curve"] == finished[1]["curve"]


def test_no_sequence_is_in_two_parts() -> None:
    posed = problem(SMALL)
    rows = [x for batch in (posed.draw(0, 0), posed.draw(1, 5), *posed.valid, *posed.test) for x in batch.x.unbind(1)]
    assert len({tuple(row.flatten().tolist()) for row in rows}) == len(rows) == 2 * 32 + 100 + 200


def test_training_sequences_grow() -> None:
    posed = problem(replace(SMALL, length=100, first_length=10, training=replace(SMALL.training, steps=100)))
    lengths = [len(posed.draw(number // 20, number % 20).x) for number in (0, 35, 70, 99)]
    assert lengths == [10, 32, 100, 100]
    assert {len(batch.x) for batch in posed.valid} == {100}


def test_a_long_memory_is_set_and_the_seed_decides() -> None:
    posed = problem(SMALL)
    plain, same, long = (reader(one, posed).cell for one in (SMALL, SMALL, replace(SMALL, memory=1000)))
    assert torch.equal(plain.weight_hh_l0, same.weight_hh_l0)
    assert long.bias_ih_l0[8:16].mean() > 3


def test_unknown_tasks_are_refused() -> None:
    with pytest.raises(OptionError, match="there is no task 'subtracting'; there are: adding"):
        problem(replace(SMALL, task="subtracting"))


def test_what_regularises_reaches_the_fused_gru_and_is_refused_elsewhere() -> None:
    settings = replace(SMALL, zoneout=0.3, recurrent_dropout=0.2, weight_dropout=0.1)
    cell: Any = reader(settings, problem(settings)).cell
    assert (cell.regularization.zoneout, cell.regularization.recurrent_dropout, cell.regularization.weight_dropout) == (
        0.3,
        0.2,
        0.1,
    )
    for changed in ({"cell": "lstm"}, {"engine": "equations"}):
        with pytest.raises(OptionError, match="zoneout, recurrent_dropout, weight_dropout need the fused GRU"):
            reader(replace(settings, **changed), problem(settings))
