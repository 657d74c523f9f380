"""CTC in NumPy: forced alignment, prefix beam search under a guide. The reference of the kernels.

log_probabilities are [T, V] everywhere, one row a step, the blank among the V symbols (Graves et al. 2006).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy
from numpy.typing import NDArray

from gruworks.errors import OptionError, ShapeError, TooShortError

__all__ = ["Guide", "Hypothesis", "PrefixSearch", "align"]

Floats = NDArray[numpy.floating[Any]]
NEVER = -numpy.inf


def align(log_probabilities: Floats, symbols: Sequence[int], blank: int = 0) -> tuple[list[tuple[int, int]], float]:
    """The steps [first, end) of each symbol on the best path that writes `symbols`, and that path's log-probability.

    >>> align(numpy.log([[0.9, 0.1], [0.2, 0.8], [0.9, 0.1]]), [1])[0]
    [(1, 2)]

    Raises:
        TooShortError: fewer steps than the symbols need.
    """
    rows = _checked(log_probabilities)
    states, skips = _trellis(symbols, blank)
    best = numpy.full(len(states), NEVER)
    best[0] = 0.0
    came = numpy.zeros((len(rows), len(states)), numpy.int64)
    for t, row in enumerate(rows):
        ways = _arrivals(best, skips, t == 0)
        came[t] = ways.argmax(0)
        best = ways.max(0) + row[states]
    state = len(states) - 1 if len(states) == 1 or best[-1] >= best[-2] else len(states) - 2
    score = float(best[state])
    if len(symbols) and (not len(rows) or score == NEVER):
        raise TooShortError(f"{len(rows)} steps can't hold {len(symbols)} symbols")
    spans = [(0, 0)] * len(symbols)
    for t in range(len(rows) - 1, -1, -1):
        if state % 2:
            place = state // 2
            spans[place] = (t, spans[place][1] or t + 1)
        state -= int(came[t, state])
    return spans, score


def _checked(log_probabilities: Floats) -> Floats:
    if log_probabilities.ndim != 2:
        raise ShapeError(f"expected log-probabilities [T, V], got {list(log_probabilities.shape)}")
    return log_probabilities


def _trellis(symbols: Sequence[int], blank: int) -> tuple[NDArray[numpy.int64], NDArray[numpy.bool_]]:
    """Blanks between, before and after the symbols, and which states may be reached over a blank left out."""
    states = numpy.full(2 * len(symbols) + 1, blank)
    states[1::2] = symbols
    skips = numpy.zeros(len(states), bool)
    skips[3::2] = states[3::2] != states[1:-2:2]
    return states, skips


def _arrivals(score: Floats, skips: NDArray[numpy.bool_], first: bool) -> Floats:
    """Each state's score if it is kept, reached from the one before, or from the one before that [3, S]."""
    ways = numpy.full((3, len(score)), NEVER)
    ways[0] = score
    ways[1, 1:] = score[:-1]
    if not first:
        ways[2, 2:] = numpy.where(skips[2:], score[:-2], NEVER)
    return ways


class Guide(Protocol):
    """What steers a search beside the sound: a lexicon, a language model, hot words.

    A state is a function of the symbols written so far.
    """

    def start(self) -> Hashable:
        """The state before the first symbol."""

    def scores(self, state: Any) -> Floats:
        """What writing each symbol adds to the score [V]; -inf forbids it. Entries of the blank are not read."""

    def advance(self, state: Any, symbol: int) -> Hashable:
        """The state after one more symbol."""

    def finish(self, state: Any) -> float:
        """What ending here adds; -inf forbids it."""


@dataclass(frozen=True)
class Hypothesis:
    """One answer: its symbols, its score, and the part of it that is the sound's (a log-probability)."""

    symbols: list[int]
    score: float
    acoustic: float


