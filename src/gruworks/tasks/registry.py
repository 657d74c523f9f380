"""The tasks by name. Strings only: the command line and the server learn from here what there is, importing nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gruworks.errors import OptionError, require

if TYPE_CHECKING:
    from gruworks.tasks.estimator import Estimator

__all__ = ["TASKS", "check", "estimator"]

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


def check(task: str) -> None:
    """Refuse the name of no task."""
    if task not in TASKS:
        raise OptionError(f"there is no task {task!r}; there are: {', '.join(TASKS)}")
