"""Reference CTC against the enumeration of all paths."""

from __future__ import annotations

import itertools
from typing import Any

import numpy
import pytest

from gruworks.errors import OptionError, ShapeError, TooShortError
from gruworks.ops.ctc.ctc import Hypothesis, PrefixSearch, align, complete
from gruworks.ops.ctc.lexicon import WordGuide

T, V = 5, 4


def collapsed(path: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(symbol for symbol, _ in itertools.groupby(path) if symbol)


def drawn(seed: int, steps: int = T, symbols: int = V) -> Any:
    return numpy.log(numpy.random.default_rng(seed).dirichlet(numpy.full(symbols, 0.6), steps))


def every_path(rows: Any) -> dict[tuple[int, ...], list[tuple[float, tuple[int, ...]]]]:
    texts: dict[tuple[int, ...], list[tuple[float, tuple[int, ...]]]] = {}
    for path in itertools.product(range(rows.shape[1]), repeat=len(rows)):
        score = sum(rows[t, symbol] for t, symbol in enumerate(path))
        texts.setdefault(collapsed(path), []).append((score, path))
    return texts


def log_likelihoods(rows: Any) -> dict[tuple[int, ...], float]:
    """The log-probability of every text over all its alignments."""
    return {
        text: float(numpy.logaddexp.reduce([score for score, _ in paths])) for text, paths in every_path(rows).items()
    }


@pytest.mark.parametrize("seed", range(5))
def test_the_alignment_is_the_best_of_all_paths(seed: int) -> None:
    rows = drawn(seed)
    for text, paths in every_path(rows).items():
        best, path = max(paths)
        spans, score = align(rows, text)
        assert score == pytest.approx(best, abs=1e-9)
        assert [(path.index(path[first]) >= 0, path[first], path[end - 1]) for first, end in spans] == [
            (True, symbol, symbol) for symbol in text
        ]
        written = [symbol for (first, end), symbol in zip(spans, text, strict=True) for _ in range(first, end)]
        assert written == [symbol for symbol in path if symbol]


def test_an_alignment_needs_its_steps() -> None:
    with pytest.raises(TooShortError, match="2 steps can't hold 2 symbols"):
        align(drawn(0, 2), [1, 1])
    assert align(drawn(0, 2), [])[0] == []


@pytest.mark.parametrize("seed", range(5))
def test_a_wide_search_finds_every_text_with_its_likelihood(seed: int) -> None:
    rows = drawn(seed)
    texts = log_likelihoods(rows)
    search = PrefixSearch(width=10_000, margin=1e9)
    search.advance(rows)
    found = search.results(10_000)
    assert {tuple(one.symbols) for one in found} == set(texts)
    for one in found:
        assert one.acoustic == pytest.approx(texts[tuple(one.symbols)], abs=1e-9)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


def test_chunks_give_the_same_result() -> None:
    rows = drawn(3, 40)
    whole, pieces = PrefixSearch(width=6), PrefixSearch(width=6)
    whole.advance(rows)
    for first, end in itertools.pairwise([0, 1, 1, 7, 8, 25, 40]):
        pieces.advance(rows[first:end])
    assert whole.results(6) == pieces.results(6)
    assert whole.stable() == pieces.stable()


def test_the_stable_prefix_begins_every_later_text() -> None:
    rows = drawn(4, 60)
    search = PrefixSearch(width=4)
    stable: list[int] = []
    for row in rows:
        search.advance(row[None])
        assert search.stable()[: len(stable)] == stable
        stable = search.stable()
    assert len(stable) > 5
    assert search.results()[0].symbols[: len(stable)] == stable


class NoSymbolTwice:
    """Guide that forbids repeated symbols and adds 1.5 to symbol 2."""

    def start(self) -> frozenset[int]:
        return frozenset()

    def scores(self, state: frozenset[int]) -> Any:
        scores = numpy.array([0.0, 0.0, 1.5, 0.0])
        scores[list(state)] = -numpy.inf
        return scores

    def advance(self, state: frozenset[int], symbol: int) -> frozenset[int]:
        return state | {symbol}

    def finish(self, state: frozenset[int]) -> float:
        return 0.0 if 1 in state else -numpy.inf


def test_a_guide_forbids_and_adds() -> None:
    rows = drawn(1)
    search = PrefixSearch(NoSymbolTwice(), width=10_000, margin=1e9)
    search.advance(rows)
    found = search.results(10_000)
    texts = log_likelihoods(rows)
    allowed = {text for text in texts if len(set(text)) == len(text) and 1 in text}
    assert {tuple(one.symbols) for one in found} == allowed
    for one in found:
        assert one.score == pytest.approx(texts[tuple(one.symbols)] + 1.5 * (2 in one.symbols), abs=1e-9)


def test_without_a_valid_end_the_best_prefix_is_cut_to_what_may_end() -> None:
    search = PrefixSearch(NoSymbolTwice(), width=1, margin=1e-6)
    search.advance(numpy.log([[0.1, 0.1, 0.7, 0.1]]))
    assert search.results(ended=False)[0].symbols == [2]
    assert [one.symbols for one in search.results()] == [[]]


def test_unfinished_words_are_cut_and_equal_hypotheses_merged() -> None:
    guide = WordGuide({"ab": [1, 2], "cab": [3, 1, 2]}, size=5, space=4)
    whole = [Hypothesis(symbols, -float(i), -1.0) for i, symbols in enumerate([[1, 2, 4, 3], [3, 1], [1, 2, 4, 3, 1]])]
    assert [(one.symbols, one.score) for one in complete(whole, guide)] == [([1, 2, 4], 0.0), ([], -1.0)]
    ended = [Hypothesis([1, 2], 0.0, 0.0), Hypothesis([3, 1, 2], -1.0, -1.0)]
    assert complete(ended, guide) == ended
    assert complete(whole, None) == whole


def test_wrong_shapes_and_widths_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"expected log-probabilities \[T, V\], got \[4\]"):
        PrefixSearch().advance(numpy.zeros(4))
    with pytest.raises(OptionError, match="width >= 1"):
        PrefixSearch(width=0)
