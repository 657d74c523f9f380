"""Description of machine translation."""

from __future__ import annotations

from gruworks.tasks.description import Task

__all__ = ["TASK"]

TASK = Task(
    name="translate",
    package=__package__,
    estimator="Translator",
    purpose="Machine translation: from sentence pairs to a translator.",
    data="PAIRS",
    verb="run",
    method="translate",
    example="gruworks translate fit pairs.tsv",
    upload="pairs.tsv",
    reads="text",
)
