"""Training batches by (epoch, index) from a corpus that is gone through pass after pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy

from gruworks.errors import OptionError

__all__ = ["bucketed", "passes"]

Item = TypeVar("Item")


def passes(
    count: int, rows: int, per_epoch: int, what: str, order: Callable[[int], list[list[Item]]]
) -> Callable[[int, int], list[Item]]:
    """The rows of the batch at (epoch, index), where a pass has `count` // `rows` batches and `order` gives a pass's.

    >>> draw = passes(4, 2, 10, "letters", lambda number: [[number, 1], [number, 2]])
    >>> draw(0, 1), draw(0, 2)
    ([0, 2], [1, 1])

    Raises:
        OptionError: they don't fill one batch.
    """
    one_pass = count // rows
    if not one_pass:
        raise OptionError(f"{count} {what} don't fill one batch of {rows}: take a smaller batch")
    held: dict[str, Any] = {"number": None, "order": []}

    def draw(epoch: int, index: int) -> list[Item]:
        number, place = divmod(epoch * per_epoch + index, one_pass)
        if held["number"] != number:
            held.update(number=number, order=order(number))
        batch: list[Item] = held["order"][place]
        return batch

    return draw


def bucketed(
    items: Sequence[Item], rows: int, length: Callable[[Item], int], seed: tuple[int, int]
) -> list[list[Item]]:
    """A pass over the items as full batches of about equally long ones, in random order; a random rest is left out."""
    rng = numpy.random.default_rng(seed)
    order = rng.permutation(len(items))[: len(items) // rows * rows]
    ordered = sorted((items[i] for i in order), key=length)
    made = [ordered[i : i + rows] for i in range(0, len(ordered), rows)]
    return [made[i] for i in rng.permutation(len(made))]
