"""LiGRU layers with the interface of GRU layers: padded batches, both directions, carried state."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor

from gruworks.nn.cells import CELLS, LiGRU

__all__ = ["LiGRULayer"]


class LiGRULayer(torch.nn.Module):
    """One LiGRU layer (Ravanelli et al. 2018): `nn.cells.LiGRU` with the interface of `gruworks.GRU`.

    >>> layer = LiGRULayer(3, 4, bidirectional=True)
    >>> layer(torch.randn(2, 7, 3), lengths=torch.tensor([7, 5]))[0].shape
    torch.Size([2, 7, 8])

    Batch normalization leaves padding out. The layer runs step by step in torch.

    Args:
        inputs: input size I.
        hidden_size: hidden size H.
        bidirectional: add a second cell that reads each row backwards.
    """

    def __init__(self, inputs: int, hidden_size: int, bidirectional: bool = False) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        directions = 2 if bidirectional else 1
        self.cells = torch.nn.ModuleList(CELLS["ligru"].equations(inputs, hidden_size) for _ in range(directions))

    def forward(self, x: Tensor, hx: Tensor | None = None, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Run x [B, T, I] from state hx [D, B, H] (default zeros) to output [B, T, D·H] and final state [D, B, H]."""
        counts = x.new_full((len(x),), x.shape[1], dtype=torch.long) if lengths is None else lengths
        inside = torch.arange(x.shape[1], device=x.device) < counts[:, None]
        outputs, last = [], []
        for direction, cell in enumerate(self.cells):
            h = x.new_zeros(len(x), self.hidden_size) if hx is None else hx[direction]
            rows = _reversed(x, counts) if direction else x
            output, h = _run(cast(LiGRU, cell), rows, h, inside)
            outputs.append(_reversed(output, counts) if direction else output)
            last.append(h)
        return torch.cat(outputs, -1), torch.stack(last)


def _run(cell: LiGRU, x: Tensor, h: Tensor, inside: Tensor) -> tuple[Tensor, Tensor]:
    """Run one direction; in padding the output is zero and the state unchanged."""
    projected = x.new_zeros(*x.shape[:2], 2 * cell.hidden_size)
    if inside.any():
        projected[inside] = cell.norm(torch.nn.functional.linear(x[inside], cell.weight_ih_l0))
    outputs = []
    for gi, here in zip(projected.unbind(1), inside.unbind(1), strict=True):
        h = torch.where(here[:, None], cell.step(gi, (h,))[0], h)
        outputs.append(h.masked_fill(~here[:, None], 0))
    return torch.stack(outputs, 1) if outputs else x.new_zeros(len(x), 0, cell.hidden_size), h


def _reversed(x: Tensor, counts: Tensor) -> Tensor:
    """Reverse each row of x [B, T, F] within its length [B]; padding stays in place."""
    steps = torch.arange(x.shape[1], device=x.device)
    index = torch.where(steps < counts[:, None], counts[:, None] - 1 - steps, steps)
    return x.gather(1, index[..., None].expand(-1, -1, x.shape[2]))
