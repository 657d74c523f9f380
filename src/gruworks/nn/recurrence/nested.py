"""Nested (jagged) tensors [B, j, ...] as input and output: padded for the call, with the rows' lengths.

Shapes: B batch, j the steps of each row, N their sum, I input size.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gruworks.errors import DtypeError

__all__ = ["is_jagged", "jagged_like", "padded"]


def is_jagged(x: Any) -> bool:
    """True for a nested tensor of layout torch.jagged."""
    return isinstance(x, Tensor) and x.is_nested and x.layout is torch.jagged


def padded(x: Any) -> tuple[Tensor, Tensor]:
    """Rows padded with zeros [B, T, I], T the longest, and their lengths [B].

    Raises:
        DtypeError: rows that aren't [j, I] and contiguous in memory.
    """
    if x.dim() != 3 or x._ragged_idx != 1 or x._lengths is not None:
        raise DtypeError(
            "a nested tensor must be [B, j, I] with contiguous rows, as torch.nested.nested_tensor makes of rows [j, I]"
        )
    lengths = x.offsets().diff()
    B, T = len(lengths), int(lengths.max()) if len(lengths) else 0
    values = x.values()
    steps = values.new_zeros(B * T, values.shape[1]).index_copy(0, _places(lengths, T), values)
    return steps.view(B, T, -1), lengths


def jagged_like(output: Tensor, x: Any) -> Tensor:
    """A nested tensor with the rows' lengths of x, of padded rows [B, T, ...]."""
    lengths = x.offsets().diff()
    values = output.flatten(0, 1).index_select(0, _places(lengths, output.shape[1]))
    made: Tensor = torch.nested.nested_tensor_from_jagged(values, x.offsets())
    return made


def _places(lengths: Tensor, T: int) -> Tensor:
    """Positions of all steps [N] in the padded rows, flattened."""
    inside = torch.arange(T, device=lengths.device) < lengths[:, None]
    return inside.flatten().nonzero().flatten()
