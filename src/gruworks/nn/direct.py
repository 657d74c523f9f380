"""The plain call, straight to the kernel: one layer over x or ready terms and h0, eager, nothing ragged or decayed.

Almost every call is one, and at (T, B, I, H) = (100, 1, 64, 64) the kernel takes as long as forty of torch's smallest
calls. So every tuple and tensor that isn't needed is left out here: no views, final states made in the shape that they
are returned in, what the backward needs kept in memory of our own. Whatever is not plain gets None and goes the long
way (nn/functional.py), which also finds the words for what doesn't fit.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.nn import Parameter

from gruworks.nn import native
from gruworks.nn.native import CPU, Known, Operands

__all__ = ["computable", "gates_fit", "layer", "step"]

_empty, _empty_like, _grad_enabled, _threads = torch.empty, torch.empty_like, torch.is_grad_enabled, torch.get_num_threads
_is_compiling, _autocast = torch.compiler.is_compiling, torch.is_autocast_enabled
_C: Any = torch._C
_dispatch_modes, _tracing, _transforms = _C._len_torch_dispatch_stack, _C._get_tracing_state, _C._functorch.peek_interpreter_stack
_saved_hooks = _C._autograd._top_saved_tensors_default_hooks
_batched = _C._functorch.is_legacy_batchedtensor
PLAIN = (Tensor, Parameter)
LARGE = 1 << 16  # entries: 256 KiB of float32, of which a page fault for each 4 KiB costs more than DLPack's 4 us


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

    x is [T, B, I] ([B, T, I] if batch_first), or without w_ih ready terms [T, B, 3H]. With `lead` h0 and the final
    state are [1, B, H], as a module's are, else [B, H].
    """
    if not native.AVAILABLE or not eager() or _autocast("cpu") or type(x) not in PLAIN or x.dim() != 3:
        return None
    known = _known(w_ih, w_hh, b_ih, b_hh)
    if known is None or x.dtype is not known.dtype or not x.is_cpu:
        return None
    T, B, width = x.shape
    if batch_first:
        T, B = B, T
    if width != known.width or 0 in (T, B, width):
        return None
    if h0 is not None and not _fits(h0, (1, B, known.H) if lead else (B, known.H), known.dtype):
        return None
    if x.stride(2) != 1:
        x = x.contiguous()
    form = known, T, B, before, reverse, batch_first, lead
    if not (_grad_enabled() and _differentiable(x, h0, w_ih, w_hh, b_ih, b_hh)):
        return _forward(False, form, x, h0, w_ih, w_hh, b_ih, b_hh)[:2]
    if _saved_hooks(True) is not None:  # whoever watches what is saved must see all of it
        return None
    return _apply(form, x, h0, w_ih, w_hh, b_ih, b_hh)  # type: ignore[no-any-return]


def step(
    x: Tensor,
    h: Tensor | None,
    w_ih: Tensor | None,
    w_hh: Tensor,
    b_ih: Tensor | None,
    b_hh: Tensor | None,
    before: bool,
) -> Tensor | None:
    """`layer` over one step: x [B, I], or without w_ih ready terms [B, 3H], and h [B, H] to the state after it."""
    if not native.AVAILABLE or not eager() or _autocast("cpu") or type(x) not in PLAIN or x.dim() != 2:
        return None
    known = _known(w_ih, w_hh, b_ih, b_hh)
    if known is None or x.dtype is not known.dtype or not x.is_cpu:
        return None
    B, width = x.shape
    if width != known.width or 0 in (B, width) or (h is not None and not _fits(h, (B, known.H), known.dtype)):
        return None
    if x.stride(1) != 1:
        x = x.contiguous()
    if not (_grad_enabled() and _differentiable(x, h, w_ih, w_hh, b_ih, b_hh)):
        return _one_step(known.layer.forward_plain, known, before, x, h, w_ih, w_hh, b_ih, b_hh)[0]
    if _saved_hooks(True) is not None:
        return None
    return _apply_step(known, before, x, h, w_ih, w_hh, b_ih, b_hh)  # type: ignore[no-any-return]


def gates_fit(gi: Tensor, gh: Tensor, h: Tensor) -> bool:
    """Whether the kernel can form the gates of these terms."""
    if not native.AVAILABLE or not eager() or _autocast("cpu") or not native.serves(h) or 0 in h.shape or h.dim() < 1:
        return False
    wide = (*h.shape[:-1], 3 * h.shape[-1])
    return _fits(h, h.shape, h.dtype) and _fits(gi, wide, h.dtype) and _fits(gh, wide, h.dtype)


def eager() -> bool:
    """Nothing traces, transforms or watches the call, and no tensor carries a tangent."""
    if _is_compiling() or _dispatch_modes() or forward_ad._current_level >= 0:
        return False
    return _transforms() is None and _tracing() is None


