"""Synthetic tasks, generated from a seed: adding, copy memory, temporal order, Dyck-2, recall, state tracking."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy
import torch
from torch import Tensor
from torch.nn import functional

from gruworks.errors import OptionError
from gruworks.lab.problems.automata import AUTOMATA, Automaton, track
from gruworks.lab.problems.batches import Batch

__all__ = ["SYNTHETIC", "Synthetic", "adding", "copy_memory", "dyck2", "look_up", "temporal_order"]

KEYS, VALUES = 32, 8  # of look_up


def adding(rows: int, length: int, seed: int) -> Batch:
    """The adding problem: numbers from 0 to 1, two of them marked; the target at the last step is the sum of these two.

    Hochreiter and Schmidhuber 1997; the marks are at any two of the T steps, as in Bai et al. 2018.

    >>> adding(5, 40, seed=0).x.shape
    torch.Size([40, 5, 2])

    Args:
        rows: B.
        length: T, at least 2.
        seed: of the random numbers; the same seed gives the same batch.

    Raises:
        OptionError: no row, fewer steps, or a negative seed.
    """
    rng = _rng(rows, length, 2, seed)
    values = rng.random((length, rows), dtype=numpy.float32)
    marks = numpy.zeros((length, rows), numpy.float32)
    places = rng.random((length, rows)).argsort(0)[:2]
    numpy.put_along_axis(marks, places, 1.0, 0)
    x = torch.from_numpy(numpy.stack([values, marks], -1))
    return Batch(x, _last(length, rows), torch.from_numpy((values * marks).sum(0)))


def copy_memory(rows: int, length: int, seed: int) -> Batch:
    """The copy memory task over T + 20 steps: ten symbols of an alphabet of eight, to be repeated after T steps.

    As in Bai et al. 2018: symbols 1 to 8, then T - 1 blanks (0), then the delimiter (9) for 11 steps, one-hot. The
    target is 0 up to the last ten steps, where it is the ten symbols. Arguments as for `adding`, T at least 1.

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
    """The temporal order problem: X or Y occurs twice among distractors; the target is their order, one of four.

    Hochreiter and Schmidhuber 1997, task 6a: distractors a b c d, the first X or Y at 10-20 % of the sequence, the
    second at 50-60 %, E at the start and B at the end. Arguments as for `adding`, T at least 10.

    >>> batch = temporal_order(5, 60, seed=0)
    >>> batch.x.shape, int(batch.y.max()) < 4
    (torch.Size([60, 5, 8]), True)
    """
    rng = _rng(rows, length, 10, seed)
    symbols = rng.integers(0, 4, (length, rows))
    symbols[0], symbols[-1] = 6, 7
    answers = rng.integers(0, 2, (2, rows))
    every = numpy.arange(rows)
    for answer, fraction in zip(answers, (0.1, 0.5), strict=True):
        first = math.ceil(fraction * length)
        last = max(first, math.floor((fraction + 0.1) * length))
        symbols[rng.integers(first, last + 1, rows), every] = 4 + answer
    return Batch(_one_hot(symbols, 8), _last(length, rows), torch.from_numpy(2 * answers[0] + answers[1]))


def dyck2(rows: int, length: int, seed: int, depth: int = 12) -> Batch:
    """Prefixes of the Dyck-2 language; the target at every step is the bracket that may close next: none, ) or ].

    Well-nested brackets of two kinds (Chomsky and Schützenberger 1963), at most `depth` deep. Where both are possible,
    a step opens or closes one with equal probability. Arguments as for `adding`, T at least 1.

    >>> dyck2(5, 30, seed=0).x.shape
    torch.Size([30, 5, 4])
    """
    rng = _rng(rows, length, 1, seed)
    if depth < 1:
        raise OptionError(f"depth must be at least 1, not {depth}")
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
    """Associative recall (Graves et al. 2014): pairs of a key and a value, then keys, whose values are the targets.

    The first half of the steps are pairs of 32 keys and 8 values, at most 32 pairs with different keys; each step of
    the second half is a random one of these keys. Arguments as for `adding`, T at least 4.

    >>> batch = look_up(5, 64, seed=0)
    >>> batch.x.shape, int(batch.asked.sum())
    (torch.Size([64, 5, 40]), 160)
    """
    rng = _rng(rows, length, 4, seed)
    pairs = min(length // 4, KEYS)
    keys = rng.random((KEYS, rows)).argsort(0)[:pairs]
    values = rng.integers(0, VALUES, (pairs, rows))
    which = rng.integers(0, pairs, (length - 2 * pairs, rows))
    presented = numpy.stack([keys, KEYS + values], 1).reshape(2 * pairs, rows)
    symbols = numpy.concatenate([presented, numpy.take_along_axis(keys, which, 0)])
    asked = torch.zeros(length, rows, dtype=torch.bool)
    asked[2 * pairs :] = True
    answers = numpy.take_along_axis(values, which, 0)
    return Batch(_one_hot(symbols, KEYS + VALUES), asked, torch.from_numpy(answers.reshape(-1)))


class Synthetic(NamedTuple):
    """Generator of a task, sizes of input and output, the loss of a model that ignores its input by T, and the loss."""

    make: Callable[[int, int, int], Batch]
    inputs: int
    outputs: int
    chance: Callable[[int], float]
    loss: Callable[[Tensor, Tensor], Tensor] = functional.cross_entropy


def squared_error(answers: Tensor, y: Tensor) -> Tensor:
    """Mean squared error of outputs [N, 1] and targets [N]."""
    return (answers[:, 0] - y).square().mean()


def _tracking(automaton: Automaton) -> Synthetic:
    chance = math.log(automaton.labels)
    return Synthetic(functools.partial(track, automaton), automaton.symbols, automaton.labels, lambda T: chance)


SYNTHETIC = {
    # The variance of a sum of two uniform numbers; for the others the cross-entropy of a uniform prediction.
    "adding": Synthetic(adding, 2, 1, lambda T: 1 / 6, squared_error),
    "copy": Synthetic(copy_memory, 10, 10, lambda T: 10 * math.log(8) / (T + 20)),
    "order": Synthetic(temporal_order, 8, 4, lambda T: math.log(4)),
    "dyck2": Synthetic(dyck2, 4, 3, lambda T: math.log(3)),
    "look-up": Synthetic(look_up, KEYS + VALUES, VALUES, lambda T: math.log(VALUES)),
    **{name: _tracking(automaton) for name, automaton in AUTOMATA.items()},
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
