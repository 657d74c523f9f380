"""Ragged rows: [B, T, F] padded at the right, with how many steps of each row count, `lengths` [B]."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["join", "mask", "take"]


def mask(x: Tensor, lengths: Tensor) -> Tensor:
    """x [B, T, F] with zeros beyond each row's length: what stands in the padding, NaN included, is gone.

    >>> mask(torch.ones(2, 3, 1), torch.tensor([3, 1]))[..., 0].tolist()
    [[1.0, 1.0, 1.0], [1.0, 0.0, 0.0]]
    """
    inside = torch.arange(x.shape[1], device=x.device) < lengths[:, None]
    return x.masked_fill(~inside[..., None], 0)


def take(x: Tensor, first: Tensor, count: int) -> Tensor:
    """`count` steps of each row of x [B, T, F] from step `first` [B] on; zeros where there are none."""
    index = first[:, None] + torch.arange(count, device=x.device)
    taken = x.gather(1, index.clamp(0, max(0, x.shape[1] - 1))[..., None].expand(-1, -1, x.shape[2]))
    return taken.masked_fill((index >= x.shape[1])[..., None], 0)


def join(held: Tensor, count: Tensor, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """The first `count` [B] steps of `held` [B, C, F], then the first `lengths` of x [B, T, F], without a gap.

    Gives [B, C + T, F], zeros beyond each row's end, and the ends [B].
    """
    steps = torch.arange(held.shape[1] + x.shape[1], device=x.device)
    source = torch.where(steps < count[:, None], steps, held.shape[1] + steps - count[:, None])
    both = torch.cat([held, x], 1)
    index = source.clamp(max=both.shape[1] - 1)[..., None].expand(-1, -1, x.shape[2])
    return mask(both.gather(1, index), count + lengths), count + lengths
