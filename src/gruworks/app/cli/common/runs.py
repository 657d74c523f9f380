"""Run folders on the command line: begin or resume a fit, load a run, write its evaluation."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gruworks.app import loading
from gruworks.app.cli.common.flags import agree
from gruworks.app.cli.common.show import Show
from gruworks.errors import OptionError, RunError
from gruworks.tasks import registry
from gruworks.training.runs import RunFolder, new_run_path, write_atomically

if TYPE_CHECKING:
    from gruworks.settings import Settings

__all__ = ["Resume", "begin", "interruptible", "load", "load_or_new", "report"]

Resume = Annotated[Path | None, typer.Option(help="Go on with the interrupted fit of this run folder.")]
Continue = Annotated[
    Path | None, typer.Option("--continue", help="Fit the model of this run further, on new data (fine-tuning).")
]


def begin(
    task: str, config: Any, resume: Path | None, out: Path | None, continued: Path | None = None
) -> tuple[Any, Path]:
    """A new estimator and the folder of its run; when resuming, with the settings of that run.

    With `continued`, the fitted estimator of that run, and the folder of a new one.
    """
    if continued is not None:
        if resume is not None:
            raise OptionError("--continue begins a new run, --resume goes on with an interrupted one: leave one out")
        found = load(task, continued)
        agree(replace(config, training=found.config.training), found.config, continued)
        return found, out or new_run_path(task)
    if resume is not None and out is not None:
        raise OptionError(f"--resume goes on in {resume}: leave out --out")
    if resume is not None:
        saved = type(config).from_dict(RunFolder.open(resume, task, resume=True).read_json("config.json"))
        agree(config, saved, resume)
        config = saved
    return registry.estimator(task)(config), resume or out or new_run_path(task)


@contextmanager
def interruptible(show: Show, task: str, run: Path, *arguments: object) -> Iterator[None]:
    """Turn Ctrl-C in the block into exit status 130 and the command that resumes: `fit` with the same arguments."""
    try:
        yield
    except KeyboardInterrupt:
        if (run / "checkpoints" / "last.ckpt").is_file():
            command = shlex.join(["gruworks", task, "fit", *map(str, arguments), "--resume", str(run)])
            show.complain(f"interrupted; {run} can be used as it is; go on with: {command}")
        else:
            show.complain(f"interrupted before the first checkpoint: there is nothing in {run} to go on from")
        raise typer.Exit(130) from None


def load(task: str, run: Path) -> Any:
    """The estimator of a run folder; warnings, such as that of an interrupted fit, go to standard error."""
    if run.is_file():
        raise RunError(f"{run} is a file, not a run folder; `gruworks {task} fit {run}` makes one")
    found, warnings = loading.load(task, run)
    for warning in warnings:
        Show().complain(warning)
    return found


def load_or_new(task: str, sources: list[Path], config: Settings) -> Any:
    """The estimator to evaluate: that of the run in `[RUN] DATA`, or without a run a new one of these settings."""
    data = registry.find(task).data
    if len(sources) > 2 or (len(sources) == 2 and not sources[0].is_dir()):
        expected = f"evaluate takes {data}, or a run folder and {data}"
        raise OptionError(f"{expected}: gruworks {task} evaluate [RUN] {data}")
    if len(sources) == 1:
        return registry.estimator(task)(config)
    found = load(task, sources[0])
    agree(config, found.config, sources[0])
    return found


def report(show: Show, evaluation: Any, out: Path | None) -> None:
    """Write an evaluation to `out` as evaluation.json, and print it with --json."""
    values = evaluation.to_dict()
    if out is not None:
        text = json.dumps(values, indent=2, ensure_ascii=False) + "\n"
        write_atomically(out / "evaluation.json", text.encode())
    show.result(values)
