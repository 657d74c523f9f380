"""`gruworks lab gradients`, `compare` and `papers`: experiments with training, resumable in their folder."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable
from typing import Annotated, Any

import numpy
import typer

from gruworks.app.cli.common.flags import Out
from gruworks.app.cli.common.show import Show
from gruworks.errors import require
from gruworks.lab.settings import Study
from gruworks.plots.curves import Curve, Panel
from gruworks.training.runs import new_run_path, write_atomically

__all__ = ["compare", "gradients", "papers"]

Cells = Annotated[str, typer.Option(help="Names of the cells, separated by commas.")]
JOBS = min(2, os.cpu_count() or 1)
Jobs = Annotated[int, typer.Option(min=1, max=64, help="Parallel processes, of one thread each.")]


def resumable(experiment: Callable[..., None]) -> Callable[..., None]:
    """Give an experiment its output folder; after Ctrl-C print how to resume it, as finished fits are kept."""

    @functools.wraps(experiment)
    def wrapped(show: Show, **values: Any) -> None:
        require("lightning", extra="train")
        values["out"] = values["out"] or new_run_path(f"lab-{experiment.__name__}")
        show.note(f"writing to {values['out']}")
        try:
            experiment(show, **values)
        except KeyboardInterrupt:
            show.complain(f"stopped; the same command with --out {values['out']} goes on from the last checkpoints")
            raise typer.Exit(130) from None

    return wrapped


@resumable
def gradients(
    show: Show,
    *,
    cells: Cells = "rnn,lstm,gru",
    hidden: Annotated[int, typer.Option(min=1, help="Hidden size of every cell.")] = 64,
    rows: Annotated[int, typer.Option(min=1, help="Test sequences over which the Jacobians are taken.")] = 4,
    jobs: Jobs = JOBS,
    study: Study,
    out: Out = None,  # `resumable` gives one
) -> None:
    """Norms of gradients over time at initialisation and after training, by exact Jacobians of the full state."""
    from gruworks.lab.gradient_study import reaches
    from gruworks.plots.curves import draw_curves

    assert out is not None
    found = reaches(study, _names(cells), hidden, out, rows, jobs)
    write_atomically(out / "gradients.json", (json.dumps(found) + "\n").encode())
    picture = draw_curves(panels_of_reach(found), out / "gradients.png", f"Gradient norms, {study.task}")
    show.table(
        [
            {"cell": cell, "when": when, "∂s_T/∂s_0, task": one["task"]["mean"][-1],
             "∂s_T/∂s_0, random": one["random"]["mean"][-1], "∂L/∂s_0 over its last": one["loss"][-1] / one["loss"][0]}
            for cell, both in found["reaches"].items() if cell != "held"
            for when, one in both.items() if when != "test"
        ],
        f"norms over T = {found['length']} steps",
    )  # fmt: skip
    show.answer(f"picture: {picture}")
    show.result({**found, "picture": str(picture)})


@resumable
def compare(
    show: Show,
    *,
    cells: Cells = "rnn,lstm,gru",
    seeds: Annotated[int, typer.Option(min=1, help="Fits of each cell, with different seeds.")] = 3,
    parameters: Annotated[int, typer.Option(min=10, help="Parameters of cell and output layer together.")] = 10_000,
    jobs: Jobs = JOBS,
    study: Study,
    out: Out = None,
) -> None:
    """Train cells of equal parameter count on one task: curves with their spread, a table, costs of a step."""
    from gruworks.lab import compare as comparing
    from gruworks.plots.curves import draw_curves

    assert out is not None
    result = comparing.compare(study, _names(cells), seeds, parameters, out, jobs)
    title = f"{study.task}, T = {study.length}, about {parameters} parameters, {seeds} seeds"
    picture = draw_curves([panel_of_losses(result)], out / "compare.png", title)
    show.table(comparing.table(result), title)
    show.answer(f"picture: {picture}")
    show.result({**result, "picture": str(picture)})


@resumable
def papers(
    show: Show,
    name: Annotated[
        str, typer.Argument(metavar="PAPER", help="boulanger2012, chung2014, bai2018, cho2014 or tracking.")
    ],
    *,
    quick: Annotated[
        bool, typer.Option("--quick/--full", help="Minutes, enough for the ranking of the cells; or all steps.")
    ] = True,
    only: Annotated[str, typer.Option(help="Rows of the table, separated by commas; all if not given.")] = "",
    cells: Annotated[str, typer.Option(help="Names of the cells, separated by commas; all if not given.")] = "",
    jobs: Jobs = JOBS,
    out: Out = None,
) -> None:
    """Reproduce a paper's table, published figures and ours side by side; or the table of state tracking."""
    from gruworks.lab.papers import reproduce

    assert out is not None
    result = reproduce(name, out, quick, _names(only), _names(cells), jobs)
    hidden = ("measure", "steps", "ended by", "minutes")
    shown = [{k: "-" if v is None else v for k, v in row.items() if k not in hidden} for row in result["rows"]]
    show.table(shown, result["title"])
    for note in result["notes"]:
        show.note(f"- {note}")
    show.answer(f"table: {out / 'papers.md'}")
    show.result({**result, "out": str(out)})


def panels_of_reach(found: dict[str, Any]) -> list[Panel]:
    """∂s_T/∂s_t at initialisation and after training, ∂L/∂s_t after training, and the GRU with constant gates."""
    by_cell = {cell: one for cell, one in found["reaches"].items() if cell != "held"}
    distance = numpy.arange(found["length"] + 1.0)
    curves = {
        f"‖∂s_T/∂s_t‖ {when}": {cell: _reach(distance, one[key]["task"]) for cell, one in by_cell.items()}
        for key, when in (("initial", "at initialisation"), ("trained", "after training"))
    }
    losses = {cell: Curve(distance, numpy.array(one["trained"]["loss"])) for cell, one in by_cell.items()}
    held = {gates: _reach(distance, one) for gates, one in found["reaches"]["held"].items()}
    curves |= {"‖∂L/∂s_t‖ after training": losses, "‖∂s_T/∂s_t‖, GRU, constant gates": held}
    return [Panel(title, lines, x_axis="T - t", lowest=1e-14) for title, lines in curves.items()]


def panel_of_losses(result: dict[str, Any]) -> Panel:
    """Validation loss by step, a curve for each cell with the range over seeds, and the loss of chance."""
    curves = {
        f"{name}, H = {cell['hidden']}": Curve(
            *(numpy.array(cell["curve"][k], float) for k in ("step", "mean", "low", "high"))
        )
        for name, cell in result["cells"].items()
    }
    return Panel("", curves, "optimiser step", "validation loss", levels={"chance": result["chance"]})


def _reach(distance: Any, one: dict[str, list[float]]) -> Curve:
    return Curve(distance, *(numpy.array(one[name]) for name in ("mean", "low", "high")))


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
