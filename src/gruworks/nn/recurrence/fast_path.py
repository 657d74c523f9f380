"""The fast path: one layer over x (or precomputed input projections) and h0 in an eager call, without further operands.

At (T, B, I, H) = (100, 1, 64, 64) the kernel takes as long as forty of torch's smallest calls. The fast path therefore
creates no views or temporary tensors and saves activations in native memory. It returns None for calls that it doesn't
support; the table of implementations (nn/functional.py) computes or rejects those. `conditions.fast` is its condition.
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
    has_saved_tensors_hooks,
    layout_of,
    readable,
    supported,
)
from gruworks.nn.recurrence.kernel import CachedLayer

__all__ = ["cached_layer_of", "layer", "new_state_fits", "step"]

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
    """Output and final state, or None if the fast path doesn't support the call.

    x is [T, B, I] ([B, T, I] if batch_first), or precomputed input projections [T, B, 3H] if w_ih is None. If `lead`,
    h0 and the final state have a leading layer axis [1, B, H], else they are [B, H].
    """
    if not AVAILABLE or not eager() or _autocast("cpu") or type(x) not in PLAIN or x.dim() != 3:
        return None
    cached = cached_layer_of(w_ih, w_hh, b_ih, b_hh)
    if cached is None or not readable(x, cached.dtype):
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
    if width != cached.width or 0 in (T, B, width):
        return None
    if h0 is not None and not fits(h0, (1, B, cached.H) if lead else (B, cached.H), cached.dtype):
        return None
    form = cached, T, B, before, reverse, batch_first, lead, cached.layout, along
    if not (_grad_enabled() and differentiable(x, h0, w_ih, w_hh, b_ih, b_hh)):
        return autograd.forward(False, form, x, h0, w_ih, w_hh, b_ih, b_hh)[:2]
    if has_saved_tensors_hooks():
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
    """New state, given x [B, I] (or input projections [B, 3H] if w_ih is None) and h [B, H]; None if not supported."""
    if not AVAILABLE or not eager() or _autocast("cpu") or type(x) not in PLAIN or x.dim() != 2:
        return None
    cached = cached_layer_of(w_ih, w_hh, b_ih, b_hh)
    if cached is None or not readable(x, cached.dtype):
        return None
    B, width = x.shape
    if width != cached.width or 0 in (B, width) or (h is not None and not fits(h, (B, cached.H), cached.dtype)):
        return None
    if not x.is_contiguous() and x.stride(1) != 1:
        x = x.contiguous()
    if not (_grad_enabled() and differentiable(x, h, w_ih, w_hh, b_ih, b_hh)):
        return autograd.one_step(False, cached, before, x, h, w_ih, w_hh, b_ih, b_hh)[0]
    if has_saved_tensors_hooks():
        return None
    state: Tensor = autograd.step(cached, before, x, h, w_ih, w_hh, b_ih, b_hh)
    return state


def new_state_fits(gi: Tensor, gh: Tensor, h: Tensor) -> bool:
    """True if `kernel.new_state` supports these operands."""
    if not AVAILABLE or not eager() or _autocast("cpu") or type(h) not in PLAIN or not supported(h):
        return False
    if not readable(h, h.dtype) or h.dim() < 1 or 0 in h.shape:
        return False
    wide = (*h.shape[:-1], 3 * h.shape[-1])
    return fits(h, h.shape, h.dtype) and fits(gi, wide, h.dtype) and fits(gh, wide, h.dtype)


def cached_layer_of(w_ih: Tensor | None, w_hh: Tensor, b_ih: Tensor | None, b_hh: Tensor | None) -> CachedLayer | None:
    """Cache entry of a layer's weights, or None if the native kernel can't read them as they lie."""
    if type(w_hh) not in PLAIN:
        return None
    try:
        cached = kernel.cached_layer(w_hh)
        seen = layout_of(w_ih, w_hh, b_ih, b_hh)
        strided = cached.parameters or all(t is None or t.layout is STRIDED for t in (w_ih, w_hh, b_ih, b_hh))
        if strided and cached.layout == seen:
            return cached
        H = w_hh.shape[1]
        width = 3 * H if w_ih is None else w_ih.shape[1]
    except (AttributeError, IndexError, RuntimeError):  # not tensors, too few axes, or not strided
        return None
    shapes = (3 * H, width), (3 * H, H), (3 * H,), (3 * H,)
    for tensor, shape in zip((w_ih, w_hh, b_ih, b_hh), shapes, strict=True):
        if tensor is not None and not (supported(tensor) and fits(tensor, shape, w_hh.dtype)):
            return None
    cached.H, cached.I, cached.width = H, 0 if w_ih is None else width, width
    cached.dtype, cached.layout = w_hh.dtype, seen
    cached.parameters = all(t is None or type(t) is Parameter for t in (w_ih, w_hh, b_ih, b_hh))
    return cached
