"""Sizes and rates of a translator that fit the minutes of its fit and the number of its pairs."""

from __future__ import annotations

import math

from gruworks.tasks.translate.config import Config
from gruworks.tasks.translate.reading import Pairs
from gruworks.tasks.translate.subwords import vocabulary_size

__all__ = ["CURVE", "planned"]

SIZE, SECONDS = 128, 36  # hidden size of a fit of so many seconds on two cores
PASS = 0.00025  # seconds that 100 characters of both sides take in a pass over the pairs, at SIZE
GROWTH = 1.4  # exponent of the size in the time of a pass
LONG = 600  # seconds from which the vocabulary has its full size
FEW = 100  # seconds up to which batches are smaller, for more steps
BPE_DROPOUT_FROM = 10  # passes from which BPE-dropout is worth its preparation
CURVE = {0.0: 0.0, 0.13: 0.66, 0.25: 0.823, 0.38: 0.904, 0.5: 0.946, 0.63: 0.972, 0.75: 0.987, 0.88: 0.995, 1.0: 1.0}


def planned(config: Config, pairs: Pairs, seconds: float) -> Config:
    """The settings with sizes and rates for a fit of so many seconds, where they were not given.

    Sizes grow with the cube root of the time, up to a limit by the number of pairs; the vocabulary and the batches grow
    with the time, dropout with the number of passes over the pairs.
    """
    seconds = max(1.0, seconds)
    size = SIZE * (seconds / SECONDS) ** (1 / 3)
    size = 32 * max(2, min(32, round(min(size, 12 * len(pairs) ** (1 / 3)) / 32)))
    characters = sum(map(len, pairs.sources)) + sum(map(len, pairs.targets))
    passes = seconds / (PASS * max(1, characters) / 100 * (size / SIZE) ** GROWTH)
    dropout = round(min(0.35, max(0.0, 0.1 * math.log2(max(passes, 1e-3) / 1.5))), 2)
    brief = seconds < FEW
    return config.suggested(
        hidden_size=size, embedding_size=size, attention_size=size // 2, vocabulary_size=_vocabulary(pairs, seconds),
        dropout=dropout, word_dropout=round(dropout / 4, 3), bpe_dropout=0.05 if passes > BPE_DROPOUT_FROM else 0.0,
        batch_tokens=1200 if brief else 2000, batch_size=64 if brief else 96,
        learning_rate=round(min(4e-3, 3e-3 * math.sqrt(256 / size)), 5),
    )  # fmt: skip


def _vocabulary(pairs: Pairs, seconds: float) -> int:
    full = vocabulary_size([*pairs.sources, *pairs.targets])
    share: float = min(1.0, (seconds / LONG) ** 0.35)
    return max(300, round(full * share))
