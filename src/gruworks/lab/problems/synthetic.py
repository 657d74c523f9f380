"""Tasks with an answer: adding, copy memory, temporal order, Dyck-2. Each makes its data from a seed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy
import torch
from torch import Tensor

from gruworks.errors import OptionError

__all__ = ["SYNTHETIC", "Batch", "Synthetic", "adding", "copy_memory", "dyck2", "look_up", "temporal_order"]

KEYS, VALUES = 32, 8  # of look_up


class Batch(NamedTuple):
    """x [T, B, I], the steps that are asked about `asked` [T, B], and what is right there, y [N] or [N, notes]."""

    x: Tensor
    asked: Tensor
    y: Tensor


def adding(rows: int, length: int, seed: int) -> Batch:
    """Numbers from 0 to 1 with a mark on two of them; asked at the end for the sum of the two.

    Hochreiter and Schmidhuber 1997; the two places are any two of the T steps, as Bai et al. 2018 draw them.

    >>> adding(5, 40, seed=0).x.shape
    torch.Size([40, 5, 2])

    Args:
        rows: B. length: T, 2 or more. seed: of what is drawn; the same seed gives the same batch.
    """
    rng = _rng(rows, length, 2, seed)
    values = rng.random((length, rows), dtype=numpy.float32)
    marks = numpy.zeros((length, rows), numpy.float32)
    places = rng.random((length, rows)).argsort(0)[:2]
    numpy.put_along_axis(marks, places, 1.0, 0)
    x = torch.from_numpy(numpy.stack([values, marks], -1))
    return Batch(x, _last(length, rows), torch.from_numpy((values * marks).sum(0)))


def copy_memory(rows: int, length: int, seed: int) -> Batch:
    """Ten symbols of eight, T - 1 blanks, a sign to begin, and asked for the ten; T + 20 steps, all of them count.

    Bai et al. 2018: symbols 1 to 8, blank 0, sign 9, from which on the input stays at 9; the right output is 0 before.
    Input is one-hot.

    >>> batch = copy_memory(5, 100, seed=0)
    >>> batch.x.shape, batch.y.shape
    (torch.Size([120, 5, 10]), torch.Size([600]))
    """
    rng = _rng(rows, length, 1, seed)
    word = rng.integers(1, 9, (10, rows))
    read = numpy.concatenate([word, numpy.zeros((length - 1, rows), int), numpy.full((11, rows), 9)])
    right = numpy.concatenate([numpy.zeros((length + 10, rows), int), word])
    return Batch(_one_hot(read, 10), torch.ones(read.shape, dtype=torch.bool), torch.from_numpy(right.reshape(-1)))


def temporal_order(rows: int, length: int, seed: int) -> Batch:
    """X or Y comes twice among other symbols; asked at the end which came in which order, of four answers.

    Hochreiter and Schmidhuber 1997, task 6a: symbols a b c d, the first at 10-20 % of the sequence, the second at
    50-60 %, E at the start and B at the end.

    >>> batch = temporal_order(5, 60, seed=0)
    >>> batch.x.shape, int(batch.y.max()) < 4
    (torch.Size([60, 5, 8]), True)
    """
    rng = _rng(rows, length, 10, seed)
    symbols = rng.integers(0, 4, (length, rows))
    symbols[0], symbols[-1] = 6, 7
    answers = rng.integers(0, 2, (2, rows))
    every = numpy.arange(rows)
    for answer, share in zip(answers, (0.1, 0.5), strict=True):
        first = math.ceil(share * length)
        last = max(first, math.floor((share + 0.1) * length))
        symbols[rng.integers(first, last + 1, rows), every] = 4 + answer
    return Batch(_one_hot(symbols, 8), _last(length, rows), torch.from_numpy(2 * answers[0] + answers[1]))


def dyck2(rows: int, length: int, seed: int, depth: int = 12) -> Batch:
    """Brackets of two kinds, well nested; asked at every step which one may close next: none, ) or ].

    The language of Chomsky and Schützenberger 1963. Each step opens or closes with equal chance where both are
    possible; never deeper than `depth`.

    >>> dyck2(5, 30, seed=0).x.shape
    torch.Size([30, 5, 4])
    """
    rng = _rng(rows, length, 1, seed)
    if depth < 1:
        raise OptionError(f"brackets are at least one deep, not {depth}")
    closes, kinds = rng.random((length, rows)) < 0.5, rng.integers(0, 2, (length, rows))
    symbols = numpy.empty((length, rows), int)
    right = numpy.empty((length, rows), int)
    for row in range(rows):
        open_now: list[int] = []
        for t in range(length):
            if open_now and (closes[t, row] or len(open_now) == depth):
                symbols[t, row] = 2 + open_now.pop()
            else:
                open_now.append(int(kinds[t, row]))
                symbols[t, row] = open_now[-1]
            right[t, row] = 1 + open_now[-1] if open_now else 0
    return Batch(_one_hot(symbols, 4), torch.ones(symbols.shape, dtype=torch.bool), torch.from_numpy(right.reshape(-1)))


def look_up(rows: int, length: int, seed: int) -> Batch:
    """Pairs of a key and a value, then keys alone, each asked for its value: associative recall (Graves et al. 2014).

    The first half of the steps are pairs, at most 32 with no key twice; in the second half each step is one of these
    keys, drawn anew. 32 keys and 8 values.

    >>> batch = look_up(5, 64, seed=0)
    >>> batch.x.shape, int(batch.asked.sum())
    (torch.Size([64, 5, 40]), 160)
    """
    rng = _rng(rows, length, 4, seed)
    pairs = min(length // 4, KEYS)
    keys = rng.random((KEYS, rows)).argsort(0)[:pairs]
    values = rng.integers(0, VALUES, (pairs, rows))
    which = rng.integers(0, pairs, (length - 2 * pairs, rows))
    told = numpy.stack([keys, KEYS + values], 1).reshape(2 * pairs, rows)
    symbols = numpy.concatenate([told, numpy.take_along_axis(keys, which, 0)])
    asked = torch.zeros(length, rows, dtype=torch.bool)
    asked[2 * pairs :] = True
    answers = numpy.take_along_axis(values, which, 0)
    return Batch(_one_hot(symbols, KEYS + VALUES), asked, torch.from_numpy(answers.reshape(-1)))


class Synthetic(NamedTuple):
    """A task by name: its maker, entries of input and output, and the loss that knowing nothing of the input gives."""

    make: Callable[[int, int, int], Batch]
    inputs: int
    outputs: int
    chance: Callable[[int], float]
    what: str


SYNTHETIC = {
    # The variance of a sum of two uniform numbers; the others are what a uniform guess costs in nats.
    "adding": Synthetic(adding, 2, 1, lambda T: 1 / 6, "mean squared error"),
    "copy": Synthetic(copy_memory, 10, 10, lambda T: 10 * math.log(8) / (T + 20), "nats per step, all T + 20"),
    "order": Synthetic(temporal_order, 8, 4, lambda T: math.log(4), "nats"),
    "dyck2": Synthetic(dyck2, 4, 3, lambda T: math.log(3), "nats per step"),
    "look-up": Synthetic(look_up, KEYS + VALUES, VALUES, lambda T: math.log(VALUES), "nats per key"),
}


def _rng(rows: int, length: int, shortest: int, seed: int) -> numpy.random.Generator:
    if rows < 1 or length < shortest or seed < 0:
        raise OptionError(
            f"expected 1 row or more of {shortest} steps or more and a seed from 0 on, "
            f"got {rows} rows, length {length}, seed {seed}"
        )
    return numpy.random.default_rng(seed)


def _last(length: int, rows: int) -> Tensor:
    asked = torch.zeros(length, rows, dtype=torch.bool)
    asked[-1] = True
    return asked


def _one_hot(symbols: numpy.ndarray, size: int) -> Tensor:
    return torch.from_numpy(numpy.eye(size, dtype=numpy.float32)[symbols])
