"""Connectionist temporal classification in NumPy: forced alignment, prefix beam search.

The reference of the native search. Graves et al. 2006, "Connectionist temporal classification". Shapes: T time steps, V
symbols of the output layer, the blank among them; log_probabilities are natural logarithms [T, V].
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy
from numpy.typing import NDArray

from gruworks.errors import OptionError, ShapeError, TooShortError

__all__ = ["Guide", "Hypothesis", "PrefixSearch", "align", "complete"]

Floats = NDArray[numpy.floating[Any]]
NEVER = -numpy.inf


def align(log_probabilities: Floats, symbols: Sequence[int], blank: int = 0) -> tuple[list[tuple[int, int]], float]:
    """Forced alignment: the most probable path of a symbol sequence (Viterbi).

    >>> align(numpy.log([[0.9, 0.1], [0.2, 0.8], [0.9, 0.1]]), [1])[0]
    [(1, 2)]

    Args:
        log_probabilities: [T, V].
        symbols: without blanks.
        blank: index of the blank.

    Returns:
        The time steps [first, end) of each symbol, and the log-probability of the path.

    Raises:
        TooShortError: fewer steps than the symbols need.
        ShapeError: log-probabilities that are not [T, V].
    """
    rows = _checked(log_probabilities)
    states, skips = _trellis(symbols, blank)
    best = numpy.full(len(states), NEVER)
    best[0] = 0.0
    origin = numpy.zeros((len(rows), len(states)), numpy.int64)
    for t, row in enumerate(rows):
        ways = _arrivals(best, skips, t == 0)
        origin[t] = ways.argmax(0)
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
        state -= int(origin[t, state])
    return spans, score


def _checked(log_probabilities: Floats) -> Floats:
    if log_probabilities.ndim != 2:
        raise ShapeError(f"expected log-probabilities [T, V], got {list(log_probabilities.shape)}")
    return log_probabilities


def _trellis(symbols: Sequence[int], blank: int) -> tuple[NDArray[numpy.int64], NDArray[numpy.bool_]]:
    """States of the trellis: the symbols with blanks around them; and those that may be reached by skipping a blank."""
    states = numpy.full(2 * len(symbols) + 1, blank)
    states[1::2] = symbols
    skips = numpy.zeros(len(states), bool)
    skips[3::2] = states[3::2] != states[1:-2:2]
    return states, skips


def _arrivals(score: Floats, skips: NDArray[numpy.bool_], first: bool) -> Floats:
    """Score of each state by its transition: self-loop, from the previous state, or over a blank [3, S]."""
    ways = numpy.full((3, len(score)), NEVER)
    ways[0] = score
    ways[1, 1:] = score[:-1]
    if not first:
        ways[2, 2:] = numpy.where(skips[2:], score[:-2], NEVER)
    return ways


class Guide(Protocol):
    """External score of a prefix search: a lexicon, a language model, hot words.

    A state is a function of the prefix.
    """

    def start(self) -> Hashable:
        """The state before the first symbol."""

    def scores(self, state: Any) -> Floats:
        """Score that each symbol adds [V]; -inf forbids it. The blank's is not read."""

    def advance(self, state: Any, symbol: int) -> Hashable:
        """State of the guide after a hypothesis is extended by `symbol`."""

    def finish(self, state: Any) -> float:
        """Score that the end of the text adds; -inf forbids it."""


@dataclass(frozen=True)
class Hypothesis:
    """Result of a search: its symbols, its total score, and the acoustic log-probability in it."""

    symbols: list[int]
    score: float
    acoustic: float


def complete(found: Sequence[Hypothesis], guide: Guide | None) -> list[Hypothesis]:
    """Hypotheses that may end, from the results of a search of which either all may or none.

    Where none may, since each ends inside a word, each is cut after the last symbol at which the guide allows an end;
    the first of equal ones is kept. The scores stay those of the whole hypotheses.
    """
    if guide is None or not found or _last_end(found[0].symbols, guide) == len(found[0].symbols):
        return list(found)
    cut: dict[tuple[int, ...], Hypothesis] = {}
    for one in found:
        symbols = one.symbols[: _last_end(one.symbols, guide)]
        cut.setdefault(tuple(symbols), Hypothesis(symbols, one.score, one.acoustic))
    return list(cut.values())


def _last_end(symbols: Sequence[int], guide: Guide) -> int:
    """The length of the longest prefix that may end; 0 if none may."""
    state: Any = guide.start()
    last = 0
    for count, symbol in enumerate(symbols, 1):
        state = guide.advance(state, symbol)
        if guide.finish(state) > NEVER:
            last = count
    return last


