"""N-gram models in backoff form, which is how ARPA files hold them and how a search asks them.

    p(w | c) = p(c w)               where the n-gram c w is listed
             = b(c) · p(w | c')     where it is not; c' is c without its oldest symbol, b(c) = 1 where c is not listed

An interpolated Kneser-Ney model has this form exactly: the listed probability is the whole sum of its formula, the
backoff weight what it leaves to the shorter context. The reference of `native/ngram.cc`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy
from numpy.typing import NDArray

from gruworks.errors import DataError, OptionError
from gruworks.ops.language_model.kneser_ney import ABSENT, KneserNey

__all__ = ["Backoff", "Order"]

Ids = NDArray[numpy.int64]
Reals = NDArray[numpy.float64]


@dataclass(frozen=True)
class Order:
    """The n-grams of one order, sorted by context and symbol; natural logarithms.

    `keys` is context · (V + 1) + symbol, the context being a number among the n-grams of the order below (0 for the
    first order, whose keys are 0 … V); `log_probability` ln p, `log_backoff` ln b (0 at the highest order).
    """

    keys: Ids
    log_probability: Reals
    log_backoff: Reals


class Backoff:
    """An n-gram model over symbols 0 … V-1; V stands for a text's beginning.

    >>> model = Backoff.of(KneserNey([[0, 1, 0, 1, 2]], size=3, order=2))
    >>> numpy.exp(model.log_probabilities((0,))).round(3).tolist()
    [0.117, 0.767, 0.117]

    Args:
        size: V. orders: the n-grams of the orders 1, 2 and so on.

    Raises:
        DataError: orders that don't fit together.
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
        """The same probabilities, in backoff form."""
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
            # Where nothing is left the weight is never used; where a context came only as another's end it is 1.
            with numpy.errstate(divide="ignore"):
                orders[-1].log_backoff[:] = numpy.log(level.rest)
            orders = made.orders
        return made

    @property
    def order(self) -> int:
        """The length of the longest n-grams."""
        return len(self.orders)

    @property
    def begin(self) -> int:
        """V, what stands for a text's beginning in a context."""
        return self.size

    def log_probabilities(self, context: Sequence[int]) -> Reals:
        """ln p(w | context) of all symbols [V]; the latest symbol stands last."""
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
        """The number of an n-gram among those of its order; -1 where it isn't listed."""
        return int(self._locate_all(numpy.array([gram], numpy.int64))[0])

    def grams(self, order: int) -> Ids:
        """All n-grams of an order [N, order], in the order of their numbers."""
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
            wanted = number * (self.size + 1) + symbol
            at = numpy.minimum(numpy.searchsorted(one.keys, wanted), max(0, len(one.keys) - 1))
            present = (number != ABSENT) & (one.keys[at] == wanted) if len(one.keys) else numpy.zeros(len(at), bool)
            number = numpy.where(present, at, ABSENT)
        return number

    def arrays(self) -> list[tuple[Any, Any, Any]]:
        """What the native model is made of: keys, ln p and ln b of each order, contiguous."""
        return [
            (
                numpy.ascontiguousarray(one.keys),
                numpy.ascontiguousarray(one.log_probability),
                numpy.ascontiguousarray(one.log_backoff),
            )
            for one in self.orders
        ]
