"""A GRU layer conditioned on a constant vector inside the reset gate: the decoder of Cho et al. 2014."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from gruworks.nn.functional import new_state
from gruworks.nn.recurrence import fast_path, kernel
from gruworks.nn.recurrence.operands import check_alike

__all__ = ["conditioned_layer"]


def conditioned_layer(gi: Tensor, h0: Tensor, w_hh: Tensor, condition: Tensor) -> Tensor:
    """States [T, B, H] of an "after" GRU layer whose recurrent projections have an additive term for each row.

    The condition is added to the recurrent projections, W h_{t-1} + c, at every step, so that its candidate part is
    multiplied by the reset gate. Steps are computed one at a time, because the sequence kernel has one bias for all
    rows; the gradient of w_hh is one matrix product at the end.

    >>> conditioned_layer(torch.zeros(5, 2, 9), torch.zeros(2, 3), torch.zeros(9, 3), torch.zeros(2, 9)).shape
    torch.Size([5, 2, 3])

    Args:
        gi: precomputed input projections W_ih x + b_ih [T, B, 3H], gates in the order r, z, n.
        h0: initial state [B, H].
        w_hh: recurrent weights [3H, H].
        condition: c [B, 3H], including the recurrent bias.

    Returns:
        The state after every step [T, B, H].

    Raises:
        DeviceError, DtypeError: operands on different devices or of different types.
    """
    check_alike(gi=gi, h0=h0, condition=condition, w_hh=w_hh)
    operands = gi, h0, w_hh, condition
    needed = torch.is_grad_enabled() and any(t.requires_grad for t in operands)
    if needed and gi.is_contiguous() and len(gi) and fast_path.new_state_fits(gi[0], gi[0], h0):
        states: Tensor = _Conditioned.apply(*operands)  # type: ignore[no-untyped-call]
        return states
    h, found = h0, []
    for projections in gi:
        h = new_state(projections, torch.addmm(condition, h, w_hh.t()), h)
        found.append(h)
    return torch.stack(found) if found else gi.new_empty(0, *h0.shape)


class _Conditioned(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gi: Tensor, h0: Tensor, w_hh: Tensor, condition: Tensor) -> Tensor:
        T, B, H = *gi.shape[:2], h0.shape[1]
        states, gh = gi.new_empty(T + 1, B, H), gi.new_empty(T, B, 3 * H)
        states[0] = h0
        for t in range(T):
            torch.addmm(condition, states[t], w_hh.t(), out=gh[t])
            states[t + 1] = kernel.new_state(gi[t], gh[t], states[t])
        ctx.save_for_backward(gi, w_hh, states, gh)
        return states[1:].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Any:
        gi, w_hh, states, gh = ctx.saved_tensors
        d_gi, d_gh, d_h = torch.empty_like(gi), torch.empty_like(gh), torch.zeros_like(states[0])
        for t in reversed(range(len(gi))):
            d_gi[t], d_gh[t], kept = kernel.new_state_gradients(gi[t], gh[t], states[t], d_h.add_(grad[t]))
            d_h = kept.addmm_(d_gh[t], w_hh)
        d_w = d_gh.flatten(0, 1).t() @ states[:-1].flatten(0, 1)
        return d_gi, d_h, d_w, d_gh.sum(0)
