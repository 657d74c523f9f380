"""The tasks by name. Strings only: the command line and the server learn from here what there is, importing nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gruworks.errors import OptionError, require

if TYPE_CHECKING:
    from gruworks.settings import Settings
    from gruworks.tasks.estimator import Estimator

__all__ = ["TASKS", "check", "estimator", "settings"]

TASKS = {
    "forecast": "gruworks.tasks.forecast.estimator:Forecaster",
    "generate": "gruworks.tasks.generate.estimator:Generator",
    "transcribe": "gruworks.tasks.transcribe.estimator:Transcriber",
    "translate": "gruworks.tasks.translate.estimator:Translator",
}


def estimator(task: str) -> type[Estimator]:
    """The public class of a task, imported now."""
    check(task)
    module, name = TASKS[task].split(":")
    found: type[Estimator] = getattr(require(module, extra=task), name)
    return found


def settings(task: str, kind: str) -> type[Settings]:
    """A task's `Config` or `Options`, without its estimator."""
    check(task)
    found: type[Settings] = getattr(require(f"gruworks.tasks.{task}.config", extra=task), kind)
    return found


def check(task: str) -> None:
    """Refuse the name of no task."""
    if task not in TASKS:
        raise OptionError(f"there is no task {task!r}; there are: {', '.join(TASKS)}")
