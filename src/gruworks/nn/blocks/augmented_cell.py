"""A cell with a convolution before it, or attention over it, under a cell's signature: what blocks add to it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gruworks.nn.blocks.causal_conv import ConvolutionBlock
from gruworks.nn.blocks.self_attention import AttentionBlock

__all__ = ["JOINS", "Joined"]

WIDTH, WINDOW = 4, 64  # steps that a convolution sees; steps before its own that attention looks back
JOINS = {
    "convolution": f"a causal convolution over {WIDTH} steps before it",
    "attention": f"attention over its last {WINDOW} outputs after it",
}


class Joined(torch.nn.Module):
    """`cell` over x [T, B, I] with a block joined to it; the state is the pair of the cell's and the block's.

    "convolution": x is brought to the width of the cell, goes through `nn.ConvolutionBlock`, then the cell reads it.
    "attention": the cell reads x, `nn.AttentionBlock` its outputs; one head, so that any width will do.

    Args:
        cell: of `nn.cells`, which reads H entries for "convolution" and I for "attention".
        input_size: I. join: a name of JOINS.
    """

    def __init__(
        self, cell: torch.nn.Module, input_size: int, join: str, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        H: int = cell.hidden_size  # type: ignore[assignment]
        self.cell, self.input_size, self.hidden_size, self.join = cell, input_size, H, join
        self.block: ConvolutionBlock | AttentionBlock
        if join == "convolution":
            self.widen = torch.nn.Linear(input_size, H, device=device, dtype=dtype)
            self.block = ConvolutionBlock(H, WIDTH)
        else:
            self.block = AttentionBlock(H, WINDOW, heads=1)
        self.block.to(device=device, dtype=dtype)

    def forward(self, input: Tensor, hx: Any = None) -> tuple[Tensor, Any]:  # noqa: A002 (torch's name)
        """x [T, B, I] and the state (none is the beginning) to the output [T, B, H] and the state after it."""
        cell_state, block_state = (None, None) if hx is None else hx
        if self.join == "convolution":
            x, block_state = self.block(self.widen(input), block_state)
            output, cell_state = self.cell(x, cell_state)
        else:
            output, cell_state = self.cell(input, cell_state)
            output, block_state = self.block(output, block_state)
        return output, (cell_state, block_state)
