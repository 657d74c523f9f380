"""Faults of a whole corpus of pairs: lines shifted against each other, a side that is no language."""

from __future__ import annotations

from collections.abc import Iterator

import numpy
from numpy.typing import NDArray

from gruworks.data.characters import is_number
from gruworks.tasks.translate.reading import Pairs

__all__ = ["shifted", "suspicions"]

WINDOW, FEWEST, FARTHEST = 200, 40, 3  # pairs of a window; fewest pairs of one; largest shift
CORRELATED, BETTER = 0.5, 0.25  # correlation of lengths under the best shift, and its excess over that without one
NUMBERS = 0.5  # share of lines of a side that are numbers


def suspicions(pairs: Pairs) -> list[tuple[int, str]]:
    """Faults that the pairs probably have as a whole: index of the first pair concerned, and a line about the fault."""
    found = []
    for name, lines in (("source", pairs.sources), ("target", pairs.targets)):
        share = sum(map(is_number, lines)) / max(1, len(lines))
        if share >= NUMBERS:
            first = next(i for i, line in enumerate(lines) if is_number(line))
            found.append((first, f"{share:.0%} of the {name} lines are numbers: name the columns of the texts"))
    place = next(shifted(pairs), None)
    if place is not None:
        begin, shift = place
        told = f"target lines {abs(shift)} {'below' if shift > 0 else 'above'} fit better than those of the same number"
        found.append((begin, f"the sides are shifted from about here on: {told}"))
    return found


def shifted(pairs: Pairs) -> Iterator[tuple[int, int]]:
    """First pair and shift of each window whose lengths correlate better under a shift than without one."""
    sides = [numpy.log1p([len(line) for line in side]) for side in (pairs.sources, pairs.targets)]
    for begin in range(0, max(1, len(pairs) - WINDOW // 2), WINDOW):
        source, target = (side[begin : begin + WINDOW] for side in sides)
        if len(source) < FEWEST:
            continue
        shift, best = max(((d, _correlation(source, target, d)) for d in range(-FARTHEST, FARTHEST + 1)), key=_second)
        if shift and best > CORRELATED and best > BETTER + _correlation(source, target, 0):
            yield begin, shift


def _second(one: tuple[int, float]) -> float:
    return one[1]


def _correlation(source: NDArray[numpy.float64], target: NDArray[numpy.float64], shift: int) -> float:
    """Correlation of source[i] and target[i + shift]."""
    a = source[max(0, -shift) : len(source) - max(0, shift)]
    b = target[max(0, shift) : len(target) + min(0, shift)]
    if not a.std() or not b.std():
        return 0.0
    return float(numpy.corrcoef(a, b)[0, 1])
