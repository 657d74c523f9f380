"""Scores: counted by hand."""

from __future__ import annotations

import pytest

from gruworks.errors import DataError
from gruworks.tasks.transcribe.config import Options
from gruworks.tasks.transcribe.decoding import Transcript
from gruworks.tasks.transcribe.evaluation import Evaluation, choose_options, score

SAID = ["one two three", "four", "five six", ""]
HEARD = ["one too three", "four", "five six seven", "eight"]


def scored() -> Evaluation:
    return score(
        SAID, HEARD, ["a", "a", "b", "b"], ["1", "2", "3", "4"], ["one", "two", "four", "five", "six"], "four", 8.0, 2.0
    )


def test_words_and_their_errors() -> None:
    found = scored()
    assert (found.utterances, found.words) == (3, 6)
    assert (found.substitutions, found.deletions, found.insertions) == (1, 0, 1)
    assert found.wer == pytest.approx(2 / 6)
    assert found.cer == pytest.approx(7 / 25)
    assert found.exact == pytest.approx(1 / 3)
    assert found.speakers == {"a": 0.25, "b": 0.5}
    assert found.unknown == pytest.approx(1 / 6)
    assert found.baseline == pytest.approx(5 / 6)
    assert found.real_time_factor == 0.25
    assert found.warnings == ["1 utterances without a transcript left out"]


def test_the_worst_stand_side_by_side() -> None:
    first, second = scored().worst
    assert (first.where, first.reference, first.answer) == ("1", ["one", "two", "three"], ["one", "too", "three"])
    assert (second.where, second.reference, second.answer) == ("3", ["five", "six", "*"], ["five", "six", "seven"])
    assert scored().confused == [("two", "too", 1)]


def test_the_interval_holds_the_rate() -> None:
    low, high = scored().interval
    assert 0 <= low <= scored().wer <= high <= 0.5
    same = score(["a b"] * 50, ["a c"] * 50, [None] * 50, [""] * 50, [], "a", 1.0, 1.0)
    assert same.interval == (0.5, 0.5)
    assert same.speakers == {}


def test_nothing_said_is_nothing_to_score() -> None:
    with pytest.raises(DataError, match="to score against"):
        score([""], ["x"], [None], ["1"], [], "", 1.0, 1.0)


def test_options_are_chosen_by_held_out_recordings() -> None:
    tried = []

    def transcribe(options: Options) -> list[Transcript]:
        tried.append(options)
        right = options.lexicon_only and not options.lm_weight
        return [Transcript(text if right else "x", [], 0.0, [], []) for text in ("a b", "b")]

    found = choose_options(transcribe, ["a b", "b"], ["a", "b a"])
    assert found["options"] == {"beam_size": 16, "lexicon_only": True, "lm_weight": 0.0}
    assert (found["held_out_wer"], found["held_out_wer_greedy"], found["held_out_cer"]) == (0.0, 1.0, 0.0)
    open_words = choose_options(transcribe, ["a c", "b"], ["a", "b a"])
    assert open_words["options"] == {}  # greedy is first among equal ones, and "c" is in no list
    assert not any(options.lexicon_only for options in tried[4:])


def test_at_equal_rates_the_word_list_is_kept() -> None:
    heard = [Transcript(text, [], 0.0, [], []) for text in ("a", "b")]
    found = choose_options(lambda options: heard, ["a", "b"], ["a", "b"])
    assert found["options"] == {"beam_size": 16, "lexicon_only": True, "lm_weight": 0.0}