def computable(*grads: Tensor | None) -> bool:
    """Whether these gradients lie in memory. Those of is_grads_batched=True are torch's older batched tensors."""
    for grad in grads:
        if grad is not None and (type(grad) not in PLAIN or _batched(grad)):
            return False
    return eager()


def _fits(t: Tensor, shape: tuple[int, ...], dtype: torch.dtype) -> bool:
    return t.shape == shape and t.dtype is dtype and type(t) in PLAIN and t.is_cpu and t.is_contiguous()


def _differentiable(*tensors: Tensor | None) -> bool:
    for t in tensors:  # noqa: SIM110 (a generator costs more than all of them)
        if t is not None and t.requires_grad:
            return True
    return False


def _known(w_ih: Tensor | None, w_hh: Tensor, b_ih: Tensor | None, b_hh: Tensor | None) -> Known | None:
    known = native.known(w_hh)
    if known.looks is not None and known.looks == _looks(w_ih, w_hh, b_ih, b_hh):
        return known
    H = w_hh.shape[-1] if w_hh.dim() == 2 else 0
    width = 3 * H if w_ih is None else w_ih.shape[-1]
    shapes = (3 * H, width), (3 * H, H), (3 * H,), (3 * H,)
    for tensor, shape in zip((w_ih, w_hh, b_ih, b_hh), shapes, strict=True):
        if tensor is not None and not (native.serves(tensor) and _fits(tensor, shape, w_hh.dtype)):
            return None
    known.H, known.I, known.width = H, 0 if w_ih is None else width, width
    known.dtype, known.looks = w_hh.dtype, _looks(w_ih, w_hh, b_ih, b_hh)
    return known


def _looks(w_ih: Tensor | None, w_hh: Tensor, b_ih: Tensor | None, b_hh: Tensor | None) -> tuple[Any, ...]:
    """What `.data = ...` and `module.to(...)` can change under the same name, asked as cheaply as can be."""
    if w_ih is None or b_ih is None or b_hh is None:
        return tuple(
            None if t is None else (t.shape, t.dtype, type(t), t.is_cpu and t.is_contiguous())
            for t in (w_ih, w_hh, b_ih, b_hh)
        )
    return (
        w_ih.shape, w_hh.shape, b_ih.shape, b_hh.shape, w_ih.dtype, w_hh.dtype, b_ih.dtype, b_hh.dtype,
        type(w_ih), type(w_hh), type(b_ih), type(b_hh), w_ih.is_cpu, w_hh.is_cpu, b_ih.is_cpu, b_hh.is_cpu,
        w_ih.is_contiguous() and w_hh.is_contiguous() and b_ih.is_contiguous() and b_hh.is_contiguous(),
    )  # fmt: skip


def _forward(
    keep: bool, form: tuple[Any, ...], x: Tensor, h0: Tensor | None,
    w_ih: Tensor | None, w_hh: Tensor, b_ih: Tensor | None, b_hh: Tensor | None,
) -> tuple[Tensor, Tensor, Any]:  # fmt: skip
    known, T, B, before, reverse, batch_first, lead = form
    H, dtype = known.H, known.dtype
    output = _empty((B, T, H) if batch_first else (T, B, H), dtype=dtype, device=CPU)
    final = _empty((1, B, H) if lead else (B, H), dtype=dtype, device=CPU)
    x_t, x_b = x.stride(0), x.stride(1)
    if batch_first:
        x_t, x_b = x_b, x_t
    run = known.layer.forward_kept if keep else known.layer.forward_plain
    kept = run(
        T, B, known.I, H, before, reverse, batch_first, x.data_ptr(), x_t, x_b, 0 if h0 is None else h0.data_ptr(), H,
        output.data_ptr(), final.data_ptr(), 0 if w_ih is None else w_ih.data_ptr(), w_hh.data_ptr(),
        0 if b_ih is None else b_ih.data_ptr(), 0 if b_hh is None else b_hh.data_ptr(), _threads(),
    )  # fmt: skip
    return output, final, kept


def _one_step(
    run: Any, known: Known, before: bool, x: Tensor, h: Tensor | None,
    w_ih: Tensor | None, w_hh: Tensor, b_ih: Tensor | None, b_hh: Tensor | None,
) -> tuple[Tensor, Any]:  # fmt: skip
    B, H = x.shape[0], known.H
    state = _empty((B, H), dtype=known.dtype, device=CPU)
    address = state.data_ptr()  # of the only output and the final state at once
    kept = run(
        1, B, known.I, H, before, False, False, x.data_ptr(), 0, x.stride(0), 0 if h is None else h.data_ptr(), H,
        address, address, 0 if w_ih is None else w_ih.data_ptr(), w_hh.data_ptr(),
        0 if b_ih is None else b_ih.data_ptr(), 0 if b_hh is None else b_hh.data_ptr(), _threads(),
    )  # fmt: skip
    return state, kept


