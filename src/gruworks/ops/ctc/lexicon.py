"""Lexicon and language-model scores of a CTC prefix search: word prefix tree, or n-grams of symbols."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy
from numpy.typing import NDArray

from gruworks.errors import OptionError

__all__ = ["Language", "SymbolGuide", "WordGuide", "WordModel"]

Floats = NDArray[numpy.float64]
Context = tuple[int, ...]
Key = TypeVar("Key")
Value = TypeVar("Value")
NEVER = -numpy.inf
OUTSIDE = -1  # a prefix of a word outside the lexicon
CACHED = 1 << 24  # float64 values in a cache: 128 MB


class WordModel(Protocol):
    """Language model over word indices."""

    def log_probabilities(self, context: Context) -> Floats:
        """ln p(w | context) of all words [V]."""


@dataclass(frozen=True)
class Language:
    """Language model with its vocabulary.

    `numbers` are the word indices, `start` is the initial context, `end` and `unknown` are the indices of the end of a
    text and of unknown words; contexts have at most `order` - 1 words.
    """

    model: WordModel
    numbers: Mapping[str, int]
    start: Context
    end: int
    unknown: int
    order: int

    def after(self, context: Context, number: int) -> Context:
        """The context after one more word."""
        longer = (*context, number)
        return longer[max(0, len(longer) - self.order + 1) :]


@dataclass
class WordGuide:
    """Lexicon as a prefix tree over symbols, with language-model look-ahead (Ortmanns and Ney 1996).

    >>> guide = WordGuide({"ab": [1, 2]}, size=4, space=3)
    >>> guide.scores(guide.start()).tolist()
    [-inf, 0.0, -inf, -inf]

    A state is (node of the tree, context). Each symbol adds the best score among the words below its node, less the
    look-ahead score added before, so that narrow beams keep a word before its end.

    Args:
        spellings: the symbols of each word of the lexicon.
        size: V.
        space: the symbol between words.
        language: model over words; None for uniform scores.
        weight: factor of the language model's log-probability.
        bonus: added for each word, with a language model.
        hot: additional scores of single words.
        closed: allow only words of the lexicon.

    Raises:
        OptionError: an empty lexicon, or a word without symbols or with the space.
    """

    spellings: Mapping[str, Sequence[int]]
    size: int
    space: int
    language: Language | None = None
    weight: float = 0.5
    bonus: float = 0.0
    hot: Mapping[str, float] = field(default_factory=dict)
    closed: bool = True

    def __post_init__(self) -> None:
        bad = [word for word, spelling in self.spellings.items() if not len(spelling) or self.space in spelling]
        if bad or not self.spellings:
            raise OptionError(f"a word list needs words of one symbol or more, without a space: {bad or 'it is empty'}")
        # Sorted by spelling, the words below a node are contiguous: first[node] to end[node].
        self.words = sorted(self.spellings, key=lambda word: tuple(self.spellings[word]))
        self.children: list[dict[int, int]] = [{}]
        self.word_at: list[int] = [-1]
        first, end = [0], [len(self.words)]
        for place, word in enumerate(self.words):
            node = 0
            for symbol in self.spellings[word]:
                if symbol not in self.children[node]:
                    self.children[node][symbol] = len(self.children)
                    self.children.append({})
                    self.word_at.append(-1)
                    first.append(place)
                    end.append(place)
                node = self.children[node][symbol]
                end[node] = place + 1
            if self.word_at[node] < 0:
                self.word_at[node] = place
        self._ranges = numpy.stack([first, end], 1).ravel()
        self._hot = numpy.array([self.hot.get(word, 0.0) for word in self.words])
        language = self.language
        self.numbers = [language.numbers.get(w, language.unknown) if language else 0 for w in self.words]
        self._gains: dict[Context, tuple[Floats, Floats, float, float]] = {}
        self._scores: dict[tuple[int, Context], Floats] = {}

    def node_of(self, word: str) -> int:
        """The node at which a word of the lexicon ends."""
        node = 0
        for symbol in self.spellings[word]:
            node = self.children[node][symbol]
        return node

    def start(self) -> tuple[int, Context]:
        return 0, self.language.start if self.language else ()

    def scores(self, state: tuple[int, Context]) -> Floats:
        known = self._scores.get(state)
        return _cached(self._scores, state, self._compute(*state), self.size) if known is None else known

    def _compute(self, node: int, context: Context) -> Floats:
        if node == OUTSIDE:
            return numpy.zeros(self.size)
        _, best, unknown, _ = self._gain(context)
        ahead = best[node] if node else 0.0
        scores = numpy.full(self.size, NEVER if self.closed else unknown - ahead)
        for symbol, child in self.children[node].items():
            scores[symbol] = best[child] - ahead
        scores[self.space] = self._word_end(node, context) if node else NEVER
        return scores

    def advance(self, state: tuple[int, Context], symbol: int) -> tuple[int, Context]:
        node, context = state
        if symbol != self.space:
            return (OUTSIDE if node == OUTSIDE else self.children[node].get(symbol, OUTSIDE)), context
        return 0, self._after(node, context)

    def finish(self, state: tuple[int, Context]) -> float:
        node, context = state
        ended = self._word_end(node, context) if node else 0.0
        return ended + self._gain(self._after(node, context) if node else context)[3]

    def _after(self, node: int, context: Context) -> Context:
        if self.language is None:
            return ()
        word = -1 if node == OUTSIDE else self.word_at[node]
        return self.language.after(context, self.language.unknown if word < 0 else self.numbers[word])

    def _word_end(self, node: int, context: Context) -> float:
        """Score of ending the word at `node`, less the look-ahead score."""
        if node == OUTSIDE:
            return 0.0
        gains, best, unknown, _ = self._gain(context)
        word = self.word_at[node]
        if word < 0:
            return NEVER if self.closed else unknown - best[node]
        return float(gains[word] - best[node])

    def _gain(self, context: Context) -> tuple[Floats, Floats, float, float]:
        """Scores after `context`: of each word, the best below each node, of an unknown word, of the end of a text."""
        known = self._gains.get(context)
        if known is None:
            size = len(self.words) + len(self.children)
            known = _cached(self._gains, context, self._computed_gain(context), size)
        return known

    def _computed_gain(self, context: Context) -> tuple[Floats, Floats, float, float]:
        gains, unknown, end = self._hot, 0.0, 0.0
        if self.language is not None:
            weighted = self.weight * self.language.model.log_probabilities(context)
            gains = weighted[self.numbers] + self.bonus + self._hot
            unknown, end = float(weighted[self.language.unknown]) + self.bonus, float(weighted[self.language.end])
        padded = numpy.append(gains, NEVER)
        best = numpy.maximum.reduceat(padded, self._ranges)[::2]
        return gains, best, unknown, end


@dataclass
class SymbolGuide:
    """Language model over the output symbols, such as subwords.

    >>> SymbolGuide(size=3, allowed=frozenset({1})).scores(()).tolist()
    [-inf, 0.0, -inf]

    Args:
        size: V.
        language: model over symbols, whose names are their indices in decimal.
        weight, bonus: as for `WordGuide`.
        hot: additional scores of single symbols.
        allowed: permitted symbols; None permits all.
    """

    size: int
    language: Language | None = None
    weight: float = 0.5
    bonus: float = 0.0
    hot: Mapping[int, float] = field(default_factory=dict)
    allowed: frozenset[int] | None = None

    def __post_init__(self) -> None:
        self.fixed = numpy.zeros(self.size)
        for symbol, gain in self.hot.items():
            self.fixed[symbol] += gain
        if self.allowed is not None:
            self.fixed[[symbol for symbol in range(self.size) if symbol not in self.allowed]] = NEVER
        self.numbers = [0] * self.size
        if self.language is not None:
            known, unknown = self.language.numbers, self.language.unknown
            self.numbers = [known.get(str(symbol), unknown) for symbol in range(self.size)]
        self._log_probabilities_after: dict[Context, Floats] = {}

    def start(self) -> Context:
        return self.language.start if self.language else ()

    def scores(self, state: Context) -> Floats:
        if self.language is None:
            return self.fixed
        log_probabilities = self._log_probabilities(self.language, state)
        scores: Floats = self.weight * log_probabilities[self.numbers] + self.bonus + self.fixed
        return scores

    def advance(self, state: Context, symbol: int) -> Context:
        return self.language.after(state, self.numbers[symbol]) if self.language else ()

    def finish(self, state: Any) -> float:
        language = self.language
        return self.weight * float(self._log_probabilities(language, state)[language.end]) if language else 0.0

    def _log_probabilities(self, language: Language, context: Context) -> Floats:
        cache = self._log_probabilities_after
        known = cache.get(context)
        return _cached(cache, context, language.model.log_probabilities(context), self.size) if known is None else known


def _cached(cache: dict[Key, Value], key: Key, value: Value, size: int) -> Value:
    """Store a value of `size` numbers in a cache, which is emptied when it holds more than CACHED numbers."""
    if len(cache) * size > CACHED:
        cache.clear()
    cache[key] = value
    return value
