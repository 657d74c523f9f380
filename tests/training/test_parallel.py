"""Fitting in two processes: the mean of both gradients, batches shared out, random numbers of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from gruworks.errors import OptionError
from gruworks.training import parallel
from gruworks.training.fit import Fitted, fit
from gruworks.training.runs import RunFolder
from gruworks.training.settings import FitSettings
from tests import tolerances
from tests.training.test_fit import draw

SHORT: dict[str, Any] = {"steps": 12, "validate_every": 4, "warm_up": 2, "learning_rate": 0.1, "threads": 1}


def loss(model: torch.nn.Module, batch: Tensor) -> Tensor:
    return ((model(batch[:, None]) - 3 * batch[:, None]) ** 2).mean()


def run(path: Path, batches: Any, resume: bool = False, **settings: Any) -> tuple[torch.nn.Linear, Fitted]:
    torch.manual_seed(0)
    model = torch.nn.Linear(1, 1)
    folder = RunFolder.open(path) if resume else RunFolder.create(path, "forecast")
    given = FitSettings.from_flat(SHORT | settings)
    return model, fit(model, loss, batches, [draw(99, 0)], given, folder, "a line", quiet=True, resume=resume)


def pairs(epoch: int, index: int) -> Tensor:
    """The draws of two processes at one step, as one batch: the mean of their gradients is its gradient."""
    length = SHORT["validate_every"]
    step = epoch * length + index
    return torch.cat([draw(*divmod(2 * step + rank, length)) for rank in (0, 1)])


def test_two_processes_take_the_steps_of_one_with_both_batches(tmp_path: Path) -> None:
    two, facts = run(tmp_path / "two", draw, devices=2)
    one, whole = run(tmp_path / "one", pairs)
    torch.testing.assert_close(two.weight, one.weight, atol=tolerances.FLOAT32_DEEP, rtol=0)
    assert (facts.steps, facts.best_step, facts.ended_by) == (whole.steps, whole.best_step, whole.ended_by)
    assert facts.best_loss == pytest.approx(whole.best_loss, abs=tolerances.FLOAT32_DEEP)
    curves = [json.loads((tmp_path / name / "curve.json").read_text())["step"] for name in ("one", "two")]
    assert curves[0] == curves[1] == [4, 8, 12]


def test_two_processes_go_on_where_they_stopped(tmp_path: Path) -> None:
    same = {"devices": 2, "schedule": "constant"}  # which doesn't know of the steps to come
    whole, _ = run(tmp_path / "whole", draw, **same)
    run(tmp_path / "part", draw, **same, steps=8)
    resumed, facts = run(tmp_path / "part", draw, resume=True, **same)
    assert facts.steps == 12
    torch.testing.assert_close(resumed.weight, whole.weight, atol=tolerances.FLOAT32_DEEP, rtol=0)


SCRIPT = """
import os
import sys
from pathlib import Path
from tests.training.test_parallel import draw, run
model, facts = run(Path(sys.argv[1]) / os.environ["RANK"], draw)
print("answers", float(model.weight), facts.steps)
"""


def test_under_torchrun_the_processes_share_the_fit_and_the_first_answers(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    started = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    found = subprocess.run(
        [*started, str(tmp_path / "script.py"), str(tmp_path)], capture_output=True, text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    ((_, weight, steps),) = [line.split() for line in found.stdout.splitlines() if line.startswith("answers")]
    one, whole = run(tmp_path / "one", pairs)
    assert int(steps) == whole.steps
    assert float(weight) == pytest.approx(float(one.weight.detach()), abs=tolerances.FLOAT32_DEEP)


def test_under_torchrun_a_process_fits_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "launched", lambda: (2, 1))
    parallel.check(FitSettings(), carries=False)
    monkeypatch.setattr(parallel, "_fitted", ["once"])
    with pytest.raises(OptionError, match="fit only once"):
        parallel.check(FitSettings(), carries=False)


def test_a_carried_state_needs_one_process(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", "forecast")
    settings = FitSettings.from_flat(SHORT | {"devices": 2})
    with pytest.raises(OptionError, match=r"carried state needs devices=1"):
        fit(torch.nn.Linear(1, 1), loss, draw, [draw(99, 0)], settings, folder, "", quiet=True, carries=True)


def test_random_numbers_differ_by_process_and_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    def drawn(rank: int, epoch: int) -> float:
        monkeypatch.setattr(parallel, "place", lambda: (rank, 2))
        parallel.reseed(0, epoch)
        return float(torch.rand(1))

    with torch.random.fork_rng():
        found = {(rank, epoch): drawn(rank, epoch) for rank in (0, 1) for epoch in (0, 1)}
        assert len(set(found.values())) == 4
        assert drawn(1, 1) == found[1, 1]


def test_alone_a_process_keeps_its_random_numbers() -> None:
    before = torch.get_rng_state()
    parallel.reseed(3, 1)
    assert torch.equal(torch.get_rng_state(), before)
