"""Description of text generation."""

from __future__ import annotations

from gruworks.tasks.description import Task

__all__ = ["TASK"]

TASK = Task(
    name="generate",
    package=__package__,
    estimator="Generator",
    purpose="Text generation: from a text file to an autoregressive language model.",
    data="TEXT",
    verb="write",
    method="write",
    example="gruworks generate fit novel.txt",
    upload="text.txt",
    reads="text",
)
