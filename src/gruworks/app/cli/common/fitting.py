"""The `fit` command of every task: flags from its settings, run folder, resuming, Ctrl-C."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer

from gruworks.app.cli.common.flags import Out, command, flag
from gruworks.app.cli.common.runs import Continue, Resume, begin, interruptible
from gruworks.app.cli.common.show import Show
from gruworks.errors import OptionError
from gruworks.tasks import registry

__all__ = ["fit_command", "one_or_two"]

# Of the command: this module is loaded at once, and torch only by a fit.
STARTED = time.monotonic() - time.process_time()
Report = Callable[[Show, Any, Path], dict[str, Any]]


def fit_command(app: typer.Typer, task: str, data: Any, report: Report | None = None, **validation: Any) -> None:
    """Add a task's `fit` command.

    Args:
        data: the annotated type of the argument; a list may hold two line-aligned files.
        report: prints facts of the fitted estimator and returns their JSON result; its docstring is the command's
            help. Without it the metrics of the fit are printed.
        **validation: the annotated type of the option for validation data, where the task has one, by its name.
    """

    def fit(
        show: Show, data: Any, *, resume: Resume = None, continued: Continue = None, out: Out = None, config: Any,
        **other: Any,
    ) -> None:  # fmt: skip
        estimator, path = begin(task, config, resume, out, continued)
        estimator.begun = STARTED
        files = next(iter(other.values()), None)
        held = {"validation": one_or_two(files)} if files else {}
        flags = [part for name in other for file in _listed(files) for part in (flag(name), file)]
        with interruptible(show, task, path, *_listed(data), *flags):
            given: dict[str, Any] = {**held, "out": path, "quiet": not show.talks}
            if continued is None:
                estimator.fit(one_or_two(data), resume=resume is not None, **given)
            else:
                training = {name: config.flat()[name] for name in sorted(config.given & config.training.flat_names())}
                estimator.continue_fit(one_or_two(data), **given, **training)
        show.result({"run": str(path), **(report or _report)(show, estimator, path)})

    first, given, *rest, settings, _ = inspect.signature(fit, eval_str=True).parameters.values()
    options = [settings.replace(name=name, annotation=hint, default=None) for name, hint in validation.items()]
    settings = settings.replace(annotation=registry.settings(task, "Config"))
    rest = [one for one in rest if one.name != "continued" or validation]  # the forecaster has no such fit
    parameters = [first, given.replace(annotation=data), *options, *rest, settings]
    fit.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    fit.__doc__ = report.__doc__ if report else f"Fit a model to {registry.find(task).data}; write a run folder."
    command(app, details=True)(fit)


def _report(show: Show, estimator: Any, path: Path) -> dict[str, Any]:
    """Print the result of a fit in a sentence, its warnings, and its metrics as details."""
    task, warnings = registry.find(estimator.task), getattr(estimator, "fit_warnings", [])
    if task.result and not show.as_json:
        show.note(task.result.format(**estimator.metrics))
    for warning in warnings:
        show.note(warning)
    flags = " ".join(_flags(estimator.metrics.get("options") or {}))
    for name, value in estimator.metrics.items():
        if name != "options":  # of decoding, shown as flags
            show.detail(f"{name.replace('_', ' ')}: {f'{value:.4g}' if isinstance(value, float) else value}")
    show.answer(f"run    {path}")
    show.note(f"next   gruworks {task.name} {task.verb} {path} {f'FILE {flags}' if flags else '--help'}")
    return {"warnings": warnings, "metrics": estimator.metrics}


def _flags(options: dict[str, Any]) -> list[str]:
    """The flags of decoding options, as the command line takes them."""
    return [flag(name) if value is True else f"{flag(name)} {value}" for name, value in options.items()]


def one_or_two(paths: Path | list[Path]) -> Any:
    """A path, or a pair of line-aligned files."""
    files = _listed(paths)
    if len(files) > 2:
        raise OptionError(f"expected a .tsv, a .jsonl, a folder or two line-aligned files, got {len(files)} paths")
    return files[0] if len(files) == 1 else tuple(files)


def _listed(paths: Path | list[Path] | None) -> list[Path]:
    return [paths] if isinstance(paths, Path) else paths or []
