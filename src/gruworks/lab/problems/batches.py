"""Batches of the lab's tasks, and passes over a corpus of sequences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy
import torch
from torch import Tensor
from torch.nn import functional

from gruworks.errors import OptionError

__all__ = ["Batch", "Problem", "bucketed", "by_length", "chunks", "log_frequencies", "passes"]

Item = TypeVar("Item")


class Batch(NamedTuple):
    """Input x [T, B, I], the mask `asked` [T, B] of the N steps with a target, and the targets y [N, ...] of these."""

    x: Tensor
    asked: Tensor
    y: Tensor


Draw = Callable[[int, int], Batch]  # epoch and index within it → training batch


class Problem(NamedTuple):
    """A task as batches: sizes of input and output, batches of training, validation and test, and the loss.

    `loss` takes the outputs [N, outputs] at the steps with a target, and the targets. `chance` is the test loss of a
    model that ignores its input. `prior` [outputs] is the initial bias of the readout.
    """

    inputs: int
    outputs: int
    draw: Draw
    valid: list[Batch]
    test: list[Batch]
    chance: float
    loss: Callable[[Tensor, Tensor], Tensor] = functional.cross_entropy
    prior: Tensor | None = None
    generated: bool = False  # sequences are generated, and of one length


def passes(
    count: int,
    rows: int,
    per_epoch: int,
    what: str,
    order: Callable[[int], list[list[Item]]],
    collate: Callable[[list[Item]], Any],
) -> Callable[[int, int], Any]:
    """Training batches by (epoch, index) from repeated passes over a corpus.

    >>> draw = passes(4, 2, 10, "letters", lambda number: [[number, 1], [number, 2]], tuple)
    >>> draw(0, 1), draw(0, 2)
    ((0, 2), (1, 1))

    Args:
        count: number of items in the corpus.
        rows: B, items per batch.
        per_epoch: batches per epoch.
        what: name of the items, for the error message.
        order: the items of each batch of a pass, given the number of the pass.
        collate: makes a batch of its items.

    Raises:
        OptionError: the corpus has fewer items than a batch.
    """
    one_pass = count // rows
    if not one_pass:
        raise OptionError(f"{count} {what} don't fill one batch of {rows}: take a smaller batch")
    cached: dict[int, list[list[Item]]] = {}

    def draw(epoch: int, index: int) -> Any:
        number, place = divmod(epoch * per_epoch + index, one_pass)
        if number not in cached:
            cached.clear()
            cached[number] = order(number)
        return collate(cached[number][place])

    return draw


def bucketed(
    items: Sequence[Item],
    rows: int,
    per_epoch: int,
    seed: int,
    what: str,
    length: Callable[[Item], int],
    collate: Callable[[list[Item]], Batch],
) -> Draw:
    """Training batches of items of similar length, in a new random order in each pass; arguments as for `passes`.

    A random remainder of the items that doesn't fill a batch is left out of the pass.
    """

    def order(number: int) -> list[list[Item]]:
        rng = numpy.random.default_rng((seed, number))
        kept = rng.permutation(len(items))[: len(items) // rows * rows]
        made = chunks(sorted((items[i] for i in kept), key=length), rows)
        return [made[i] for i in rng.permutation(len(made))]

    return passes(len(items), rows, per_epoch, what, order, collate)


def by_length(
    items: Sequence[Item], rows: int, length: Callable[[Item], int], collate: Callable[[list[Item]], Batch]
) -> list[Batch]:
    """All items in batches of `rows`, shortest first."""
    return [collate(part) for part in chunks(sorted(items, key=length), rows)]


def chunks(items: list[Item], size: int) -> list[list[Item]]:
    """Consecutive chunks of `size` items; the last may be shorter."""
    return [items[i : i + size] for i in range(0, len(items), size)]


def log_frequencies(classes: Any, count: int) -> Tensor:
    """Log-frequencies of `count` classes, with add-one smoothing: float32 [count]."""
    counts = numpy.bincount(classes, minlength=count) + 1.0
    return torch.from_numpy(numpy.log(counts / counts.sum()).astype(numpy.float32))
