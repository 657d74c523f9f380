"""Sizes and rates of a language model that fit the minutes of its fit and the length of its text."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gruworks.data.text import Document
from gruworks.tasks.generate.config import Config

__all__ = ["CURVE", "planned"]

# Reference: 2 layers of 192, 32 rows of 64 tokens take 0.052 s a step on two cores.
SIZE, STEP, TOKENS = 192, 0.052, 32 * 64
GROWTH = 1.6  # exponent of the size in the time of a step
STEPS = 800  # after which a model of SIZE is well used
HELD_OUT = 50_000  # characters that are enough for validation
FIRST_PASSES = 4  # over the text, from which on dropout helps
CURVE = {0.0: 0.0, 0.05: 0.64, 0.1: 0.78, 0.18: 0.894, 0.36: 0.957, 0.54: 0.981, 0.72: 0.992, 0.9: 0.998, 1.0: 1.0}


def planned(config: Config, documents: Sequence[Document], seconds: float) -> Config:
    """The settings with sizes and rates for a fit of so many seconds, where they were not given.

    The size grows with the cube root of the time, up to a limit by the length of the text; dropout grows with the
    number of passes over it.
    """
    length = sum(len(one.text) for one in documents)
    alphabet = len(set().union(*(set(one.text) for one in documents))) if config.token == "character" else 256
    seconds = max(1.0, seconds) / (1 + alphabet / (12 * SIZE))  # the output layer takes its part
    size = SIZE * (seconds / (STEPS * STEP)) ** (1 / 3)
    size = _multiple(min(size, 11.5 * length**0.25), math.lcm(32, config.heads if config.between == "attention" else 1))
    steps = seconds / (STEP * (size / SIZE) ** GROWTH)
    passes = steps * TOKENS / max(1, length)
    dropout = round(min(0.4, max(0.0, 0.09 * math.log2(passes / FIRST_PASSES))) if passes > 0 else 0.0, 2)
    return config.suggested(
        hidden_size=size, dropout=dropout, output_dropout=dropout, input_dropout=round(dropout / 4, 3),
        learning_rate=round(min(8e-3, 6e-3 * math.sqrt(SIZE / size)), 5),
        validation=max(0.001, min(config.validation, HELD_OUT / max(1, length))),
    )  # fmt: skip


def _multiple(size: float, unit: int) -> int:
    """The nearest multiple of `unit` from 64 to 1024."""
    return unit * max(-(-64 // unit), round(min(1024.0, size) / unit))
