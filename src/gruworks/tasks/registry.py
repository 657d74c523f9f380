"""Registry of the tasks by name, from their descriptions, without importing the tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gruworks.errors import OptionError, require
from gruworks.tasks.description import Task
from gruworks.tasks.forecast.task import TASK as FORECAST
from gruworks.tasks.generate.task import TASK as GENERATE
from gruworks.tasks.transcribe.task import TASK as TRANSCRIBE
from gruworks.tasks.translate.task import TASK as TRANSLATE

if TYPE_CHECKING:
    from gruworks.settings import Settings
    from gruworks.tasks.estimator import Estimator

__all__ = ["TASKS", "estimator", "find", "settings"]

TASKS = {task.name: task for task in (FORECAST, GENERATE, TRANSCRIBE, TRANSLATE)}


def estimator(task: str) -> type[Estimator]:
    """Import the public class of a task."""
    found = find(task)
    made: type[Estimator] = getattr(require(found.module("estimator"), extra=found.extra), found.estimator)
    return made


def settings(task: str, kind: str) -> type[Settings]:
    """Import `Config` or `Options` of a task, without its estimator."""
    found = find(task)
    made: type[Settings] = getattr(require(found.module("config"), extra=found.extra), kind)
    return made


def find(task: str) -> Task:
    """Description of a task.

    Raises:
        OptionError: an unknown name.
    """
    if task not in TASKS:
        raise OptionError(f"there is no task {task!r}; there are: {', '.join(TASKS)}")
    return TASKS[task]
