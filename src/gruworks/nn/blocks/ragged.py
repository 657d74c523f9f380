"""Operations on right-padded sequences [B, T, F] with `lengths` [B]."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["concatenate", "mask", "take"]


def mask(x: Tensor, lengths: Tensor) -> Tensor:
    """x [B, T, F] with padding replaced by zeros, NaN included.

    >>> mask(torch.ones(2, 3, 1), torch.tensor([3, 1]))[..., 0].tolist()
    [[1.0, 1.0, 1.0], [1.0, 0.0, 0.0]]
    """
    inside = torch.arange(x.shape[1], device=x.device) < lengths[:, None]
    return x.masked_fill(~inside[..., None], 0)


def take(x: Tensor, first: Tensor, count: int) -> Tensor:
    """`count` steps of each row of x [B, T, F] from step `first` [B]; zeros beyond T."""
    index = first[:, None] + torch.arange(count, device=x.device)
    taken = x.gather(1, index.clamp(0, max(0, x.shape[1] - 1))[..., None].expand(-1, -1, x.shape[2]))
    return taken.masked_fill((index >= x.shape[1])[..., None], 0)


def concatenate(held: Tensor, count: Tensor, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """Concatenate the first `count` [B] steps of `held` [B, C, F] and the first `lengths` [B] of x [B, T, F].

    Returns the result [B, C + T, F], padded with zeros, and its lengths [B].
    """
    steps = torch.arange(held.shape[1] + x.shape[1], device=x.device)
    source = torch.where(steps < count[:, None], steps, held.shape[1] + steps - count[:, None])
    both = torch.cat([held, x], 1)
    index = source.clamp(max=both.shape[1] - 1)[..., None].expand(-1, -1, x.shape[2])
    return mask(both.gather(1, index), count + lengths), count + lengths