class _Direct(torch.autograd.Function):
    """The kernel's first derivatives; whatever is not plain on the way back by the equations."""

    @staticmethod
    def forward(ctx: Any, form: Any, *tensors: Any) -> tuple[Tensor, Tensor]:
        output, final, ctx.kept = _forward(True, form, *tensors)
        ctx.form = form
        ctx.save_for_backward(*tensors, output)
        ctx.set_materialize_grads(False)
        return output, final

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> Any:
        *tensors, output = ctx.saved_tensors
        grad_output, grad_final = grads
        if grad_output is None and grad_final is None:
            return (None,) * 7
        if _grad_enabled() or not computable(*grads):
            return _by_equations(ctx.form, tensors, grads, ctx.needs_input_grad)
        kept, ctx.kept = ctx.kept, None
        if kept is None:  # an earlier backward has used it up
            kept = _forward(True, ctx.form, *tensors)[2]
        tensors.append(output)
        return None, *_gradients(kept, tensors, grad_output, grad_final, ctx.needs_input_grad[1:], ctx.form[5])


class _Step(torch.autograd.Function):
    """The same for one step."""

    @staticmethod
    def forward(ctx: Any, known: Known, before: bool, *tensors: Any) -> Tensor:
        state, ctx.kept = _one_step(known.layer.forward_kept, known, before, *tensors)
        ctx.form = known, before
        ctx.save_for_backward(*tensors)
        return state

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:  # type: ignore[override]
        tensors, (known, before) = ctx.saved_tensors, ctx.form
        if _grad_enabled() or not computable(grad):
            form = known, 1, None, before, False, False, False
            with torch.enable_grad():
                whole = tensors[0][None], *tensors[1:]
            _, grad_x, *rest = _by_equations(form, whole, (None, grad), (False, *ctx.needs_input_grad[2:]))
            return None, None, None if grad_x is None else grad_x[0], *rest
        kept, ctx.kept = ctx.kept, None
        if kept is None:
            kept = _one_step(known.layer.forward_kept, known, before, *tensors)[1]
        # The kernel reads no output where there is one step.
        return None, None, *_gradients(kept, (*tensors, tensors[0]), None, grad, ctx.needs_input_grad[2:], False)


# Torch's own part, in C. What Function.apply does before it, `eager` has done.
_apply = super(torch.autograd.Function, _Direct).apply
_apply_step = super(torch.autograd.Function, _Step).apply


def _gradients(
    kept: Any, tensors: Any, grad_output: Any, grad_final: Any, needed: tuple[bool, ...], batch_first: bool
) -> list[Tensor | None]:
    w_hh = tensors[3]
    if grad_output is None:
        along = 0, 0, 0
    else:
        if grad_output.stride(2) != 1:
            grad_output = grad_output.contiguous()
        t, b = (1, 0) if batch_first else (0, 1)
        along = grad_output.data_ptr(), grad_output.stride(t), grad_output.stride(b)
    made = [_made_like(t) if need else None for t, need in zip(tensors, needed)]  # noqa: B905 (output is the odd one)
    if grad_final is not None and not grad_final.is_contiguous():
        grad_final = grad_final.contiguous()
    kept.backward(
        *[0 if t is None else t.data_ptr() for t in tensors], *along, 0 if grad_final is None else grad_final.data_ptr(),
        w_hh.shape[1], *[0 if t is None else t.data_ptr() for t in made], _threads(),
    )  # fmt: skip
    return made


def _made_like(t: Tensor) -> Any:
    """An empty contiguous gradient. A large one lies in the native pool: from torch, each page is a fault every step."""
    if t.numel() >= LARGE:
        return native.pooled(t.shape, t.dtype)
    return _empty_like(t) if t.is_contiguous() else _empty_like(t, memory_format=torch.contiguous_format)


def _by_equations(form: Any, tensors: Any, grads: tuple[Any, ...], needed: tuple[bool, ...]) -> tuple[Any, ...]:
    """Gradients that have gradients, or go through a transform, themselves."""
    from gruworks.nn.functional import gradients_of_equations

    known, _, _, before, reverse, batch_first, lead = form
    x, h0, *weights = tensors
    grad_output, grad_final = grads
    with torch.enable_grad():
        steps = x.transpose(0, 1) if batch_first else x
        start = h0[0] if lead and h0 is not None else h0
    if batch_first and grad_output is not None:
        grad_output = grad_output.transpose(0, 1)
    if lead and grad_final is not None:
        grad_final = grad_final[0]
    o = Operands(*((steps, None) if known.I else (None, steps)), start, *weights)
    need_x, *rest = needed[1:]
    pattern = (need_x and bool(known.I), need_x and not known.I, *rest, False, False, False)
    found = gradients_of_equations(o, (before, reverse), (grad_output, grad_final), pattern)
    grad_x, grad_h0 = found[0] if known.I else found[1], found[2]
    if batch_first and grad_x is not None:
        grad_x = grad_x.transpose(0, 1)
    if lead and grad_h0 is not None:
        grad_h0 = grad_h0[None]
    return None, grad_x, grad_h0, *found[3:7]
