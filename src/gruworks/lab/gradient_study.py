"""Gradient norms over time of several cells on one task: before and after training, and with constant gates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gruworks.errors import DataError, OptionError
from gruworks.lab.compare import run_all
from gruworks.lab.experiment import Reader, problem, reader, restore
from gruworks.lab.gradients import Reach, as_equations, clamp, loss_reach, reach
from gruworks.lab.problems.batches import Batch, Problem
from gruworks.lab.settings import Experiment, Study
from gruworks.nn.cells import CELLS, StepwiseCell

__all__ = ["HELD", "reaches"]

# With both gates at 1 the GRU is a plain RNN; with a small update gate it keeps its state.
HELD = {"update gate held at 1 (a plain unit)": {"update": 1.0, "reset": 1.0}, "held at 0.01": {"update": 0.01}}


def reaches(study: Study, cells: list[str], hidden: int, out: Path, rows: int = 4, jobs: int = 1) -> dict[str, Any]:
    """Train every cell in out/CELL, and compute its gradient norms over T = `study.length` steps.

    Args:
        study: task and fit, the same for all cells.
        cells: names of cells.
        hidden: H of every cell.
        out: folder of the runs.
        rows: number of test sequences.
        jobs: number of processes that train.

    Returns:
        "chance", "length", and under "reaches" for each cell its "test" loss and the norms by T - t, "initial" and
        "trained": "task" and "random" are ‖∂s_T/∂s_t‖₂ on test sequences and on noise, as `Reach`; "loss" is
        ‖∂L/∂s_t‖₂. "held" has those of an untrained GRU with constant gates.

    Raises:
        OptionError: an unknown cell or task. DataError: a missing data set, or test sequences shorter than T.
    """
    unknown = [name for name in cells if name not in CELLS]
    if unknown or not cells:
        raise OptionError(f"expected cells among {', '.join(CELLS)}, got {', '.join(unknown) or 'none'}")
    posed = problem(study)
    batch = _followed(study, posed, rows)
    own = {name: Experiment.of(study, name, hidden) for name in cells}
    results = run_all([(own[name], out / name) for name in cells], jobs)
    found: dict[str, Any] = {}
    for name, metrics in zip(cells, results, strict=True):
        found[name] = {
            "initial": _norms(name, reader(own[name], posed), posed, batch),
            "trained": _norms(name, restore(out / name, posed)[1], posed, batch),
            "test": metrics["test"],
        }
    gru = as_equations("gru", reader(Experiment.of(study, "gru", hidden), posed).cell)
    found["held"] = {label: _plain(reach(clamp(gru, gates), batch.x)) for label, gates in HELD.items()}
    return {"chance": posed.chance, "length": len(batch.x), "reaches": found}


def _followed(settings: Study, posed: Problem, rows: int) -> Batch:
    """`rows` test sequences in float64, cut to T steps."""
    T = settings.length if posed.generated else min(settings.length, max(len(batch.x) for batch in posed.test))
    for batch in posed.test:
        if len(batch.x) >= T:
            x = batch.x[:, -rows:].double() if posed.generated else batch.x[:T, -rows:].double()
            asked = batch.asked[: len(x), -rows:]
            return Batch(x, asked, _targets(batch, len(x), rows))
    raise DataError(f"{settings.task} has no test sequence of {T} steps: take a smaller length")


def _targets(batch: Batch, steps: int, rows: int) -> Tensor:
    """Targets of the last `rows` rows up to `steps`; y is ordered by step, then by row."""
    kept = torch.zeros_like(batch.asked)
    kept[:steps, -rows:] = True
    return batch.y[kept[batch.asked]]


def _norms(name: str, model: Reader, posed: Problem, batch: Batch) -> dict[str, Any]:
    cell: StepwiseCell = as_equations(name, model.cell)
    readout = model.readout.double()
    noise = torch.randn(batch.x.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    y = batch.y.double() if batch.y.is_floating_point() else batch.y

    def loss(output: Tensor) -> Tensor:
        return posed.loss(readout(output[batch.asked]), y)

    return {
        "task": _plain(reach(cell, batch.x)),
        "random": _plain(reach(cell, noise)),
        "loss": loss_reach(cell, batch.x, loss).tolist(),
    }


def _plain(curve: Reach) -> dict[str, list[float]]:
    return {name: values.tolist() for name, values in curve._asdict().items()}
