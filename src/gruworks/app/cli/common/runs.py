"""Run folders on the command line: begin or resume one, say what Ctrl-C leaves, load one."""

from __future__ import annotations

import shlex
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gruworks.app.cli.common.flags import agree
from gruworks.app.cli.common.show import Show
from gruworks.errors import OptionError, RunError
from gruworks.tasks import registry
from gruworks.training.runs import RunFolder, new_run_path

if TYPE_CHECKING:
    from gruworks.settings import Settings

__all__ = ["Resume", "begin", "interruptible", "load"]

Resume = Annotated[Path | None, typer.Option(help="Go on with the interrupted run in this folder.")]


def begin(task: str, config: Settings, resume: Path | None, out: Path | None) -> tuple[Any, Path]:
    """A new estimator, when resuming with the settings of that run, and the folder that it writes."""
    if resume is not None and out is not None:
        raise OptionError(f"--resume goes on in {resume}: drop --out")
    if resume is not None:
        saved = type(config).from_dict(RunFolder.open(resume, task).read_json("config.json"))
        agree(config, saved, resume)
        config = saved
    return registry.estimator(task)(config), resume or out or new_run_path(task)


@contextmanager
def interruptible(show: Show, task: str, run: Path, *arguments: object) -> Iterator[None]:
    """Turn Ctrl-C in the block into exit status 130 and the command that goes on: `fit` with the same arguments."""
    try:
        yield
    except KeyboardInterrupt:
        if (run / "checkpoints" / "last.ckpt").is_file():
            command = shlex.join(["gruworks", task, "fit", *map(str, arguments), "--resume", str(run)])
            show.complain(f"interrupted; go on with: {command}")
        else:
            show.complain(f"interrupted before the first checkpoint: there is nothing in {run} to go on from")
        raise typer.Exit(130) from None


def load(task: str, run: Path) -> Any:
    """The estimator of a run folder; what it warns of, such as a fit that was interrupted, on standard error."""
    if run.is_file():
        raise RunError(f"{run} is a file, not a run folder; `gruworks {task} fit {run}` makes one")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", UserWarning)
        found = registry.estimator(task).load(run)
    for one in told:
        Show().complain(str(one.message))
    return found
