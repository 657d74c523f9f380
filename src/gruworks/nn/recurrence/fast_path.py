"""The fast path: one layer over x (or precomputed input projections) and h0 in an eager call, without further operands.

At (T, B, I, H) = (100, 1, 64, 64) the kernel takes as long as forty of torch's smallest calls. The native module
therefore reads the tensors, allocates the results and keeps the saved activations itself. The functions return None for
calls that it doesn't support; the table of implementations (nn/functional.py) computes or rejects those.
`conditions.fast` is the condition.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gruworks.nn.recurrence import autograd
from gruworks.nn.recurrence.conditions import (
    AVAILABLE,
    PLAIN,
    differentiable,
    eager,
    fits,
    has_saved_tensors_hooks,
    readable,
    supported,
)
from gruworks.nn.recurrence.kernel import CONNECTED, cached_layer

__all__ = ["layer", "new_state_fits", "step"]

_autocast, _grad_enabled, _threads = torch.is_autocast_enabled, torch.is_grad_enabled, torch.get_num_threads


def layer(
    x: Any,
    h0: Tensor | None,
    w_ih: Tensor | None,
    w_hh: Tensor,
    b_ih: Tensor | None,
    b_hh: Tensor | None,
    before: bool,
    reverse: bool = False,
    batch_first: bool = False,
    lead: bool = False,
    step: bool = False,
) -> tuple[Tensor, Tensor] | None:
    """Output and final state, or None if the fast path doesn't support the call.

    x is [T, B, I] ([B, T, I] if batch_first), or precomputed input projections [T, B, 3H] if w_ih is None. If `lead`,
    h0 and the final state have a leading layer axis [1, B, H], else they are [B, H]. A single `step` takes x [B, I] (or
    projections [B, 3H]) and returns a tuple of the new state [B, H] alone.
    """
    if not CONNECTED or type(x) not in PLAIN or type(w_hh) not in PLAIN or not eager() or _autocast("cpu"):
        return None
    try:
        learns = _grad_enabled() and differentiable(x, h0, w_ih, w_hh, b_ih, b_hh)
        native = cached_layer(w_hh).layer
    except (AttributeError, RuntimeError):  # not tensors, or not strided
        return None
    if learns and has_saved_tensors_hooks():
        return None
    found = native.plain(x, h0, w_ih, w_hh, b_ih, b_hh, step, before, reverse, batch_first, lead, learns, _threads())
    if found is None:
        spread = readable(x, w_hh.dtype) and x.dim() > 1 and x.stride(-1) != 1 and x.numel()
        if not spread:
            return None
        return layer(x.contiguous(), h0, w_ih, w_hh, b_ih, b_hh, before, reverse, batch_first, lead, step)
    results: tuple[Tensor, Tensor]
    results, kept = found
    if learns:
        form = step, before, reverse, batch_first, lead
        results = autograd.plain(results, kept, native, form, x, h0, w_ih, w_hh, b_ih, b_hh)
    return results


def step(
    x: Tensor,
    h: Tensor | None,
    w_ih: Tensor | None,
    w_hh: Tensor,
    b_ih: Tensor | None,
    b_hh: Tensor | None,
    before: bool,
) -> Tensor | None:
    """New state [B, H], given x [B, I] or input projections [B, 3H], and h [B, H]; None if not supported."""
    found = layer(x, h, w_ih, w_hh, b_ih, b_hh, before, step=True)
    return None if found is None else found[0]


def new_state_fits(gi: Tensor, gh: Tensor, h: Tensor) -> bool:
    """True if `kernel.new_state` supports these operands."""
    if not AVAILABLE or not eager() or _autocast("cpu") or type(h) not in PLAIN or not supported(h):
        return False
    if not readable(h, h.dtype) or h.dim() < 1 or 0 in h.shape:
        return False
    wide = (*h.shape[:-1], 3 * h.shape[-1])
    return fits(h, h.shape, h.dtype) and fits(gi, wide, h.dtype) and fits(gh, wide, h.dtype)
