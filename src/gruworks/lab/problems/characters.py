"""Shakespeare by characters: each step reads one and predicts the next; 90 % train, 5 % validate, 5 % test."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

from gruworks.data.catalogue import find
from gruworks.lab.problems.synthetic import Batch

__all__ = ["Characters", "characters"]

ROWS = 50


class Characters(NamedTuple):
    """Number of different characters, training batches by (epoch, index), validation and test batches, first bias."""

    size: int
    draw: Callable[[int, int], Batch]
    valid: list[Batch]
    test: list[Batch]
    prior: Tensor


def characters(rows: int, steps: int, per_epoch: int, seed: int, text: str | None = None) -> Characters:
    """Batches of `rows` stretches of `steps` characters; a zero state at each stretch.

    >>> characters(4, 10, 100, seed=0, text="to be or not to be " * 300).draw(0, 0).x.shape
    torch.Size([10, 4, 8])

    Args:
        text: Tiny Shakespeare if none is given.
    """
    if text is None:
        text = find("tinyshakespeare")["tinyshakespeare.txt"].read_text(encoding="utf-8")
    alphabet, symbols = numpy.unique(numpy.array(list(text)), return_inverse=True)
    size, edge, end = len(alphabet), int(0.9 * len(symbols)), int(0.95 * len(symbols))

    def draw(epoch: int, index: int) -> Batch:
        rng = numpy.random.default_rng((seed, epoch * per_epoch + index))
        starts = rng.integers(0, edge - steps - 1, rows)
        return _batch([symbols[start : start + steps + 1] for start in starts], size)

    counts = numpy.bincount(symbols[:edge], minlength=size) + 1.0
    prior = torch.from_numpy(numpy.log(counts / counts.sum()).astype(numpy.float32))
    return Characters(size, draw, _listed(symbols[edge:end], steps, size), _listed(symbols[end:], steps, size), prior)


def _listed(symbols: NDArray[numpy.int64], steps: int, size: int) -> list[Batch]:
    """The stretches of a part, one after the other, as batches; what is left at its end is left out."""
    cut = [symbols[i : i + steps + 1] for i in range(0, len(symbols) - steps, steps)]
    return [_batch(cut[i : i + ROWS], size) for i in range(0, len(cut), ROWS)]


def _batch(stretches: list[NDArray[numpy.int64]], size: int) -> Batch:
    read = numpy.stack(stretches, 1)
    x = torch.from_numpy(numpy.eye(size, dtype=numpy.float32)[read[:-1]])
    return Batch(x, torch.ones(x.shape[:2], dtype=torch.bool), torch.from_numpy(read[1:].reshape(-1)))
