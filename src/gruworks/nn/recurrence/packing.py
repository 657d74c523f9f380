"""Packed sequences regrouped into padded batches of rows of similar length, to limit padding."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

from gruworks.errors import ShapeError

__all__ = ["Groups", "check_batch_sizes", "group", "row_ends"]

MOST = 1.25  # padded steps per valid step
SLACK = 1024  # padding below which another group doesn't pay
GROUPS = 16

Array = NDArray[Any]


class Groups(NamedTuple):
    """Groups of rows sorted by decreasing length, and the index maps between packed and padded steps.

    `places` gives the packed step of each padded step, groups concatenated; `steps` [N] the inverse."""

    rows: list[slice]
    lengths: list[Tensor]
    places: Tensor
    steps: Tensor

    def padded(self, data: Tensor) -> list[Tensor]:
        """Packed steps [N, I] as one padded batch [T, n, I] per group."""
        sizes = [(int(ends[0]), len(ends)) for ends in self.lengths]
        parts = data.index_select(0, self.places).split_with_sizes([T * n for T, n in sizes])
        return [part.view(T, n, -1) for part, (T, n) in zip(parts, sizes, strict=True)]

    def packed(self, outputs: list[Tensor]) -> Tensor:
        """Padded outputs [T, n, H] of the groups as packed steps [N, H]."""
        return torch.cat([output.flatten(0, 1) for output in outputs]).index_select(0, self.steps)


def check_batch_sizes(batch_sizes: Tensor, steps: int) -> None:
    """Raise a ShapeError unless batch_sizes describe `steps` packed steps."""
    sizes = batch_sizes.numpy()
    if sizes.ndim != 1 or not len(sizes) or sizes[-1] < 1 or (numpy.diff(sizes) > 0).any() or sizes.sum() != steps:
        raise ShapeError(f"batch_sizes must be positive, non-increasing and sum to the {steps} packed steps")


def row_ends(batch_sizes: Tensor) -> Array:
    """Row lengths in decreasing order."""
    rising = batch_sizes.numpy()[::-1]
    lengths: Array = len(rising) - numpy.searchsorted(rising, numpy.arange(rising[-1]), side="right")
    return lengths


def group(batch_sizes: Tensor, device: torch.device) -> Groups | None:
    """Groups with at most MOST padded steps per valid step; None if a single group suffices."""
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
    """Greedy splits, each where it saves most padding."""
    rows = [slice(0, len(lengths))]
    padded = int(lengths[0]) * len(lengths)
    while padded > MOST * real and padded - real > SLACK and len(rows) < GROUPS:
        saved, i, at = max(_best(lengths, part, i) for i, part in enumerate(rows))
        part = rows[i]
        rows[i : i + 1] = [slice(part.start, at), slice(at, part.stop)]
        padded -= saved
    return rows


def _best(lengths: Array, part: slice, i: int) -> tuple[int, int, int]:
    """Padded steps saved by the best split of a group, the group's index, and the first row of its second part."""
    own = lengths[part]
    saves = (own[0] - own) * (len(own) - numpy.arange(len(own)))
    at = int(saves.argmax())
    return int(saves[at]), i, part.start + at
