"""The Kneser-Ney baseline at its best: order, discounts and cut-off chosen on a validation part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy
from numpy.typing import ArrayLike

from gruworks.ops.language_model.kneser_ney import KneserNey, Level

__all__ = ["GRID", "Choice", "best"]


@dataclass(frozen=True)
class Choice:
    """Order, three discounts or one, and the lowest order whose n-grams of count 1 are left out (none if None)."""

    order: int
    modified: bool
    cut_from: int | None = None

    def __str__(self) -> str:
        cut = "no cut-off" if self.cut_from is None else f"n-grams of count 1 left out from order {self.cut_from} on"
        return f"order {self.order}, {'three discounts' if self.modified else 'one discount'}, {cut}"

    def model(self, documents: Sequence[ArrayLike], size: int) -> KneserNey:
        return _CutOff(documents, size, self)


ORDERS, CUTS = range(4, 9), (None, 5, 4, 3)
GRID = [Choice(*one) for one in product(ORDERS, (False, True), CUTS) if one[2] is None or one[2] <= one[0]]


class _CutOff(KneserNey):
    def __init__(self, documents: Sequence[ArrayLike], size: int, choice: Choice) -> None:
        self._below, self._cut_from, self._cutting = choice.order, choice.cut_from or choice.order + 1, False
        super().__init__(documents, size, choice.order, choice.modified)

    def _level(self, keys: numpy.ndarray, counts: numpy.ndarray, contexts: int) -> Level:
        self._cutting = self._below >= self._cut_from  # levels come from the highest order down
        self._below -= 1
        level = super()._level(keys, counts, contexts)
        self._cutting = False
        return level

    def _discounts(self, counts: numpy.ndarray) -> numpy.ndarray:
        """A count of 1 that is cut off is discounted whole: its share goes to the lower order."""
        taken = super()._discounts(counts)
        return numpy.where(counts == 1, 1.0, taken) if self._cutting else taken


def best(perplexity: Callable[[Choice], float], grid: Sequence[Choice] = GRID) -> tuple[Choice, dict[Choice, float]]:
    """The choice of the lowest validation perplexity, and all perplexities."""
    found = {choice: perplexity(choice) for choice in grid}
    return min(found, key=lambda choice: found[choice]), found
