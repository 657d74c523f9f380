"""N-gram models in backoff form (Katz 1987), the form of ARPA files and of decoding.

    p(w | c) = p(c w)               where the n-gram c w is listed
             = b(c) · p(w | c')     otherwise; c' is c without its oldest symbol, b(c) = 1 where c is not listed

An interpolated Kneser-Ney model has this form exactly: the listed probability is the interpolated one, the backoff
weight the interpolation weight of the shorter context. The reference of `native/ctc/ngram.cc`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy
from numpy.typing import NDArray

from gruworks.errors import DataError, OptionError
from gruworks.ops.language_model.kneser_ney import ABSENT, KneserNey, find

__all__ = ["Backoff", "Order"]

Ids = NDArray[numpy.int64]
Reals = NDArray[numpy.float64]


@dataclass(frozen=True)
class Order:
    """N-grams of one order, sorted by context and symbol.

    `keys` are context · (V + 1) + symbol, where context is an index among the n-grams of the order below (0 for the
    first order, whose keys are 0 … V); `log_probability` is ln p, `log_backoff` ln b (0 at the highest order).
    """

    keys: Ids
    log_probability: Reals
    log_backoff: Reals


class Backoff:
    """N-gram model in backoff form over symbols 0 … V-1; V is the beginning of a text.

    >>> model = Backoff.of(KneserNey([[0, 1, 0, 1, 2]], size=3, order=2))
    >>> numpy.exp(model.log_probabilities((0,))).round(3).tolist()
    [0.15, 0.775, 0.075]

    Args:
        size: V.
        orders: n-grams of the orders 1, 2 and so on.

    Raises:
        DataError: a first order that does not list all symbols.
    """

    def __init__(self, size: int, orders: Sequence[Order]) -> None:
        self.size, self.orders = size, list(orders)
        if not orders or len(orders[0].keys) != size + 1:
            raise DataError(
                f"a backoff model of {size} symbols lists each of them and the beginning in its first order"
            )
        self._first = [
            numpy.searchsorted(one.keys // (size + 1), numpy.arange(len(below.keys) + 1))
            for below, one in zip(self.orders, self.orders[1:], strict=False)
        ]

    @classmethod
    def of(cls, model: KneserNey) -> Backoff:
        """Backoff form of a Kneser-Ney model, with the same probabilities."""
        size = model.size
        orders = [Order(numpy.arange(size + 1), numpy.append(numpy.log(model.base), -numpy.inf), numpy.zeros(size + 1))]
        made = cls(size, orders)
        for level in model.levels:
            context = level.keys // (size + 1)
            log_probability = numpy.zeros(len(level.keys))
            made = cls(size, [*orders, Order(level.keys, log_probability, numpy.zeros(len(log_probability)))])
            grams = made.grams(len(orders) + 1)
            shorter = numpy.exp(orders[-1].log_probability[made._locate_all(grams[:, 1:])])
            log_probability[:] = numpy.log(level.discounted + level.rest[context] * shorter)
            # A weight of 0 (ln 0) is never used; the weight of a context seen only at the end of texts is 1.
            with numpy.errstate(divide="ignore"):
                orders[-1].log_backoff[:] = numpy.log(level.rest)
            orders = made.orders
        return made

    @property
    def order(self) -> int:
        """Length of the longest n-grams."""
        return len(self.orders)

    @property
    def begin(self) -> int:
        """V, the symbol of the beginning of a text in a context."""
        return self.size

    def log_probabilities(self, context: Sequence[int]) -> Reals:
        """ln p(w | context) of all symbols [V]; `context` ends with the latest symbol."""
        row: Reals = self.orders[0].log_probability[: self.size].copy()
        for length in range(1, min(self.order - 1, len(context)) + 1):
            number = self.locate(context[len(context) - length :])
            if number == ABSENT:
                continue
            row += self.orders[length - 1].log_backoff[number]
            one, first = self.orders[length], self._first[length - 1]
            own = slice(first[number], first[number + 1])
            row[one.keys[own] % (self.size + 1)] = one.log_probability[own]
        return row

    def locate(self, gram: Sequence[int]) -> int:
        """Index of an n-gram within its order; -1 for one that is not listed."""
        return int(self._locate_all(numpy.array([gram], numpy.int64))[0])

    def grams(self, order: int) -> Ids:
        """All n-grams of an order [N, order], by index.

        Raises:
            OptionError: an order that the model does not have.
        """
        if not 1 <= order <= self.order:
            raise OptionError(f"this model has n-grams of the orders 1 to {self.order}, not {order}")
        found: Ids = numpy.arange(self.size + 1)[:, None]
        for one in self.orders[1:order]:
            context, symbol = numpy.divmod(one.keys, self.size + 1)
            found = numpy.concatenate([found[context], symbol[:, None]], 1)
        return found

    def _locate_all(self, grams: Ids) -> Ids:
        number = grams[:, 0].copy()
        number[(number < 0) | (number > self.size)] = ABSENT
        for one, symbol in zip(self.orders[1:], grams[:, 1:].T, strict=False):
            number = find(one.keys, number, symbol, self.size)
        return number

    def arrays(self) -> list[tuple[Any, ...]]:
        """Keys, ln p and ln b of each order, contiguous, for the native model."""
        columns = ((one.keys, one.log_probability, one.log_backoff) for one in self.orders)
        return [tuple(map(numpy.ascontiguousarray, three)) for three in columns]
