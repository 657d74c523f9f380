"""Writes to weights that a weak content hash takes for none (bench_stale_weights.py): indices and new values."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy
from numpy.typing import NDArray

__all__ = ["KINDS", "Edit", "Entries", "edits"]

Entries = NDArray[Any]
Edit = tuple[Entries, Entries]  # indices into both matrices laid end to end, and the new values


class Weights(NamedTuple):
    """Two matrices [3H, H] laid end to end (and what follows them), and where random numbers come from."""

    all: Entries
    H: int
    draw: numpy.random.Generator

    @property
    def matrix(self) -> int:
        """Entries of one."""
        return 3 * self.H * self.H


def edits(weights: Entries, H: int, draw: numpy.random.Generator) -> Iterator[Edit]:
    """Writes without end, each kind in turn, at every distance of a matrix in turn, multiples of 256 more often."""
    s = Weights(weights, H, draw)
    n = s.matrix
    for turn in itertools.count():
        base = int(draw.integers(2)) * n
        distance = 1 + turn // 2 * 7919 % (n - 1)
        if turn % 2 and n > 256:
            distance = 256 * (1 + turn // 2 * 101 % ((n - 1) // 256))
        first = int(draw.integers(n - distance))
        pair = numpy.array((base + first, base + first + distance))
        for kind in (*PAIRS, *BLOCKS):
            yield kind(s, pair) if kind in PAIRS else kind(s, base)


def exchanged(s: Weights, at: Entries) -> Edit:
    return at, s.all[at[::-1]]


def negated(s: Weights, at: Entries) -> Edit:
    return at, -s.all[at]


def doubled_and_halved(s: Weights, at: Entries) -> Edit:
    return at, s.all[at] * numpy.array((2, 0.5), s.all.dtype)


def one_bit(s: Weights, at: Entries) -> Edit:
    """+d and -d in the bits of two numbers, d one of the upper bits of the mantissa."""
    words = s.all[at].view(f"u{s.all.itemsize}")
    bit = words.dtype.type(1 << ((23 if s.all.itemsize == 4 else 52) - int(s.draw.integers(1, 9))))
    return at, (words + numpy.array((bit, -int(bit)), f"i{s.all.itemsize}").view(words.dtype)).view(s.all.dtype)


def neighbours(s: Weights, at: Entries) -> Edit:
    return exchanged(s, numpy.array((at[0], at[0] + 1)))


def across_matrices(s: Weights, at: Entries) -> Edit:
    return exchanged(s, numpy.array((at[0] % s.matrix, at[0] % s.matrix + s.matrix)))


def several_lanes(s: Weights, at: Entries) -> Edit:
    """The same bits changed at the same distance in neighbouring entries."""
    many = numpy.unique(numpy.concatenate([at + i for i in range(min(16, 2 * s.matrix - at[1]))]))
    return many, -s.all[many]


def rows(s: Weights, base: int) -> Edit:
    a, b = s.draw.choice(3 * s.H, 2, replace=False) * s.H + base
    return exchanged_runs(s, a, b, s.H)


def columns(s: Weights, base: int) -> Edit:
    a, b = s.draw.choice(s.H, 2, replace=False)
    along = base + numpy.arange(3 * s.H) * s.H
    return numpy.concatenate((along + a, along + b)), s.all[numpy.concatenate((along + b, along + a))]


def neighbouring_columns(s: Weights, base: int) -> Edit:
    a = base + int(s.draw.integers(s.H - 1)) + numpy.arange(3 * s.H) * s.H
    return numpy.concatenate((a, a + 1)), s.all[numpy.concatenate((a + 1, a))]


def exchanged_runs(s: Weights, a: int, b: int, length: int) -> Edit:
    one, other = a + numpy.arange(length), b + numpy.arange(length)
    return numpy.concatenate((one, other)), s.all[numpy.concatenate((other, one))]


def block(s: Weights, base: int, most: int = 4096) -> Entries:
    length = int(2 ** s.draw.uniform(1, math.log2(min(most, s.matrix))))
    return base + int(s.draw.integers(s.matrix - length + 1)) + numpy.arange(length)


def stripes(s: Weights, base: int) -> Edit:
    """Two blocks of a power of two of entries, as vectors are, at multiples of that from each other."""
    length = min(2 ** int(s.draw.integers(1, 10)), s.matrix // 2)
    a, b = s.draw.choice(s.matrix // length, 2, replace=False) * length + base
    return exchanged_runs(s, a, b, length)


def rotated(s: Weights, base: int) -> Edit:
    at = block(s, base)
    return at, numpy.roll(s.all[at], int(s.draw.integers(1, at.size)) if at.size > 1 else 0)


def negated_block(s: Weights, base: int) -> Edit:
    at = block(s, base)
    return at, -s.all[at]


def constant_block(s: Weights, base: int) -> Edit:
    at = block(s, base, 256)
    return at, numpy.full(at.size, s.draw.choice((0.0, 0.5, -0.5)) / math.sqrt(s.H), s.all.dtype)


def scaled_block(s: Weights, base: int) -> Edit:
    at = block(s, base, 256)
    return at, s.all[at] * s.all.dtype.type(s.draw.choice((2.0, 0.5)))


PAIRS: tuple[Callable[[Weights, Entries], Edit], ...] = (
    exchanged, negated, doubled_and_halved, one_bit, neighbours, across_matrices, several_lanes,
)  # fmt: skip
BLOCKS: tuple[Callable[[Weights, int], Edit], ...] = (
    rows, columns, neighbouring_columns, stripes, rotated, negated_block, constant_block, scaled_block,
)  # fmt: skip
KINDS = len(PAIRS) + len(BLOCKS)
