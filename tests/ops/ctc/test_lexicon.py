"""Lexicon and symbol guides: the look-ahead scores of a text sum to its language-model score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy
import pytest

from gruworks.errors import OptionError
from gruworks.ops.ctc.ctc import PrefixSearch
from gruworks.ops.ctc.lexicon import Language, SymbolGuide, WordGuide

SPACE, A, B, C = 1, 2, 3, 4
SIZE = 5
WORDS = {"a": [A], "ab": [A, B], "abc": [A, B, C], "ca": [C, A]}
START, END, UNKNOWN = 4, 5, 6


class Bigrams:
    """Bigram model with random log-probabilities, fixed for each context."""

    def log_probabilities(self, context: tuple[int, ...]) -> Any:
        return numpy.log(numpy.random.default_rng([*context, 7]).dirichlet(numpy.ones(7)))


LANGUAGE = Language(Bigrams(), {word: n for n, word in enumerate(WORDS)}, (START,), END, UNKNOWN, 2)


def total_score(guide: Any, symbols: Sequence[int]) -> float:
    state, total = guide.start(), 0.0
    for symbol in symbols:
        total += guide.scores(state)[symbol]
        state = guide.advance(state, symbol)
    return total + float(guide.finish(state))


def expected_score(words: Sequence[str]) -> float:
    """Half the language model's log-probability of a text, and a bonus of 0.3 a word."""
    context, total = (START,), 0.0
    for word in words:
        number = LANGUAGE.numbers.get(word, UNKNOWN)
        total += 0.5 * LANGUAGE.model.log_probabilities(context)[number] + 0.3
        context = (number,)
    return total + 0.5 * float(LANGUAGE.model.log_probabilities(context)[END])


def spelled(words: Sequence[str]) -> list[int]:
    symbols = [s for word in words for s in [SPACE, *WORDS.get(word, [B, B])]]
    return symbols[1:]


@pytest.mark.parametrize("words", [["a"], ["abc"], ["ab", "ca"], ["ca", "a", "abc", "ab"], []])
def test_the_score_of_a_text_is_that_of_its_words(words: list[str]) -> None:
    for closed in (True, False):
        guide = WordGuide(WORDS, SIZE, SPACE, LANGUAGE, 0.5, 0.3, closed=closed)
        assert total_score(guide, spelled(words)) == pytest.approx(expected_score(words))


@pytest.mark.parametrize("words", [["other"], ["a", "other", "ca"]])
def test_words_outside_the_list_are_unknown_or_forbidden(words: list[str]) -> None:
    assert total_score(
        WordGuide(WORDS, SIZE, SPACE, LANGUAGE, 0.5, 0.3, closed=False), spelled(words)
    ) == pytest.approx(expected_score(words))
    assert total_score(WordGuide(WORDS, SIZE, SPACE, LANGUAGE, closed=True), spelled(words)) == -numpy.inf


def test_half_a_word_can_not_end_in_a_closed_list_and_is_unknown_in_an_open_one() -> None:
    assert total_score(WordGuide(WORDS, SIZE, SPACE, closed=True), [C]) == -numpy.inf
    assert total_score(WordGuide(WORDS, SIZE, SPACE, LANGUAGE, 0.5, 0.3, closed=False), [C]) == pytest.approx(
        expected_score(["other"])
    )


def test_no_space_comes_first_or_twice() -> None:
    for closed in (True, False):
        guide = WordGuide(WORDS, SIZE, SPACE, closed=closed)
        assert total_score(guide, [SPACE, A]) == total_score(guide, [A, SPACE, SPACE, A]) == -numpy.inf


def test_only_hot_words_gain_their_score() -> None:
    guide = WordGuide(WORDS, SIZE, SPACE, hot={"ab": 2.5})
    assert total_score(guide, [A, B]) == pytest.approx(2.5)
    assert total_score(guide, [A, B, C]) == total_score(guide, [A]) == 0.0


def test_a_narrow_beam_keeps_the_word_of_the_lexicon() -> None:
    """The acoustic score prefers b to c slightly; only "ca" is a word."""
    rows = numpy.log([[0.01, 0.01, 0.01, 0.5, 0.47], [0.01, 0.01, 0.96, 0.01, 0.01]])
    search = PrefixSearch(WordGuide(WORDS, SIZE, SPACE), width=2)
    search.advance(rows)
    assert search.results()[0].symbols == [C, A]


def test_symbols_have_a_language_model_of_their_own() -> None:
    numbers = {str(symbol): n for n, symbol in enumerate((A, B, C))}
    language = Language(Bigrams(), numbers, (START,), END, UNKNOWN, 2)
    guide = SymbolGuide(SIZE, language, 0.5, 0.3, hot={B: 1.0})
    first, second, third = (
        language.model.log_probabilities(context) for context in ((START,), (numbers[str(A)],), (numbers[str(B)],))
    )
    expected = 0.5 * (first[numbers[str(A)]] + second[numbers[str(B)]] + third[END]) + 0.6 + 1.0
    assert total_score(guide, [A, B]) == pytest.approx(expected)


def test_only_allowed_symbols_come() -> None:
    guide = SymbolGuide(SIZE, allowed=frozenset({A}))
    assert total_score(guide, [A, A]) == 0.0
    assert total_score(guide, [A, B]) == -numpy.inf


def test_a_word_list_without_words_is_refused() -> None:
    with pytest.raises(OptionError, match="it is empty"):
        WordGuide({}, SIZE, SPACE)
    with pytest.raises(OptionError, match=r"without a space: \['a a'\]"):
        WordGuide({"a a": [A, SPACE, A]}, SIZE, SPACE)
