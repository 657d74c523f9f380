"""Interpolated Kneser-Ney n-gram models of symbols, also as a baseline of perplexity.

Kneser and Ney 1995 in the interpolated form of Chen and Goodman 1998 (eq. 23, continuation counts below the highest
order). With c a context, c' the same without its oldest symbol, a(c w) the count of an n-gram, and T(c) = Σ_w a(c w):

    p(w | c) = max(a(c w) - D, 0) / T(c) + D · |{w: a(c w) > 0}| / T(c) · p(w | c')

The empty context backs off to 1 / V. a is the count at the highest order, and at lower orders the number of different
symbols before c w (continuation count); an n-gram at the beginning of a document keeps its count (Heafield et al.
2013). Each order has its discount D = n1 / (n1 + 2 n2), where n1 and n2 are the numbers of n-grams with a = 1 and 2;
`modified` uses Chen and Goodman's three discounts for a = 1, 2 and more. Without n1 or n2, in small texts, D is 1/2.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy
from numpy.typing import ArrayLike, NDArray

from gruworks.errors import DataError, OptionError, ShapeError

__all__ = ["ABSENT", "KneserNey", "Level", "baseline", "find"]

Ids = NDArray[numpy.int64]
Reals = NDArray[numpy.float64]
ABSENT = -1


def baseline(train: Sequence[ArrayLike], test: Sequence[ArrayLike], vocabulary_size: int, order: int = 5) -> float:
    """Perplexity per symbol of documents under an interpolated Kneser-Ney model of others.

    >>> baseline([[0, 1, 0, 1, 2]] * 3, [[0, 1, 2]], vocabulary_size=3) < 3
    True

    Args:
        train, test: documents, integer arrays [T] of symbols 0 … V-1, with an end symbol if there is one, without a
            begin symbol, which the model adds.
        vocabulary_size: V.
        order: length of the longest n-grams.

    Raises:
        As `KneserNey`.
    """
    return KneserNey(train, vocabulary_size, order).perplexity(test)


def find(keys: Ids, context: Ids, symbol: Ids, size: int) -> Ids:
    """Indices of the n-grams (context, symbol) in the sorted keys of an order over `size` symbols; ABSENT if unseen."""
    wanted = context * (size + 1) + symbol
    at = numpy.minimum(numpy.searchsorted(keys, wanted), len(keys) - 1)
    present = (context != ABSENT) & (symbol != ABSENT) & (keys[at] == wanted if len(keys) else False)
    return numpy.where(present, at, ABSENT)


@dataclass(frozen=True)
class Level:
    """N-grams of one order, sorted by context and symbol.

    `keys` are context · (V + 1) + symbol, where context is an index among the n-grams of the order below; `discounted`
    is the first term of the formula, `rest` [contexts] the factor of the second, `first` [contexts + 1] the index of
    the first n-gram of each context.
    """

    keys: Ids
    discounted: Reals
    rest: Reals
    first: Ids


class KneserNey:
    """Interpolated Kneser-Ney model of documents of symbols 0 … V-1 (Kneser and Ney 1995, Chen and Goodman 1998).

    >>> model = KneserNey([[0, 1, 0, 1, 2]], size=3, order=2)
    >>> model.distribution([[0]]).round(3).tolist()
    [[0.15, 0.775, 0.075]]
    >>> model.score([0, 1]).shape
    (2,)

    Args:
        documents: integer arrays [T] of symbols, as in `baseline`.
        size: V.
        order: length of the longest n-grams, 1 or more.
        modified: three discounts for each order rather than one.

    Raises:
        DataError: no symbol at all, or one outside 0 … V-1.
        OptionError: an order or size below 1.
        ShapeError: a document that is not a one-dimensional array of integers.
    """

    def __init__(self, documents: Sequence[ArrayLike], size: int, order: int = 5, modified: bool = False) -> None:
        if order < 1 or size < 1:
            raise OptionError(
                f"an n-gram model needs order >= 1 and a vocabulary of at least 1: got {order} and {size}"
            )
        self.order, self.size, self.modified = order, size, modified
        rows = [self._checked(one) for one in documents]
        if not sum(map(len, rows)):
            raise DataError("there is no symbol to learn from: every document is empty")
        stream, depth = self._stream(rows)
        self.base: Reals  # p(w) without a context [V]
        self.levels: list[Level] = []
        self._fit(stream, depth)

    @property
    def begin(self) -> int:
        """V, the symbol of the beginning of a document in a context."""
        return self.size

    def score(self, tokens: ArrayLike, context: ArrayLike | None = None) -> Reals:
        """ln p of each symbol of a document [T] after `context`; None is the beginning of a document."""
        row, before = self._checked(tokens), self._before(context)
        stream = numpy.concatenate([before, row])
        return numpy.log(self._probabilities(stream, numpy.arange(len(stream)))[len(before) :])

    def perplexity(self, documents: Sequence[ArrayLike]) -> float:
        """Perplexity per symbol over all symbols of the documents, end symbols included."""
        stream, depth = self._stream([self._checked(one) for one in documents])
        inside = depth > 0
        if not inside.any():
            raise DataError("there is no symbol to score: every document is empty")
        return float(numpy.exp(-numpy.log(self._probabilities(stream, depth)[inside]).mean()))

    def distribution(self, contexts: ArrayLike) -> Reals:
        """p(w | context) for each row of contexts [N, C], oldest symbol first: [N, V].

        Symbols to the left of a `begin` in a row have no effect; -1 on the left shortens a row's context.
        """
        rows = numpy.asarray(contexts)
        if rows.ndim != 2 or not numpy.issubdtype(rows.dtype, numpy.integer):
            raise ShapeError(f"contexts must be integers [N, C], not {rows.dtype} {list(rows.shape)}")
        rows = rows.astype(numpy.int64)
        if rows.size and (rows.min() < ABSENT or rows.max() > self.begin):
            raise DataError(
                f"context tokens must be from 0 to {self.begin}, or -1 for no token, not {rows.min()} … {rows.max()}"
            )
        answer = numpy.repeat(self.base[None], len(rows), 0)
        for length in range(1, min(self.order - 1, rows.shape[1]) + 1):
            self._refine(answer, length, self._locate(rows[:, rows.shape[1] - length :]))
        return answer

    def _refine(self, answer: Reals, length: int, context: Ids) -> None:
        """From p(w | the last length - 1 symbols) to p(w | the last `length`), in place."""
        level = self.levels[length - 1]
        rows = numpy.flatnonzero(context != ABSENT)
        found = context[rows]
        answer[rows] *= level.rest[found, None]
        starts, counts = level.first[found], level.first[found + 1] - level.first[found]
        inner = numpy.arange(counts.sum()) - numpy.repeat(counts.cumsum() - counts, counts)
        entries = numpy.repeat(starts, counts) + inner
        answer[numpy.repeat(rows, counts), level.keys[entries] % (self.size + 1)] += level.discounted[entries]

    def _locate(self, grams: Ids) -> Ids:
        """Indices of n-grams [N, n] within their order; ABSENT for unseen ones."""
        number = grams[:, 0].copy()
        for place in range(1, grams.shape[1]):
            number = find(self.levels[place - 1].keys, number, grams[:, place], self.size)
        return number

    def _probabilities(self, stream: Ids, depth: Ids) -> Reals:
        """p of each symbol of the stream [S], given the symbols before it back to depth 0; undefined at `begin`."""
        answer = numpy.append(self.base, 1.0)[stream]
        number = stream
        for index, level in enumerate(self.levels):
            context = numpy.append(ABSENT, number[:-1])
            context[depth < index + 1] = ABSENT
            number = find(level.keys, context, stream, self.size)
            # One more element of rest and discounted, 1 and 0, for ABSENT.
            answer = numpy.append(level.rest, 1.0)[context] * answer + numpy.append(level.discounted, 0.0)[number]
        return answer

    def _fit(self, stream: Ids, depth: Ids) -> None:
        """Index the n-grams order by order, then estimate probabilities from the highest order down."""
        orders = list(_number(stream, depth, self.order, self.size + 1))
        counts = orders[-1].count
        levels = []
        for k in range(self.order - 1, 0, -1):
            one, below = orders[k], orders[k - 1]
            levels.append(self._level(one.keys, counts, len(below.count)))
            counts = numpy.where(below.begins, below.count, numpy.bincount(one.suffix, minlength=len(below.count)))
        self.levels = levels[::-1]
        counts = counts[: self.size]
        taken = self._discounts(counts)
        self.base = (counts - taken + taken.sum() / self.size) / counts.sum()

    def _level(self, keys: Ids, counts: Ids, contexts: int) -> Level:
        context = keys // (self.size + 1)
        taken = self._discounts(counts)
        total = numpy.bincount(context, counts, contexts)
        rest = numpy.ones(contexts)
        numpy.divide(numpy.bincount(context, taken, contexts), total, out=rest, where=total > 0)
        first = numpy.searchsorted(context, numpy.arange(contexts + 1))
        return Level(keys, (counts - taken) / total[context], rest, first)

    def _discounts(self, counts: Ids) -> Reals:
        """Absolute discount of each count, by whether it is 1, 2, or 3 and more."""
        n1, n2, n3, n4 = (int((counts == k).sum()) for k in range(1, 5))
        y = n1 / (n1 + 2 * n2) if n1 and n2 else 0.5
        by_count = numpy.array([0.0, y, y, y])
        if self.modified and n1 and n2 and n3 and n4:
            by_count[1:] = 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3
            by_count[1:] = by_count[1:].clip(0.01, [1, 2, 3])  # unseen n-grams keep a probability above 0
        return by_count[numpy.minimum(counts, 3)]

    def _checked(self, document: ArrayLike) -> Ids:
        row = numpy.asarray(document)
        if row.ndim != 1 or (row.size and not numpy.issubdtype(row.dtype, numpy.integer)):
            raise ShapeError(f"a document must be integers [T], not {row.dtype} {list(row.shape)}")
        if row.size and (row.min() < 0 or row.max() >= self.size):
            raise DataError(f"symbols must be in 0 … {self.size - 1}, not {row.min()} … {row.max()}")
        return row.astype(numpy.int64)

    def _before(self, context: ArrayLike | None) -> Ids:
        return numpy.array([self.begin]) if context is None else self._checked(context)

    def _stream(self, rows: Sequence[Ids]) -> tuple[Ids, Ids]:
        """The documents concatenated, `begin` before each, and the distance of each position from its `begin`."""
        lengths = numpy.array([len(row) + 1 for row in rows])
        stream = numpy.concatenate([part for row in rows for part in ([self.begin], row)]) if rows else numpy.zeros(0)
        starts = numpy.repeat(lengths.cumsum() - lengths, lengths)
        return stream.astype(numpy.int64), numpy.arange(len(stream)) - starts


@dataclass(frozen=True)
class _Grams:
    """Distinct n-grams of one order: keys as in `Level`, counts, the index of the n-gram without its first symbol, and
    True at the beginning of a document."""

    keys: Ids
    count: Ids
    suffix: Ids
    begins: NDArray[numpy.bool_]


def _number(stream: Ids, depth: Ids, order: int, base: int) -> Iterator[_Grams]:
    """The n-grams of the orders 1 … `order`."""
    alone = numpy.arange(base)
    yield _Grams(alone, numpy.bincount(stream, minlength=base), alone * 0, alone == base - 1)
    number = stream  # index of the n-gram that ends at each position
    for k in range(2, order + 1):
        places = numpy.flatnonzero(depth >= k - 1)
        found = numpy.unique(
            number[places - 1] * base + stream[places], return_index=True, return_inverse=True, return_counts=True
        )
        keys, first, inverse, count = found
        yield _Grams(keys, count, number[places[first]], depth[places[first]] == k - 1)
        number = numpy.full_like(stream, ABSENT)
        number[places] = inverse
