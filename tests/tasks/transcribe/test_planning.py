"""Tokens, sizes and augmentation of a recognizer by minutes and recordings."""

from __future__ import annotations

from pathlib import Path

import pytest

from gruworks.tasks.transcribe.config import Config
from gruworks.tasks.transcribe.planning import is_closed, planned
from gruworks.tasks.transcribe.utterance import Utterance


def spoken(texts: list[str], suffix: str = ".wav") -> list[Utterance]:
    return [Utterance(Path(f"{i}{suffix}"), text, None, "") for i, text in enumerate(texts)]


DIGITS = spoken(["one two", "two three", "three one"] * 20)


@pytest.mark.parametrize(
    ("texts", "closed"),
    [
        (["one", "two"] * 10, True),
        (["one", "two"] * 9, False),
        ([f"word{i}" for i in range(200)], False),
        ([""], False),
    ],
)
def test_few_words_spoken_again_and_again_are_a_closed_list(texts: list[str], closed: bool) -> None:
    assert is_closed(texts) == closed


def test_words_of_a_closed_list_are_tokens_and_what_was_given_stays() -> None:
    assert planned(Config.from_flat({}), DIGITS, 60.0).token == "word"
    assert planned(Config.from_flat({"token": "character"}), DIGITS, 60.0).token == "character"
    assert planned(Config(), DIGITS, 60.0) == Config()


def test_more_time_gives_a_larger_model() -> None:
    brief, long = (planned(Config.from_flat({}), DIGITS * 20, seconds) for seconds in (60.0, 1200.0))
    assert brief.hidden_size < long.hidden_size


def test_features_get_no_augmentation_that_needs_audio() -> None:
    how = planned(Config.from_flat({}), spoken(["one", "two"] * 20, ".npy"), 60.0).augmentation
    assert how.noise is None
    assert how.warp == 0
