"""Gradient reach of several cells on one task: at initialisation, after training, on random input, with gates held."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gruworks.errors import DataError, OptionError
from gruworks.lab.compare import run_all
from gruworks.lab.experiment import Problem, Reader, problem, reader
from gruworks.lab.gradients import Reach, as_equations, clamp, loss_reach, reach
from gruworks.lab.problems.synthetic import Batch
from gruworks.lab.settings import Experiment, Study
from gruworks.nn.cells import CELLS, StepwiseCell
from gruworks.training.runs import RunFolder

__all__ = ["HELD", "reaches"]

# What shows why the gates are there: an update gate held shut enough keeps, one held open is the plain unit.
HELD = {"update gate held at 1 (a plain unit)": {"update": 1.0, "reset": 1.0}, "held at 0.01": {"update": 0.01}}


def reaches(study: Study, cells: list[str], hidden: int, out: Path, rows: int = 4, jobs: int = 1) -> dict[str, Any]:
    """Train every cell as `study` says, in out/CELL, and follow the gradients over T = `study.length` steps.

    Gives cell → "initial" and "trained" → "task", "random" (‖∂s_T/∂s_t‖₂, as `Reach`) and "loss" (‖∂L/∂s_t‖₂), each by
    T - t; and under "held" the same of the GRU's state with gates held, untrained.

    Args:
        hidden: H of every cell. rows: sequences of the test part that are followed. jobs: processes that train.
    """
    unknown = [name for name in cells if name not in CELLS]
    if unknown or not cells:
        raise OptionError(f"there is no cell {', '.join(unknown) or 'given'}; there are: {', '.join(CELLS)}")
    posed = problem(study)
    batch = _followed(study, posed, rows)
    own = {name: Experiment.of(study, name, hidden) for name in cells}
    results = run_all([(own[name], out / name) for name in cells], jobs)
    found: dict[str, Any] = {}
    for name, metrics in zip(cells, results, strict=True):
        fresh, trained = reader(own[name], posed), reader(own[name], posed)
        trained.load_state_dict(_weights(out / name))
        found[name] = {
            "initial": _follow(name, fresh, posed, batch),
            "trained": _follow(name, trained, posed, batch),
            "test": metrics["test"],
        }
    gru = as_equations("gru", reader(Experiment.of(study, "gru", hidden), posed).cell)
    found["held"] = {said: _plain(reach(clamp(gru, gates), batch.x)) for said, gates in HELD.items()}
    return {"chance": posed.chance, "length": len(batch.x), "reaches": found}


def _weights(folder: Path) -> dict[str, Tensor]:
    held = RunFolder.open(folder).read_arrays("weights.safetensors")
    return {name: torch.from_numpy(value) for name, value in held.items()}


def _followed(settings: Study, posed: Problem, rows: int) -> Batch:
    """`rows` test sequences, in float64, cut to T steps."""
    T = settings.length if posed.drawn else min(settings.length, max(len(batch.x) for batch in posed.test))
    for batch in posed.test:
        if len(batch.x) >= T:
            x = batch.x[:, -rows:].double() if posed.drawn else batch.x[:T, -rows:].double()
            asked = batch.asked[: len(x), -rows:]
            return Batch(x, asked, _answers(batch, len(x), rows))
    raise DataError(f"{settings.task} has no test sequence of {T} steps: take a smaller length")


def _answers(batch: Batch, steps: int, rows: int) -> Tensor:
    """The right answers of the last `rows` rows up to `steps`: y lies step by step, row by row."""
    kept = torch.zeros_like(batch.asked)
    kept[:steps, -rows:] = True
    return batch.y[kept[batch.asked]]


def _follow(name: str, model: Reader, posed: Problem, batch: Batch) -> dict[str, Any]:
    cell: StepwiseCell = as_equations(name, model.cell)
    readout = model.readout.double()
    noise = torch.randn(batch.x.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    y = batch.y.double() if batch.y.is_floating_point() else batch.y

    def loss(output: Tensor) -> Tensor:
        return posed.lose(readout(output[batch.asked]), y)

    return {
        "task": _plain(reach(cell, batch.x)),
        "random": _plain(reach(cell, noise)),
        "loss": loss_reach(cell, batch.x, loss).tolist(),
    }


def _plain(curve: Reach) -> dict[str, list[float]]:
    return {name: values.tolist() for name, values in curve._asdict().items()}
