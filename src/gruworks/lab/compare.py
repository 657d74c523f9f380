"""Comparison of cells on one task at equal numbers of parameters, over several seeds; resumable."""

from __future__ import annotations

import json
import multiprocessing
import os
import statistics
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy

from gruworks.errors import OptionError
from gruworks.lab.costs import measure
from gruworks.lab.experiment import problem, run
from gruworks.lab.settings import Experiment, Study
from gruworks.nn.cells import CELLS, Engine, describe, hidden_size_for, implementation_of, make
from gruworks.nn.flops import cost
from gruworks.training.runs import write_atomically

__all__ = ["compare", "markdown", "run_all", "table"]


def compare(study: Study, cells: list[str], seeds: int, parameters: int, out: Path, jobs: int = 2) -> dict[str, Any]:
    """Train each cell with each seed, in out/CELL-SEED, and write out/compare.json and out/compare.md.

    Time and memory are measured for all cells by their equations in torch, and also for the fused layer where there is
    one.

    Args:
        study: task and fit, the same for all cells.
        cells: names of cells.
        seeds: number of seeds per cell, from that of the fit on.
        parameters: approximate number of parameters of cell and readout, which determines the hidden sizes.
        out: folder of the runs; finished ones are not repeated.
        jobs: number of processes, of one thread each.

    Returns:
        The contents of compare.json: under "cells" losses, learning curve and costs of each cell.

    Raises:
        OptionError: an unknown cell or task, or seeds or jobs below 1. DataError: a missing data set.
    """
    if not cells:
        raise OptionError(f"expected at least one cell, got none; available cells: {', '.join(CELLS)}")
    for name in cells:
        describe(name)
    if seeds < 1 or jobs < 1:
        raise OptionError(f"expected one seed and one process or more, got {seeds} and {jobs}")
    posed = problem(study)
    widths = {name: hidden_size_for(name, posed.inputs, parameters, posed.outputs) for name in cells}
    studies = [replace(study, training=replace(study.training, seed=study.training.seed + s)) for s in range(seeds)]
    planned = [
        (Experiment.of(one, name, widths[name]), out / f"{name}-{seed}")
        for name in cells
        for seed, one in enumerate(studies)
    ]
    found = dict(zip([str(folder) for _, folder in planned], run_all(planned, jobs), strict=True))
    result = {
        "task": study.task, "length": study.length, "seeds": seeds, "chance": posed.chance,
        "steps": study.training.steps, "batch_size": study.training.batch_size, "memory": study.memory,
        "cells": {
            name: _summary(name, widths[name], posed.inputs, [found[str(out / f"{name}-{s}")] for s in range(seeds)])
            for name in cells
        },
    }  # fmt: skip
    write_atomically(out / "compare.json", (json.dumps(result, indent=1) + "\n").encode())
    write_atomically(out / "compare.md", markdown(table(result)).encode())
    return result


def run_all(
    planned: Sequence[tuple[Any, Path]], jobs: int, run: Callable[[Any, Path], dict[str, Any]] = run
) -> list[dict[str, Any]]:
    """Run every experiment in its folder, in `jobs` processes at low priority; metrics in the order given."""
    if jobs == 1:
        return [run(settings, folder) for settings, folder in planned]
    # Spawned, not forked: torch's threads don't survive a fork.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(jobs, len(planned)), mp_context=context, initializer=os.nice, initargs=(5,)) as pool:
        begun = {pool.submit(run, settings, folder): place for place, (settings, folder) in enumerate(planned)}
        try:
            results = {begun[done]: done.result() for done in as_completed(begun)}
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return [results[place] for place in range(len(planned))]


def table(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows of the table of results: one for each cell, and one for each fused layer."""
    rows = []
    for name, cell in result["cells"].items():
        loss = {"loss": cell["mean"], "spread": cell["spread"], "best": cell["best"]}
        size = {"H": cell["hidden"], "parameters": cell["parameters"], "operations/step": cell["operations"]}
        for place, one in enumerate(cell["costs"]):
            again = dict.fromkeys(loss, "same") if place else loss
            rows.append(
                {"cell": name, **size, **again, "µs/step": one["microseconds"], "bytes/step": one["bytes"],
                 "engine": one["engine"]}
            )  # fmt: skip
    return rows


def markdown(rows: list[dict[str, Any]]) -> str:
    """Rows as a Markdown table; floats with four significant digits.

    >>> print(markdown([{"cell": "gru", "loss": 0.123456}]), end="")
    | cell | loss |
    |---|---|
    | gru | 0.1235 |
    """
    heads = list(rows[0])
    head, *lines = (
        f"| {' | '.join(parts)} |\n" for parts in (heads, *([_text(row[one]) for one in heads] for row in rows))
    )
    return "".join([head, "|---" * len(heads) + "|\n", *lines])


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _summary(name: str, hidden: int, inputs: int, runs: list[dict[str, Any]]) -> dict[str, Any]:
    losses = [one["test"] for one in runs]
    fused = CELLS[name.partition("+")[0]].fused is not None
    engines: tuple[Engine, ...] = ("equations", "fused") if fused else ("equations",)
    return {
        "what": describe(name),
        "hidden": hidden,
        "parameters": runs[0]["parameters"],
        "operations": cost(name, inputs, hidden).operations,
        "trained_by": implementation_of(make(name, inputs, hidden)),
        "test": losses,
        "mean": statistics.fmean(losses),
        "spread": statistics.pstdev(losses),
        "best": min(losses),
        "minutes": sum(one["minutes"] for one in runs),
        "curve": _mean_curve([one["curve"] for one in runs]),
        "costs": [measure(name, inputs, hidden, engine)._asdict() for engine in engines],
    }


def _mean_curve(curves: list[dict[str, list[float]]]) -> dict[str, list[float]]:
    """Mean, minimum and maximum over seeds of the validation loss, up to the last step of the shortest run."""
    lists = [curve["val_loss"] for curve in curves]
    steps = min((curve["step"] for curve in curves), key=len)
    losses = numpy.array([one[: len(steps)] for one in lists])
    return {
        "step": steps,
        "mean": losses.mean(0).tolist(),
        "low": losses.min(0).tolist(),
        "high": losses.max(0).tolist(),
    }
