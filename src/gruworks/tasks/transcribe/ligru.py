"""LiGRU layers under the GRU layer's call: ragged rows, both directions, a state that is carried."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor

from gruworks.nn.cells import CELLS, LiGRU

__all__ = ["LiGRULayer"]


class LiGRULayer(torch.nn.Module):
    """One layer of light GRUs (Ravanelli et al. 2018), written for speech: `nn.cells.LiGRU` with `nn.GRU`'s call.

    >>> layer = LiGRULayer(3, 4, bidirectional=True)
    >>> layer(torch.randn(2, 7, 3), lengths=torch.tensor([7, 5]))[0].shape
    torch.Size([2, 7, 8])

    Its batch normalisation takes the steps within each row's length alone. It runs step by step in torch.

    Args:
        inputs: I. hidden_size: H. bidirectional: a second cell reads each row from its end.
    """

    def __init__(self, inputs: int, hidden_size: int, bidirectional: bool = False) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        directions = 2 if bidirectional else 1
        self.cells = torch.nn.ModuleList(CELLS["ligru"].equations(inputs, hidden_size) for _ in range(directions))

    def forward(self, x: Tensor, hx: Tensor | None = None, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """x [B, T, I] and the state [D, B, H] (zeros if none) to output [B, T, D·H] and each row's last state."""
        counts = x.new_full((len(x),), x.shape[1], dtype=torch.long) if lengths is None else lengths
        inside = torch.arange(x.shape[1], device=x.device) < counts[:, None]
        outputs, last = [], []
        for direction, cell in enumerate(self.cells):
            h = x.new_zeros(len(x), self.hidden_size) if hx is None else hx[direction]
            rows = _turned(x, counts) if direction else x
            output, h = _run(cast(LiGRU, cell), rows, h, inside)
            outputs.append(_turned(output, counts) if direction else output)
            last.append(h)
        return torch.cat(outputs, -1), torch.stack(last)


def _run(cell: LiGRU, x: Tensor, h: Tensor, inside: Tensor) -> tuple[Tensor, Tensor]:
    """One direction: zeros beyond each row's end, where the state stands still."""
    terms = x.new_zeros(*x.shape[:2], 2 * cell.hidden_size)
    if inside.any():
        terms[inside] = cell.norm(torch.nn.functional.linear(x[inside], cell.weight_ih_l0))
    outputs = []
    for term, here in zip(terms.unbind(1), inside.unbind(1), strict=True):
        h = torch.where(here[:, None], cell.step(term, (h,))[0], h)
        outputs.append(h.masked_fill(~here[:, None], 0))
    return torch.stack(outputs, 1) if outputs else x.new_zeros(len(x), 0, cell.hidden_size), h


def _turned(x: Tensor, counts: Tensor) -> Tensor:
    """Each row [B, T, F] from its own end to its beginning; what stands beyond stays there."""
    steps = torch.arange(x.shape[1], device=x.device)
    index = torch.where(steps < counts[:, None], counts[:, None] - 1 - steps, steps)
    return x.gather(1, index[..., None].expand(-1, -1, x.shape[2]))
