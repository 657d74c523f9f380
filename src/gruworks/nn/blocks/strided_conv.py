"""Causal strided convolution over right-padded sequences, with streaming."""

from __future__ import annotations

import torch
from torch import Tensor

from gruworks.nn.blocks.ragged import mask, take

__all__ = ["StridedConvolution"]


class StridedConvolution(torch.nn.Module):
    """One output every `stride` steps, computed from these and the `kernel - stride` steps before them.

    >>> convolution = StridedConvolution(3, 8, kernel=5, stride=2)
    >>> y, lengths, _ = convolution(torch.zeros(4, 7, 3), torch.tensor([7, 6, 3, 1]))     # [B, T, I]
    >>> y.shape, lengths.tolist()
    (torch.Size([4, 4, 8]), [4, 3, 2, 1])

    Rows are padded with zeros to a multiple of the stride. In streaming, pass the context returned by the previous
    call; all chunks but a row's last must be multiples of the stride.

    Args:
        inputs, outputs: number of input and output channels.
        kernel: kernel size in steps; the stride, if it is larger.
        stride: stride in steps.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.convolution = torch.nn.Conv1d(inputs, outputs, max(kernel, stride), stride)
        self.stride, self.past = stride, max(kernel - stride, 0)

    def start(self, rows: int) -> Tensor:
        """Initial context: zeros [rows, kernel - stride, I]."""
        weight = self.convolution.weight
        return weight.new_zeros(rows, self.past, weight.shape[1])

    def forward(self, x: Tensor, lengths: Tensor, context: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Output [B, ceil(T / stride), O] of x [B, T, I], its lengths [B], and the context for the next chunk."""
        seen = torch.cat([self.start(x.shape[0]) if context is None else context, mask(x, lengths)], 1)
        missing = -x.shape[1] % self.stride
        y = self.convolution(torch.nn.functional.pad(seen, (0, 0, 0, missing)).transpose(1, 2)).transpose(1, 2)
        return y, (lengths + self.stride - 1) // self.stride, take(seen, lengths, self.past)
