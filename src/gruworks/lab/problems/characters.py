"""Character-level language modelling of Shakespeare: 90 % of the text to train, 5 % to validate, 5 % to test."""

from __future__ import annotations

import math

import numpy
import torch
from numpy.typing import NDArray

from gruworks.data.catalogue import find
from gruworks.lab.problems.batches import Batch, Problem, chunks, log_frequencies

__all__ = ["characters"]

ROWS = 50


def characters(rows: int, steps: int, per_epoch: int, seed: int, text: str | None = None) -> Problem:
    """Next-character prediction on segments of a text, one-hot [steps, B, V], each from a zero state.

    >>> characters(4, 10, 100, seed=0, text="to be or not to be " * 300).draw(0, 0).x.shape
    torch.Size([10, 4, 8])

    Args:
        rows: B, segments per training batch, drawn at random places.
        steps: characters per segment.
        per_epoch: batches per epoch.
        seed: of the random places.
        text: the corpus; None for Tiny Shakespeare.
    """
    if text is None:
        text = find("tinyshakespeare")["tinyshakespeare.txt"].read_text(encoding="utf-8")
    alphabet, symbols = numpy.unique(numpy.array(list(text)), return_inverse=True)
    size, edge, end = len(alphabet), int(0.9 * len(symbols)), int(0.95 * len(symbols))

    def draw(epoch: int, index: int) -> Batch:
        rng = numpy.random.default_rng((seed, epoch * per_epoch + index))
        starts = rng.integers(0, edge - steps - 1, rows)
        return _batch([symbols[start : start + steps + 1] for start in starts], size)

    valid, test = (_segments(part, steps, size) for part in (symbols[edge:end], symbols[end:]))
    prior = log_frequencies(symbols[:edge], size)
    return Problem(size, size, draw, valid, test, chance=math.log(size), prior=prior)


def _segments(symbols: NDArray[numpy.int64], steps: int, size: int) -> list[Batch]:
    """Consecutive segments of a part in batches, without the remainder at its end."""
    cut = [symbols[i : i + steps + 1] for i in range(0, len(symbols) - steps, steps)]
    return [_batch(part, size) for part in chunks(cut, ROWS)]


def _batch(segments: list[NDArray[numpy.int64]], size: int) -> Batch:
    read = numpy.stack(segments, 1)
    x = torch.from_numpy(numpy.eye(size, dtype=numpy.float32)[read[:-1]])
    return Batch(x, torch.ones(x.shape[:2], dtype=torch.bool), torch.from_numpy(read[1:].reshape(-1)))
