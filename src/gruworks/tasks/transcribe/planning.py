"""Sizes and rates of a recognizer that fit the minutes of its fit and its recordings."""

from __future__ import annotations

from collections.abc import Sequence

from gruworks.tasks.transcribe.config import Config
from gruworks.tasks.transcribe.manifest import Utterance

__all__ = ["CURVE", "planned"]

SIZE, SECONDS = 128, 70  # hidden size of a fit of so many seconds on two cores
CURVE = {0.0: 0.0, 0.07: 0.44, 0.15: 0.51, 0.29: 0.68, 0.44: 0.82, 0.59: 0.9, 0.74: 0.96, 0.88: 0.99, 1.0: 1.0}


def planned(config: Config, utterances: Sequence[Utterance], seconds: float) -> Config:
    """The settings with sizes and rates for a fit of so many seconds, where they were not given.

    Sizes grow with the cube root of the time, up to a limit by the number of recordings.
    """
    size = SIZE * (max(1.0, seconds) / SECONDS) ** (1 / 3)
    size = 32 * max(2, min(16, round(min(size, 20 * len(utterances) ** (1 / 3)) / 32)))
    return config.suggested(hidden_size=size, channels=size, threads=0, learning_rate=4e-3)
