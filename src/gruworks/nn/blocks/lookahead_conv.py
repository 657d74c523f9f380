"""The look-ahead row convolution of Deep Speech 2: a little future for a layer that only knows the past."""

from __future__ import annotations

import torch
from torch import Tensor

from gruworks.nn.blocks.ragged import join, mask, take

__all__ = ["RowConvolution"]


class RowConvolution(torch.nn.Module):
    """y_t = Σ_j w_j * x_{t+j} for j = 0 ... ahead, entry by entry (Amodei et al. 2016, section 3.6).

    >>> rows = RowConvolution(8, ahead=2)
    >>> rows(torch.zeros(4, 7, 8), torch.tensor([7, 7, 5, 1]))[0].shape       # [B, T, F]
    torch.Size([4, 7, 8])

    Beyond a row's end stand zeros. In pieces (`step`) an output waits until its future is there: the first call
    gives `ahead` steps less, the last one gives them all. It starts as the identity.

    Args:
        size: entries of a step. ahead: steps of future that each output sees.
    """

    def __init__(self, size: int, ahead: int) -> None:
        super().__init__()
        self.ahead = ahead
        self.flows = True  # may look at values to see whether all rows stand in their middle
        self.weight = torch.nn.Parameter(torch.zeros(size, 1, ahead + 1))
        torch.nn.init.normal_(self.weight, std=0.1 / (ahead + 1))
        with torch.no_grad():
            self.weight[:, 0, 0] += 1

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Whole rows: x [B, T, F] → y [B, T, F] and the lengths as they were."""
        return self._convolve(mask(x, lengths)), lengths

    def start(self, rows: int) -> tuple[Tensor, Tensor]:
        """Nothing waits: [rows, ahead, F] and [rows] zeros."""
        held = self.weight.new_zeros(rows, self.ahead, len(self.weight))
        return held, torch.zeros(rows, dtype=torch.long, device=held.device)

    def step(
        self, x: Tensor, lengths: Tensor, held: Tensor, count: Tensor, last: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """A piece: y and its lengths, then what waits and how much of it. `last` [B]: the row ends with this piece."""
        plain = self.flows and not torch.compiler.is_compiling()  # a graph takes the one way that serves all
        if plain and int(count.min()) == self.ahead and int(lengths.min()) == x.shape[1] and not bool(last.any()):
            return self._flow(x, lengths, held, count)
        joined, ends = join(held, count, x, lengths)
        ready = torch.where(last, ends, (ends - self.ahead).clamp(min=0))
        return self._convolve(joined), ready, take(joined, ready, self.ahead), ends - ready

    def _flow(self, x: Tensor, lengths: Tensor, held: Tensor, count: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """A piece in the middle of all its rows, where every step is in its place: a fifth of the time."""
        joined = torch.cat([held, x], 1)
        y = (joined.unfold(1, self.ahead + 1, 1) * self.weight[:, 0]).sum(-1)
        return y, lengths, joined[:, x.shape[1] :], count

    def _convolve(self, x: Tensor) -> Tensor:
        ahead = torch.nn.functional.pad(x, (0, 0, 0, self.ahead)).transpose(1, 2)
        return torch.nn.functional.conv1d(ahead, self.weight, groups=len(self.weight)).transpose(1, 2)