class PrefixSearch:
    """Prefix beam search (Hannun et al. 2014), step by step: the best texts, not the best paths.

    >>> search = PrefixSearch(width=4)
    >>> search.advance(numpy.log([[0.6, 0.4], [0.6, 0.4]]))
    >>> search.results()[0].symbols                          # blank, blank has 0.36, all paths of [1] have 0.64
    [1]

    Args:
        guide: adds to the scores and forbids symbols; none leaves the sound alone.
        width: texts that are kept after each step.
        blank: number of the blank.
        margin: symbols less likely than a step's best one by more than this (natural logarithm) are not tried.

    Raises:
        OptionError: a width below 1 or a margin that is not positive.
    """

    def __init__(self, guide: Guide | None = None, width: int = 16, blank: int = 0, margin: float = 12.0) -> None:
        if width < 1 or not margin > 0:
            raise OptionError(f"a search needs width >= 1 and margin > 0: got {width} and {margin}")
        self.guide, self.width, self.blank, self.margin = guide, width, blank, margin
        # The texts as a tree: each node's parent, symbol and guide state. Node 0 is the empty text.
        self.parents, self.symbols = [-1], [blank]
        self.states: list[Any] = [guide.start() if guide else None]
        self.children: dict[tuple[int, int], int] = {}
        # The beams: their nodes, and the log-probabilities of all paths that end in a blank and that do not.
        self.nodes = numpy.zeros(1, numpy.int64)
        self.after_blank, self.after_symbol = numpy.zeros(1), numpy.full(1, NEVER)
        self.guided = numpy.zeros(1)

    def advance(self, log_probabilities: Floats) -> None:
        """Read the next steps [T, V]."""
        for row in _checked(log_probabilities):
            self._step(row.astype(numpy.float64))

    def _step(self, row: Floats) -> None:
        tried = numpy.flatnonzero(row >= row.max() - self.margin)
        tried = tried[tried != self.blank]
        last = numpy.array([self.symbols[node] for node in self.nodes])
        total = numpy.logaddexp(self.after_blank, self.after_symbol)
        blank, symbol = total + row[self.blank], self.after_symbol + row[last]
        # A symbol said again is a new one only after a blank.
        longer = numpy.where(tried == last[:, None], self.after_blank[:, None], total[:, None]) + row[tried]
        gains = self._gains(tried)
        self._merge(symbol, longer, tried, last)
        kept, extended = self._best(numpy.logaddexp(blank, symbol) + self.guided, longer + self.guided[:, None] + gains)
        parents, columns = extended
        self.nodes = numpy.concatenate([self.nodes[kept], self._grown(parents, tried[columns])])
        self.guided = numpy.concatenate([self.guided[kept], self.guided[parents] + gains[parents, columns]])
        self.after_blank = numpy.concatenate([blank[kept], numpy.full(len(parents), NEVER)])
        self.after_symbol = numpy.concatenate([symbol[kept], longer[parents, columns]])

    def _gains(self, tried: NDArray[numpy.int64]) -> Floats:
        if self.guide is None:
            return numpy.zeros((len(self.nodes), len(tried)))
        return numpy.stack([self.guide.scores(self.states[node])[tried] for node in self.nodes])

    def _merge(self, symbol: Floats, longer: Floats, tried: NDArray[numpy.int64], last: NDArray[numpy.int64]) -> None:
        """A beam made longer may be another beam: its paths are counted there, in place."""
        place = {int(node): i for i, node in enumerate(self.nodes)}
        column = {int(number): i for i, number in enumerate(tried)}
        for i, node in enumerate(self.nodes):
            parent = place.get(self.parents[int(node)])
            where = column.get(int(last[i]))
            if parent is not None and where is not None:
                symbol[i] = numpy.logaddexp(symbol[i], longer[parent, where])
                longer[parent, where] = NEVER

    def _best(self, kept: Floats, longer: Floats) -> tuple[Any, tuple[Any, Any]]:
        """The best `width` of the beams as they are and of those made longer, in a fixed order."""
        scores = numpy.concatenate([kept, longer.ravel()])
        order = numpy.argsort(-scores, kind="stable")[: self.width]
        order = order[scores[order] > NEVER]
        return order[order < len(kept)], numpy.divmod(order[order >= len(kept)] - len(kept), max(1, longer.shape[1]))

    def _grown(self, parents: NDArray[numpy.int64], symbols: NDArray[numpy.int64]) -> NDArray[numpy.int64]:
        """The nodes of beams made longer, new ones where there are none yet."""
        nodes = []
        for place, symbol in zip(parents.tolist(), symbols.tolist(), strict=True):
            parent = int(self.nodes[place])
            node = self.children.get((parent, symbol))
            if node is None:
                node = self.children[parent, symbol] = len(self.parents)
                self.parents.append(parent)
                self.symbols.append(symbol)
                self.states.append(self.guide.advance(self.states[parent], symbol) if self.guide else None)
            nodes.append(node)
        return numpy.array(nodes, numpy.int64)

    def results(self, n_best: int = 1, ended: bool = True) -> list[Hypothesis]:
        """The best texts, best first; `ended` adds what the guide says to ending here, and leaves out what can't end.

        Where nothing can end, it is as if `ended` were not set.
        """
        acoustic = numpy.logaddexp(self.after_blank, self.after_symbol)
        scores = acoustic + self.guided
        if ended and self.guide is not None:
            ends = scores + [self.guide.finish(self.states[node]) for node in self.nodes]
            scores = ends if (ends > NEVER).any() else scores
        order = [i for i in numpy.argsort(-scores, kind="stable") if scores[i] > NEVER][:n_best]
        return [Hypothesis(self._text(int(self.nodes[i])), float(scores[i]), float(acoustic[i])) for i in order]

    def stable(self) -> list[int]:
        """The symbols that all beams begin with: what follows can't change them any more."""
        texts = [self._text(int(node)) for node in self.nodes]
        shortest = min(texts, key=len)
        same = [all(text[i] == symbol for text in texts) for i, symbol in enumerate(shortest)]
        return shortest[: same.index(False)] if False in same else shortest

    def _text(self, node: int) -> list[int]:
        text = []
        while node > 0:
            text.append(self.symbols[node])
            node = self.parents[node]
        return text[::-1]
