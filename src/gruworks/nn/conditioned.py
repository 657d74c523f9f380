"""A GRU that is fed the same thing at every step, inside its reset gate: the decoder of Cho et al. 2014."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from gruworks.nn.functional import new_state
from gruworks.nn.recurrence import fast_path, kernel
from gruworks.nn.recurrence.operands import check_alike

__all__ = ["fed_layer"]


def fed_layer(gi: Tensor, h0: Tensor, w_hh: Tensor, feed: Tensor) -> Tensor:
    """Every state [T, B, H] of the "after" form, from ready input terms gi [T, B, 3H]: h_t = GRU(gi_t, W h_{t-1} + f).

    The hidden term has a part f for each row, `feed` [B, 3H]; for reset and update gate it could as well stand in gi,
    but the candidate's is multiplied by the reset gate, and the kernel of whole sequences takes one bias for all rows.
    So the steps are taken here; their products with w_hh [3H, H] that the weights' gradient needs are one, at the end.

    >>> fed_layer(torch.zeros(5, 2, 9), torch.zeros(2, 3), torch.zeros(9, 3), torch.zeros(2, 9)).shape
    torch.Size([5, 2, 3])
    """
    check_alike(gi=gi, h0=h0, feed=feed, w_hh=w_hh)
    operands = gi, h0, w_hh, feed
    needed = torch.is_grad_enabled() and any(t.requires_grad for t in operands)
    if needed and gi.is_contiguous() and len(gi) and fast_path.new_state_fits(gi[0], gi[0], h0):
        states: Tensor = _Fed.apply(*operands)  # type: ignore[no-untyped-call]
        return states
    h, found = h0, []
    for terms in gi:
        h = new_state(terms, torch.addmm(feed, h, w_hh.t()), h)
        found.append(h)
    return torch.stack(found) if found else gi.new_empty(0, *h0.shape)


class _Fed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gi: Tensor, h0: Tensor, w_hh: Tensor, feed: Tensor) -> Tensor:
        T, B, H = *gi.shape[:2], h0.shape[1]
        states, gh = gi.new_empty(T + 1, B, H), gi.new_empty(T, B, 3 * H)
        states[0] = h0
        for t in range(T):
            torch.addmm(feed, states[t], w_hh.t(), out=gh[t])
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
