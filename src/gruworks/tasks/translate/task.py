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
    example="gruworks translate fit pairs.tsv --source en --target zh --minutes 3 --out runs/en-zh",
    upload="pairs.tsv",
    reads="text",
    result="On {held_out_sentences} held-out sentences: BLEU {held_out_bleu:.1f}, chrF {held_out_chrf:.1f} (100 is the "
    "reference itself).",
)
