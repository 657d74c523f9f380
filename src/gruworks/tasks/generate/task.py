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
    example="gruworks generate fit poems.txt --minutes 3 --out runs/poems",
    upload="text.txt",
    reads="text",
    result="On held-out text the model needs {bits_per_character:.2f} bits per character; the frequencies of the "
    "characters alone need {unigram_bits_per_character:.2f}.",
)
