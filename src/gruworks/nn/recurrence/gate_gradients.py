"""Gate gradients that the native backward leaves in its saved activations, and the weights' inputs beside them.

Shapes: T time, B batch, I input size, H hidden size.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from gruworks.ops.operands import Operands
from gruworks.ops.recurrence import padded

__all__ = ["GateGradients", "gate_gradients", "previous_states", "valid_steps"]


class GateGradients(NamedTuple):
    """Gradients of the pre-activations of r and z [T, B, 2H] and of the candidate [T, B, H].

    `first` [T, B, H] is the gradient of W_hn h + b_hn in the "after" form, and r * h in the "before" form.
    """

    first: Tensor
    gates: Tensor
    candidate: Tensor


def gate_gradients(saved: Tensor, T: int, B: int, H: int) -> GateGradients:
    """The parts of `saved` [T·B, 4 padded H] after a backward pass (layout: ops/native/gru/problem.h)."""
    parts = saved.view(T, B, 4, padded(H))[..., :H]
    return GateGradients(parts[:, :, 0], parts[:, :, 1:3].flatten(2), parts[:, :, 3])


def valid_steps(x: Tensor, lengths: Tensor | None) -> Tensor:
    """x [T, B, I], zero beyond each row's length, where it may be NaN."""
    if lengths is None:
        return x
    inside = torch.arange(x.shape[0], device=x.device)[:, None] < lengths
    return torch.where(inside[..., None], x, 0)


def previous_states(o: Operands, output: Tensor, reverse: bool) -> Tensor:
    """State before each step [T, B, H], zero beyond a row's length."""
    T, B, H = output.shape
    start = output.new_zeros(B, H) if o.h0 is None else o.h0
    if not reverse:
        return valid_steps(torch.cat((start[None], output[:-1])), o.lengths)
    states = torch.cat((output[1:], torch.zeros_like(start)[None]))
    last = torch.full((B,), T - 1) if o.lengths is None else (o.lengths - 1).clamp(min=0)
    states[last, torch.arange(B)] = start
    return valid_steps(states, o.lengths)
