"""Sizes and rates of a recognizer by minutes and recordings."""

from __future__ import annotations

from pathlib import Path

from gruworks.tasks.transcribe.config import Config
from gruworks.tasks.transcribe.planning import planned
from gruworks.tasks.transcribe.utterance import Utterance

DIGITS = [Utterance(Path(f"{i}.wav"), "one two", None, "") for i in range(900)]


def test_more_time_and_more_recordings_give_a_larger_model() -> None:
    brief, long = (planned(Config.from_flat({}), DIGITS, seconds).hidden_size for seconds in (60.0, 1200.0))
    assert brief < long
    assert planned(Config.from_flat({}), DIGITS[:50], 1200.0).hidden_size < long


def test_what_was_given_stays() -> None:
    assert planned(Config.from_flat({"channels": 40}), DIGITS, 60.0).channels == 40
    assert planned(Config(), DIGITS, 60.0) == Config()
