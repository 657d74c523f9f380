"""Causal depthwise convolution as a residual block."""

from __future__ import annotations

import torch
from torch import Tensor

from gruworks.errors import OptionError
from gruworks.nn.blocks.stack import Block
from gruworks.nn.state import State

__all__ = ["ConvolutionBlock"]


class ConvolutionBlock(Block):
    """Causal depthwise convolution over the last `width` steps, SiLU, and a linear layer.

    >>> y, state = ConvolutionBlock(4, width=3)(torch.zeros(7, 2, 4))
    >>> y.shape, state["past"].shape
    (torch.Size([7, 2, 4]), torch.Size([2, 2, 4]))

    The state is `past` [B, width - 1, H], the last inputs; zeros at the start of a sequence.

    Args:
        size: H.
        width: kernel size in steps.
        dropout: dropout probability of the block's output, one mask for all steps.
    """

    def __init__(self, size: int, width: int = 4, dropout: float = 0.0) -> None:
        super().__init__(size, dropout)
        if width < 1:
            raise OptionError(f"a convolution needs a width of at least 1, not {width}")
        self.taps = torch.nn.Parameter(torch.randn(width, size) / width**0.5)
        self.bias = torch.nn.Parameter(torch.zeros(size))
        self.mix = torch.nn.Linear(size, size)

    def residual(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        T, width = x.shape[0], len(self.taps)  # len(x) would be a constant in torch.export
        seen = torch.cat([state["past"].transpose(0, 1), x])
        y = self.bias + seen[:T] * self.taps[0]
        for i in range(1, width):
            y = torch.addcmul(y, seen[i : i + T], self.taps[i])
        return self.mix(torch.nn.functional.silu(y)), {"past": seen[T:].transpose(0, 1)}

    def empty(self, rows: int) -> State:
        width, size = self.taps.shape
        return {"past": self.taps.new_zeros(rows, width - 1, size)}
