"""The `fit` command of every task: flags from its settings, run folder, resuming, Ctrl-C."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from gruworks.app.cli.common.flags import Debug, Json, Out, Quiet, takes
from gruworks.app.cli.common.runs import Resume, begin, interruptible
from gruworks.app.cli.common.show import Show
from gruworks.errors import OptionError

if TYPE_CHECKING:
    from gruworks.settings import Settings

__all__ = ["fit_command", "one_or_two"]

Report = Callable[[Show, Any, Path], dict[str, Any]]


def fit_command(
    app: typer.Typer, task: str, settings: type[Settings], data: Any, **validation: Any
) -> Callable[[Report], Report]:
    """Make a task's `fit` command of a function that shows a fitted estimator and gives the JSON result.

    Args:
        data: the annotated type of the argument; a list may hold two line-aligned files.
        **validation: that of the option for data to validate on, where the task has one, by the option's name.
    """

    def decorate(report: Report) -> Report:
        def fit(
            data: Any,
            *,
            config: Any,
            resume: Resume = None,
            out: Out = None,
            as_json: Json = False,
            quiet: Quiet = False,
            debug: Debug = False,
            **other: Any,
        ) -> None:
            show = Show(as_json, quiet)
            estimator, path = begin(task, config, resume, out)
            files = next(iter(other.values()), None)
            held = {"validation": one_or_two(files)} if files else {}
            flags = [part for name in other for file in _listed(files) for part in (_flag(name), file)]
            with interruptible(show, task, path, *_listed(data), *flags):
                estimator.fit(one_or_two(data), **held, out=path, resume=resume is not None, quiet=not show.talks)
            show.result({"run": str(path), **report(show, estimator, path)})

        first, settled, *rest, _ = inspect.signature(fit, eval_str=True).parameters.values()
        options = [settled.replace(name=name, annotation=hint, default=None) for name, hint in validation.items()]
        parameters = [first.replace(annotation=data), settled, *options, *rest]
        fit.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        fit.__doc__ = report.__doc__
        app.command("fit")(takes(settings)(fit))
        return report

    return decorate


def one_or_two(paths: Path | list[Path]) -> Any:
    """A path, or a pair of line-aligned files."""
    if isinstance(paths, Path) or len(paths) == 1:
        return _listed(paths)[0]
    if len(paths) > 2:
        raise OptionError(f"expected a .tsv, a .jsonl, a folder or two line-aligned files, got {len(paths)} paths")
    return tuple(paths)


def _listed(paths: Path | list[Path] | None) -> list[Path]:
    return [paths] if isinstance(paths, Path) else paths or []


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
