"""Description of continuing number lines."""

from __future__ import annotations

from gruworks.tasks.description import Task

__all__ = ["TASK"]

TASK = Task(
    name="count",
    package=__package__,
    estimator="Counter",
    purpose="Number lines: from a file of numbers to the next ones.",
    data="NUMBERS.txt",
    verb="go-on",
    method="go_on",
    example="gruworks count fit NUMBERS.txt",
    reads="text",
    extra="forecast",
)
