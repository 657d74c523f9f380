"""`gruworks lab gradients`, `compare` and `papers`: trained comparisons, each in a folder to go on in."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable
from typing import Annotated, Any

import numpy
import typer

from gruworks.app.cli.common.flags import Debug, Json, Out, Quiet, takes
from gruworks.app.cli.common.show import Show
from gruworks.errors import require
from gruworks.lab.settings import Study
from gruworks.plots.curves import Curve, Panel
from gruworks.training.runs import new_run_path, write_atomically

__all__ = ["compare", "gradients", "papers"]

Cells = Annotated[str, typer.Option(help="Cells by name, with commas between.")]
JOBS = min(2, os.cpu_count() or 1)
Jobs = Annotated[int, typer.Option(min=1, max=64, help="Processes of one thread each.")]


def going_on(command: Callable[..., None]) -> Callable[..., None]:
    """After Ctrl-C, say how to go on; what is finished or has a checkpoint is kept."""

    @functools.wraps(command)
    def wrapped(*args: Any, **values: Any) -> None:
        values["out"] = values.get("out") or new_run_path(f"lab-{command.__name__}")
        try:
            command(*args, **values)
        except KeyboardInterrupt:
            text = f"stopped; the same command with --out {values['out']} goes on from the last checkpoints"
            Show(values.get("as_json", False), values.get("quiet", False)).complain(text)
            raise typer.Exit(130) from None

    return wrapped


@takes(Study, into="study")
@going_on
def gradients(
    cells: Cells = "rnn,lstm,gru",
    hidden: Annotated[int, typer.Option(min=1, help="Units H of every cell.")] = 64,
    rows: Annotated[int, typer.Option(min=1, help="Test sequences that are followed.")] = 4,
    jobs: Jobs = JOBS,
    *,
    study: Study,
    out: Out = None,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Reach of gradients at initialisation and after training, by exact Jacobians of the full state."""
    assert out is not None  # `going_on` names one
    require("lightning", extra="train")
    from gruworks.lab.gradient_study import reaches
    from gruworks.plots.curves import draw_curves

    show = Show(as_json, quiet)
    show.note(f"training {cells} on {study.task} in {out}")
    found = reaches(study, _names(cells), hidden, out, rows, jobs)
    write_atomically(out / "gradients.json", (json.dumps(found) + "\n").encode())
    picture = draw_curves(panels_of_reach(found), out / "gradients.png", f"Gradient reach, {study.task}")
    T = found["length"]
    show.table(
        [
            {"cell": cell, "when": when, "∂s_T/∂s_0, task": one["task"]["mean"][-1],
             "∂s_T/∂s_0, random": one["random"]["mean"][-1], "∂L/∂s_0 over its last": one["loss"][-1] / one["loss"][0]}
            for cell, both in found["reaches"].items() if cell != "held"
            for when, one in both.items() if when != "test"
        ],
        f"norms over T = {T} steps",
    )  # fmt: skip
    show.answer(f"picture: {picture}")
    show.result({**found, "picture": str(picture)})


@takes(Study, into="study")
@going_on
def compare(
    cells: Cells = "rnn,lstm,gru",
    seeds: Annotated[int, typer.Option(min=1, help="How often each cell is trained.")] = 3,
    parameters: Annotated[int, typer.Option(min=10, help="Of cell and readout together; sets each width.")] = 10_000,
    jobs: Jobs = JOBS,
    *,
    study: Study,
    out: Out = None,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Train cells at equal parameters on one task: curves with their spread, a table, costs of a step."""
    assert out is not None  # `going_on` names one
    require("lightning", extra="train")
    from gruworks.lab import compare as comparing
    from gruworks.plots.curves import draw_curves

    show = Show(as_json, quiet)
    show.note(f"training {cells}, {seeds} times each, in {out}")
    result = comparing.compare(study, _names(cells), seeds, parameters, out, jobs)
    title = f"{study.task}, T = {study.length}, about {parameters} parameters, {seeds} seeds"
    picture = draw_curves([panel_of_losses(result)], out / "compare.png", title)
    show.table(comparing.table(result), title)
    show.answer(f"picture: {picture}")
    show.result({**result, "picture": str(picture)})


@going_on
def papers(
    name: Annotated[str, typer.Argument(metavar="PAPER", help="chung2014, bai2018 or cho2014.")],
    quick: Annotated[bool, typer.Option("--quick/--full", help="Minutes, for the ordering; or all steps.")] = True,
    only: Annotated[str, typer.Option(help="Rows of the table, with commas between; all if none.")] = "",
    cells: Annotated[str, typer.Option(help="Cells by name, with commas between; all if none.")] = "",
    jobs: Jobs = JOBS,
    out: Out = None,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """A paper's table made anew: published and ours side by side."""
    assert out is not None  # `going_on` names one
    require("lightning", extra="train")
    from gruworks.lab.papers import reproduce

    show = Show(as_json, quiet)
    show.note(f"training in {out}")
    result = reproduce(name, out, quick, _names(only), _names(cells), jobs)
    hidden = ("measure", "steps", "ended by", "minutes")
    shown = [{k: "-" if v is None else v for k, v in row.items() if k not in hidden} for row in result["rows"]]
    show.table(shown, result["title"])
    for note in result["notes"]:
        show.note(f"- {note}")
    show.answer(f"table: {out / 'papers.md'}")
    show.result({**result, "out": str(out)})


def panels_of_reach(found: dict[str, Any]) -> list[Panel]:
    """∂s_T/∂s_t at initialisation and after training, ∂L/∂s_t after training, and the GRU with gates held."""
    by_cell = {cell: one for cell, one in found["reaches"].items() if cell != "held"}
    distance = numpy.arange(found["length"] + 1.0)
    axes: dict[str, Any] = {"x_axis": "T - t", "lowest": 1e-14}
    return [
        *(
            Panel(
                f"‖∂s_T/∂s_t‖ {said}",
                {cell: _reach(distance, one[when]["task"]) for cell, one in by_cell.items()},
                **axes,
            )
            for when, said in (("initial", "at initialisation"), ("trained", "after training"))
        ),
        Panel(
            "‖∂L/∂s_t‖ after training",
            {cell: Curve(distance, numpy.array(one["trained"]["loss"])) for cell, one in by_cell.items()}, **axes,
        ),
        Panel(
            "‖∂s_T/∂s_t‖, GRU, gates held",
            {said: _reach(distance, one) for said, one in found["reaches"]["held"].items()}, **axes,
        ),
    ]  # fmt: skip


def panel_of_losses(result: dict[str, Any]) -> Panel:
    """Validation loss by step, a curve a cell, the seeds' range around it, and what knowing nothing gives."""
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
