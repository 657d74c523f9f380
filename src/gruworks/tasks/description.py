"""Description of a task: what registry, command line, server, card and lab know of it without importing it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Task"]


@dataclass(frozen=True)
class Task:
    """One task. Its modules `config`, `estimator` and `exporting` are those beside its `task.py`.

    Args:
        name: the name in commands, routes and run folders.
        package: `__package__` of the `task.py`.
        estimator: name of the public class.
        purpose: one sentence.
        data: file or folder that a fit reads, as a usage line names it.
        verb: the command that uses a run; method: the estimator's method behind it.
        example: a command to begin with.
        upload: name of the file that a fit over HTTP is given, .csv or text; None refuses such fits.
        reads: input with which the lab looks into a run; None where a run reads its own history.
        extra: the extra of the distribution with what it needs; the task's name if not given.
    """

    name: str
    package: str
    estimator: str
    purpose: str
    data: str
    verb: str
    method: str
    example: str
    upload: str | None = None
    reads: Literal["text", "audio"] | None = None
    extra: str = ""

    def __post_init__(self) -> None:
        if not self.extra:
            object.__setattr__(self, "extra", self.name)

    def module(self, name: str) -> str:
        """Full name of one of its modules."""
        return f"{self.package}.{name}"
