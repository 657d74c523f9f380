"""Packed sequences in groups of rows of similar length: padding is then a small part of what is run and kept."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

from gruworks.errors import ShapeError

__all__ = ["Groups", "check_batch_sizes", "group", "row_ends"]

MOST = 1.25  # padded steps for a real one
SLACK = 1024  # padded steps that aren't worth another call
GROUPS = 16

Array = NDArray[Any]


class Groups(NamedTuple):
    """Rows, sorted by falling length, in groups; `places` [T·n, ...] are the packed steps of each group's padded ones
    one after the other, `steps` [N] the padded ones of the packed."""

    rows: list[slice]
    lengths: list[Tensor]
    places: Tensor
    steps: Tensor

    def padded(self, data: Tensor) -> list[Tensor]:
        """Packed steps [N, I] as one [T, n, I] a group, T its longest row."""
        sizes = [(int(ends[0]), len(ends)) for ends in self.lengths]
        parts = data.index_select(0, self.places).split_with_sizes([T * n for T, n in sizes])
        return [part.view(T, n, -1) for part, (T, n) in zip(parts, sizes, strict=True)]

    def packed(self, outputs: list[Tensor]) -> Tensor:
        """The way back, [N, H]."""
        return torch.cat([output.flatten(0, 1) for output in outputs]).index_select(0, self.steps)


def check_batch_sizes(batch_sizes: Tensor, steps: int) -> None:
    """A ShapeError unless they are those of `steps` packed steps of rows sorted by falling length."""
    sizes = batch_sizes.numpy()
    if sizes.ndim != 1 or not len(sizes) or sizes[-1] < 1 or (numpy.diff(sizes) > 0).any() or sizes.sum() != steps:
        raise ShapeError(f"batch_sizes must be positive, never rise and sum to the {steps} packed steps")


def row_ends(batch_sizes: Tensor) -> Array:
    """Each row's length, falling."""
    rising = batch_sizes.numpy()[::-1]
    lengths: Array = len(rising) - numpy.searchsorted(rising, numpy.arange(rising[-1]), side="right")
    return lengths


def group(batch_sizes: Tensor, device: torch.device) -> Groups | None:
    """Groups that hold at most MOST padded steps for a real one; None where one group does, or nearly."""
    lengths = row_ends(batch_sizes)
    rows = _cut(lengths, int(batch_sizes.sum()))
    if len(rows) == 1:
        return None
    starts = numpy.concatenate([[0], numpy.cumsum(batch_sizes.numpy())[:-1]])
    places, steps, before = [], numpy.empty(int(batch_sizes.sum()), numpy.int64), 0
    for part in rows:
        T, n = int(lengths[part][0]), part.stop - part.start
        there = numpy.arange(T)[:, None] < lengths[part]
        own = starts[:T, None] + numpy.arange(part.start, part.stop)
        steps[own[there]] = before + numpy.flatnonzero(there)
        places.append(numpy.where(there, own, part.start).ravel())
        before += T * n
    ends = [torch.tensor(lengths[part], device=device) for part in rows]
    return Groups(rows, ends, *(torch.from_numpy(a).to(device) for a in (numpy.concatenate(places), steps)))


def _cut(lengths: Array, real: int) -> list[slice]:
    """Cut where a cut saves most padding, until little is left."""
    rows = [slice(0, len(lengths))]
    padded = int(lengths[0]) * len(lengths)
    while padded > MOST * real and padded - real > SLACK and len(rows) < GROUPS:
        saved, i, at = max(_best(lengths, part, i) for i, part in enumerate(rows))
        part = rows[i]
        rows[i : i + 1] = [slice(part.start, at), slice(at, part.stop)]
        padded -= saved
    return rows


def _best(lengths: Array, part: slice, i: int) -> tuple[int, int, int]:
    """Padded steps that the best cut of a group saves, the group, and the row that is then the first of the second."""
    own = lengths[part]
    saves = (own[0] - own) * (len(own) - numpy.arange(len(own)))
    at = int(saves.argmax())
    return int(saves[at]), i, part.start + at
