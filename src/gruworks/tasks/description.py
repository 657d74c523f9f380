"""Description of a task, read by registry, command line, server, model card and lab without importing the task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Task"]


@dataclass(frozen=True)
class Task:
    """Description of one task, whose modules `config`, `estimator` and `exporting` are in the package of its `task.py`.

    Args:
        name: the name in commands, routes and run folders.
        package: `__package__` of the `task.py`.
        estimator: name of the public class.
        purpose: one sentence.
        data: file or folder that a fit reads, as in a usage line.
        verb: the command that applies a run.
        method: the method of the estimator behind that command.
        example: a command for a first fit.
        upload: name of the uploaded file of a fit over HTTP, .csv, text, or .zip of a folder; None refuses such fits.
        reads: kind of input with which the lab inspects a run; None where a run has its own history.
        extra: the extra that installs its dependencies; by default the name of the task.
        result: one sentence on a fit, with fields for its metrics; empty for none.
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
    result: str = ""

    def __post_init__(self) -> None:
        if not self.extra:
            object.__setattr__(self, "extra", self.name)

    def module(self, name: str) -> str:
        """Full name of one of its modules."""
        return f"{self.package}.{name}"