class PrefixSearch:
    """Prefix beam search over CTC outputs, incremental (Hannun et al. 2014, arXiv 1408.2873).

    >>> search = PrefixSearch(width=4)
    >>> search.advance(numpy.log([[0.6, 0.4], [0.6, 0.4]]))
    >>> search.results()[0].symbols                          # p([]) = 0.36, p([1]) = 0.64 over all paths
    [1]

    Args:
        guide: external score; None for the acoustic score alone.
        width: beam size.
        blank: index of the blank.
        margin: pruning threshold: symbols whose log-probability is lower than the step's best by more are skipped.

    Raises:
        OptionError: a width below 1 or a margin that is not positive.
    """

    def __init__(self, guide: Guide | None = None, width: int = 16, blank: int = 0, margin: float = 12.0) -> None:
        if width < 1 or not margin > 0:
            raise OptionError(f"a search needs width >= 1 and margin > 0: got {width} and {margin}")
        self.guide, self.width, self.blank, self.margin = guide, width, blank, margin
        # Prefix tree: parent, symbol and guide state of each node. Node 0 is the empty prefix.
        self.parents, self.symbols = [-1], [blank]
        self.states: list[Any] = [guide.start() if guide else None]
        self.children: dict[tuple[int, int], int] = {}
        # Beams: their nodes, and the log-probabilities of all their paths with and without a final blank.
        self.nodes = numpy.zeros(1, numpy.int64)
        self.after_blank, self.after_symbol = numpy.zeros(1), numpy.full(1, NEVER)
        self.guided = numpy.zeros(1)

    def advance(self, log_probabilities: Floats) -> None:
        """Process the next time steps.

        Args:
            log_probabilities: [T, V].

        Raises:
            ShapeError: another number of axes.
        """
        for row in _checked(log_probabilities):
            self._step(row.astype(numpy.float64))

    def _step(self, row: Floats) -> None:
        tried = numpy.flatnonzero(row >= row.max() - self.margin)
        tried = tried[tried != self.blank]
        last = numpy.array([self.symbols[node] for node in self.nodes])
        total = numpy.logaddexp(self.after_blank, self.after_symbol)
        blank, symbol = total + row[self.blank], self.after_symbol + row[last]
        # A repeated symbol is a new one only after a blank.
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
        """Merge extensions that equal another beam into that beam, in place."""
        place = {int(node): i for i, node in enumerate(self.nodes)}
        column = {int(number): i for i, number in enumerate(tried)}
        for i, node in enumerate(self.nodes):
            parent = place.get(self.parents[int(node)])
            where = column.get(int(last[i]))
            if parent is not None and where is not None:
                symbol[i] = numpy.logaddexp(symbol[i], longer[parent, where])
                longer[parent, where] = NEVER

    def _best(self, kept: Floats, longer: Floats) -> tuple[Any, tuple[Any, Any]]:
        """The best `width` of the unchanged and the extended beams, in a deterministic order."""
        scores = numpy.concatenate([kept, longer.ravel()])
        order = numpy.argsort(-scores, kind="stable")[: self.width]
        order = order[scores[order] > NEVER]
        return order[order < len(kept)], numpy.divmod(order[order >= len(kept)] - len(kept), max(1, longer.shape[1]))

    def _grown(self, parents: NDArray[numpy.int64], symbols: NDArray[numpy.int64]) -> NDArray[numpy.int64]:
        """Nodes of the extended beams, created where they do not exist yet."""
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
        """Hypotheses, best first.

        Args:
            n_best: upper limit of their number.
            ended: add the guide's final score and drop hypotheses that may not end. Where none may, they are cut after
                the last symbol at which they might (see `complete`).
        """
        acoustic = numpy.logaddexp(self.after_blank, self.after_symbol)
        scores = acoustic + self.guided
        if ended and self.guide is not None:
            ends = scores + [self.guide.finish(self.states[node]) for node in self.nodes]
            scores = ends if (ends > NEVER).any() else scores
        order = [i for i in numpy.argsort(-scores, kind="stable") if scores[i] > NEVER][:n_best]
        found = [Hypothesis(self._text(int(self.nodes[i])), float(scores[i]), float(acoustic[i])) for i in order]
        return complete(found, self.guide) if ended else found

    def stable(self) -> list[int]:
        """Common prefix of all beams, which later steps cannot change."""
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
