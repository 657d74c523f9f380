"""The fast path: one layer over x (or precomputed input projections) and h0, eager, nothing ragged or added.

Almost every call is one, and at (T, B, I, H) = (100, 1, 64, 64) the kernel takes as long as forty of torch's smallest
calls. So every tuple and tensor that isn't needed is left out: no views, final states made in the shape that they are
returned in, what the backward needs kept in memory of our own. A call that isn't one gets None, and the table of
implementations (nn/functional.py) serves it or says what doesn't fit. `conditions.fast` is the same condition in words.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import Parameter

from gruworks.nn.recurrence import autograd, kernel
from gruworks.nn.recurrence.conditions import (
    AVAILABLE,
    PLAIN,
    STRIDED,
    differentiable,
    eager,
    fits,
    looks,
    readable,
    serves,
    watched,
)
from gruworks.nn.recurrence.kernel import Known

__all__ = ["layer", "new_state_fits", "step"]

_autocast, _grad_enabled = torch.is_autocast_enabled, torch.is_grad_enabled


def layer(
    x: Tensor,
    h0: Tensor | None,
    w_ih: Tensor | None,
    w_hh: Tensor,
    b_ih: Tensor | None,
    b_hh: Tensor | None,
    before: bool,
    reverse: bool = False,
    batch_first: bool = False,
    lead: bool = False,
) -> tuple[Tensor, Tensor] | None:
    """Output and final state, or None where the call is not plain or its operands don't fit.

    x is [T, B, I] ([B, T, I] if batch_first), or without w_ih precomputed input projections [T, B, 3H]. With `lead` h0
    and the final state are [1, B, H], as a module's are, else [B, H].
    """
    if not AVAILABLE or not eager() or _autocast("cpu") or type(x) not in PLAIN or x.dim() != 3:
        return None
    known = _known(w_ih, w_hh, b_ih, b_hh)
    if known is None or not readable(x, known.dtype):
        return None
    T, B, width = x.shape
    if x.is_contiguous():
        along = (B * width, width)
    else:
        if x.stride(2) != 1:
            x = x.contiguous()
        along = (x.stride(0), x.stride(1))
    if batch_first:
        T, B, along = B, T, along[::-1]
    if width != known.width or 0 in (T, B, width):
        return None
    if h0 is not None and not fits(h0, (1, B, known.H) if lead else (B, known.H), known.dtype):
        return None
    form = known, T, B, before, reverse, batch_first, lead, known.looks, along
    if not (_grad_enabled() and differentiable(x, h0, w_ih, w_hh, b_ih, b_hh)):
        return autograd.forward(False, form, x, h0, w_ih, w_hh, b_ih, b_hh)[:2]
    if watched():  # whoever watches what is saved must see all of it
        return None
    found: tuple[Tensor, Tensor] = autograd.layer(form, x, h0, w_ih, w_hh, b_ih, b_hh)
    return found


def step(
    x: Tensor,
    h: Tensor | None,
    w_ih: Tensor | None,
    w_hh: Tensor,
    b_ih: Tensor | None,
    b_hh: Tensor | None,
    before: bool,
) -> Tensor | None:
    """`layer` over one step: x [B, I], or without w_ih projections [B, 3H], and h [B, H] to the state after it."""
    if not AVAILABLE or not eager() or _autocast("cpu") or type(x) not in PLAIN or x.dim() != 2:
        return None
    known = _known(w_ih, w_hh, b_ih, b_hh)
    if known is None or not readable(x, known.dtype):
        return None
    B, width = x.shape
    if width != known.width or 0 in (B, width) or (h is not None and not fits(h, (B, known.H), known.dtype)):
        return None
    if not x.is_contiguous() and x.stride(1) != 1:
        x = x.contiguous()
    if not (_grad_enabled() and differentiable(x, h, w_ih, w_hh, b_ih, b_hh)):
        return autograd.one_step(False, known, before, x, h, w_ih, w_hh, b_ih, b_hh)[0]
    if watched():
        return None
    state: Tensor = autograd.step(known, before, x, h, w_ih, w_hh, b_ih, b_hh)
    return state


def new_state_fits(gi: Tensor, gh: Tensor, h: Tensor) -> bool:
    """True where the kernel can form the new state from these sums of products."""
    if not AVAILABLE or not eager() or _autocast("cpu") or type(h) not in PLAIN or not serves(h):
        return False
    if not readable(h, h.dtype) or h.dim() < 1 or 0 in h.shape:
        return False
    wide = (*h.shape[:-1], 3 * h.shape[-1])
    return fits(h, h.shape, h.dtype) and fits(gi, wide, h.dtype) and fits(gh, wide, h.dtype)


def _known(w_ih: Tensor | None, w_hh: Tensor, b_ih: Tensor | None, b_hh: Tensor | None) -> Known | None:
    if type(w_hh) not in PLAIN:
        return None
    try:
        known = kernel.known(w_hh)
        seen = looks(w_ih, w_hh, b_ih, b_hh)
        strided = known.parameters or all(t is None or t.layout is STRIDED for t in (w_ih, w_hh, b_ih, b_hh))
        if strided and known.looks == seen:
            return known
        H = w_hh.shape[1]
        width = 3 * H if w_ih is None else w_ih.shape[1]
    except (AttributeError, IndexError, RuntimeError):  # no tensors, too few axes, or a layout without strides
        return None
    shapes = (3 * H, width), (3 * H, H), (3 * H,), (3 * H,)
    for tensor, shape in zip((w_ih, w_hh, b_ih, b_hh), shapes, strict=True):
        if tensor is not None and not (serves(tensor) and fits(tensor, shape, w_hh.dtype)):
            return None
    known.H, known.I, known.width = H, 0 if w_ih is None else width, width
    known.dtype, known.looks = w_hh.dtype, seen
    known.parameters = all(t is None or type(t) is Parameter for t in (w_ih, w_hh, b_ih, b_hh))
    return known
