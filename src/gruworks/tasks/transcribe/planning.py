"""Tokens, sizes and augmentation of a recognizer that fit the minutes of its fit and its recordings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from gruworks.tasks.transcribe.config import Config
from gruworks.tasks.transcribe.manifest import Utterance

__all__ = ["CURVE", "is_closed", "planned"]

MOST_WORDS, FEWEST_TIMES = 100, 10  # a closed list: at most so many words, each spoken so often on average
SIZE, SECONDS = 96, 120  # hidden size of a fit of so many seconds on two cores
CURVE = {0.0: 0.0, 0.05: 0.2, 0.1: 0.45, 0.2: 0.7, 0.35: 0.83, 0.5: 0.9, 0.65: 0.95, 0.8: 0.98, 0.9: 0.99, 1: 1}


def is_closed(texts: Sequence[str]) -> bool:
    """True for transcripts of few words that are spoken again and again, such as digits or commands."""
    words = Counter(word for text in texts for word in text.split())
    return 0 < len(words) <= MOST_WORDS and words.total() >= FEWEST_TIMES * len(words)


def planned(config: Config, utterances: Sequence[Utterance], seconds: float) -> Config:
    """The settings for a fit of so many seconds, where they were not given.

    Words of a closed list are tokens; sizes grow with the cube root of the time, up to a limit by the number of
    recordings.
    """
    closed = is_closed([one.text for one in utterances])
    size = SIZE * (max(1.0, seconds) / SECONDS) ** (1 / 3)
    size = 32 * max(2, min(16, round(min(size, 16 * len(utterances) ** (1 / 3)) / 32)))
    given = any(one.given for one in utterances)  # as features, which noise can't be added to
    sounds = {} if given else {"speed": 0.15, "warp": 0.1, "noise": 15.0, "gain": 10.0}
    return config.suggested(
        token="word" if closed else config.token, hidden_size=size, channels=size, threads=0,
        strides=(2, 2) if closed else config.strides, learning_rate=4e-3, weight_decay=0.05, band_masks=2,
        normalise="recording", **sounds,
    )  # fmt: skip
