"""Row convolution of Deep Speech 2: limited future context for causal layers."""

from __future__ import annotations

import torch
from torch import Tensor

from gruworks.nn.blocks.ragged import concatenate, mask, take

__all__ = ["RowConvolution"]


class RowConvolution(torch.nn.Module):
    """y_t = Σ_j w_j * x_{t+j} for j = 0 ... ahead, element by element (Amodei et al. 2016, section 3.6).

    >>> rows = RowConvolution(8, ahead=2)
    >>> rows(torch.zeros(4, 7, 8), torch.tensor([7, 7, 5, 1]))[0].shape       # [B, T, F]
    torch.Size([4, 7, 8])

    Inputs beyond a row's end are zeros. In streaming (`step`) outputs are delayed by `ahead` steps and flushed by the
    last call. The initial weights are close to the identity.

    Args:
        size: F, features per step.
        ahead: number of future steps per output.
    """

    def __init__(self, size: int, ahead: int) -> None:
        super().__init__()
        self.ahead = ahead
        self.flows = True  # False for export: no data-dependent branches
        self.weight = torch.nn.Parameter(torch.zeros(size, 1, ahead + 1))
        torch.nn.init.normal_(self.weight, std=0.1 / (ahead + 1))
        with torch.no_grad():
            self.weight[:, 0, 0] += 1

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Output [B, T, F] and unchanged lengths [B] of whole sequences x [B, T, F]."""
        return self._convolve(mask(x, lengths)), lengths

    def start(self, rows: int) -> tuple[Tensor, Tensor]:
        """Initial state: buffer [rows, ahead, F] and number of buffered steps [rows], zeros."""
        held = self.weight.new_zeros(rows, self.ahead, len(self.weight))
        return held, torch.zeros(rows, dtype=torch.long, device=held.device)

    def step(
        self, x: Tensor, lengths: Tensor, held: Tensor, count: Tensor, last: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Output, its lengths and the new state of a chunk x [B, T, F]; `last` [B] is True for rows ending in it."""
        plain = self.flows and not torch.compiler.is_compiling()
        if plain and int(count.min()) == self.ahead and int(lengths.min()) == x.shape[1] and not bool(last.any()):
            return self._flow(x, lengths, held, count)
        joined, ends = concatenate(held, count, x, lengths)
        ready = torch.where(last, ends, (ends - self.ahead).clamp(min=0))
        return self._convolve(joined), ready, take(joined, ready, self.ahead), ends - ready

    def _flow(self, x: Tensor, lengths: Tensor, held: Tensor, count: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Faster `step` for chunks without row starts or ends."""
        joined = torch.cat([held, x], 1)
        y = (joined.unfold(1, self.ahead + 1, 1) * self.weight[:, 0]).sum(-1)
        return y, lengths, joined[:, x.shape[1] :], count

    def _convolve(self, x: Tensor) -> Tensor:
        ahead = torch.nn.functional.pad(x, (0, 0, 0, self.ahead)).transpose(1, 2)
        return torch.nn.functional.conv1d(ahead, self.weight, groups=len(self.weight)).transpose(1, 2)
