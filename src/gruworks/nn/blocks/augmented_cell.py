"""A recurrent cell augmented by a causal convolution of its input or self-attention over its outputs."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gruworks.nn.blocks.causal_conv import ConvolutionBlock
from gruworks.nn.blocks.self_attention import AttentionBlock

__all__ = ["AUGMENTATIONS", "AugmentedCell"]

WIDTH, WINDOW = 4, 64  # kernel size of the convolution; past steps in the attention window
AUGMENTATIONS = {
    "convolution": f"a causal convolution over {WIDTH} steps before it",
    "attention": f"attention over its last {WINDOW} outputs after it",
}


class AugmentedCell(torch.nn.Module):
    """A cell with a convolution before it or attention after it; the state is the pair of the cell's and the block's.

    "convolution": a linear layer maps x [T, B, I] to [T, B, H], then `ConvolutionBlock`, then the cell.
    "attention": the cell, then `AttentionBlock` with one head over its outputs.

    >>> cell = AugmentedCell(torch.nn.GRU(3, 4), input_size=3, augmentation="attention")
    >>> cell(torch.zeros(7, 2, 3))[0].shape
    torch.Size([7, 2, 4])

    Args:
        cell: a cell of `nn.cells` with input size H for "convolution", I for "attention".
        input_size: I, number of input features.
        augmentation: a key of AUGMENTATIONS.
    """

    def __init__(
        self, cell: torch.nn.Module, input_size: int, augmentation: str, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        H: int = cell.hidden_size  # type: ignore[assignment]
        self.cell, self.input_size, self.hidden_size, self.augmentation = cell, input_size, H, augmentation
        self.block: ConvolutionBlock | AttentionBlock
        if augmentation == "convolution":
            self.widen = torch.nn.Linear(input_size, H, device=device, dtype=dtype)
            self.block = ConvolutionBlock(H, WIDTH)
        else:
            self.block = AttentionBlock(H, WINDOW, heads=1)
        self.block.to(device=device, dtype=dtype)

    def forward(self, input: Tensor, hx: Any = None) -> tuple[Tensor, Any]:  # noqa: A002 (torch's name)
        """Output [T, B, H] and final state of x [T, B, I] and an optional initial state."""
        cell_state, block_state = (None, None) if hx is None else hx
        if self.augmentation == "convolution":
            x, block_state = self.block(self.widen(input), block_state)
            output, cell_state = self.cell(x, cell_state)
        else:
            output, cell_state = self.cell(input, cell_state)
            output, block_state = self.block(output, block_state)
        return output, (cell_state, block_state)
