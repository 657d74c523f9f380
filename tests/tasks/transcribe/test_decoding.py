"""From log-probabilities to words: greedy, searches by options, times and confidences."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

from gruworks.errors import DataError, OptionError
from gruworks.ops.ctc.ctc import PrefixSearch
from gruworks.ops.ctc.prefix_search import NativeSearch
from gruworks.tasks.transcribe.alphabet import Alphabet
from gruworks.tasks.transcribe.config import Options
from gruworks.tasks.transcribe.decoding import Greedy, joined, searches, timed, transcript
from gruworks.tasks.transcribe.language import learn_language

ALPHABET = Alphabet.of(["ab ba"], "character")  # space 1, a 2, b 3


def rows(path: list[int], sure: float = 0.9) -> Any:
    probabilities = numpy.full((len(path), len(ALPHABET)), (1 - sure) / (len(ALPHABET) - 1), numpy.float32)
    probabilities[range(len(path)), path] = sure
    return numpy.log(probabilities)


def test_greedy_reads_in_pieces() -> None:
    path = [0, 2, 2, 0, 2, 3, 3, 1, 3]
    whole, pieces = Greedy(), Greedy()
    whole.advance(rows(path))
    for first in range(0, len(path), 2):
        pieces.advance(rows(path)[first : first + 2])
    assert whole.stable() == pieces.stable() == [2, 2, 3, 1, 3]
    assert whole.results()[0].score == pytest.approx(len(path) * numpy.log(0.9), rel=1e-5)


def test_words_have_times_and_confidences() -> None:
    found = timed(rows([0, 2, 2, 3, 0, 1, 0, 3, 2, 0], 0.8), [2, 3, 1, 3, 2], ALPHABET, 0.02, 1.0)
    assert [(word.text, word.start, word.end) for word in found] == [("ab", 1.02, 1.08), ("ba", 1.14, 1.18)]
    assert [word.confidence for word in found] == pytest.approx([0.8, 0.8], rel=1e-5)


def test_options_choose_the_search() -> None:
    language = learn_language(["ab", "ab", "ba"], ALPHABET, 2)
    assert isinstance(searches(Options(), ALPHABET, None, [])(), Greedy)
    plain = searches(Options(beam_size=4, lm_weight=0.0), ALPHABET, None, ["ab"])()
    assert isinstance(plain, PrefixSearch | NativeSearch)
    path = rows([2, 0, 2, 3], 0.75)
    texts = {}
    cases = {
        "plain": Options(beam_size=8, lm_weight=0.0),
        "closed": Options(beam_size=8, lexicon_only=True, lm_weight=0.0),
        "words": Options(beam_size=8, words=("ba",)),
        "guided": Options(beam_size=8, lm_weight=3.0),
        "hot": Options(beam_size=8, lm_weight=0.0, hot_words=("aab",), hot_bonus=9.0),
    }
    for name, options in cases.items():
        search = searches(options, ALPHABET, language if options.lm_weight else None, ["ab", "ba"])()
        search.advance(path)
        texts[name] = ALPHABET.decode(search.results()[0].symbols)
    assert texts == {"plain": "aab", "closed": "ab", "words": "ba", "guided": "ab", "hot": "aab"}


def test_words_that_can_not_be_spelled_are_named() -> None:
    with pytest.raises(DataError, match="word 'xa': 'x' not in the vocabulary"):
        searches(Options(beam_size=4, words=("xa",)), ALPHABET, None, [])
    pairs = Alphabet.of(["ab ba"], "subword", 8)
    with pytest.raises(OptionError, match="subwords spell a word many ways"):
        searches(Options(beam_size=4, lexicon_only=True), pairs, None, ["ab"])


def test_segments_are_joined() -> None:
    search = Greedy()
    search.advance(rows([2, 3]))
    first = transcript(rows([2, 3]), search, ALPHABET, 1, 0.5)
    doubtful = transcript(rows([2, 3]), search, ALPHABET, 2, 0.5, least=1.0)
    assert (doubtful.text, doubtful.words, doubtful.alternatives) == ("", [], [])
    second = transcript(rows([2, 3]), search, ALPHABET, 1, 0.5, 3.0)
    both = joined([first, second])
    assert both.text == "ab ab"
    assert [word.start for word in both.words] == [0.0, 3.0]
    assert both.segments == [first, second]
    assert joined([first]).text == "ab"
    assert joined([]).text == ""


def test_an_opinion_chooses_among_a_search_s_texts() -> None:
    path = rows([2, 0, 2, 3], 0.75)
    found = {}
    for name, opinion in (("none", None), ("short", lambda texts: [-20.0 * len(text) for text in texts])):
        search = PrefixSearch(width=16)
        search.advance(path)
        found[name] = transcript(path, search, ALPHABET, 2, 0.5, 0.0, opinion)
    assert found["none"].text == "aab"
    assert found["short"].text == "a"
    assert len(found["short"].alternatives) == 1
