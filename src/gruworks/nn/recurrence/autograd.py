"""Autograd Functions of the native kernel: first derivatives; fallback.py computes higher-order ones.

A torch.library operator would add 60 µs of dispatcher overhead to each training step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gruworks.nn.recurrence import fallback, kernel
from gruworks.nn.recurrence.conditions import layout_of
from gruworks.nn.recurrence.kernel import CPU, LARGE, CachedLayer, contiguous, last_axis_contiguous
from gruworks.nn.recurrence.operands import no_memory
from gruworks.ops.activations import Unit
from gruworks.ops.operands import OPERANDS, Operands

__all__ = ["forward", "layer", "new_state", "one_step", "recurrence", "step"]

_empty, _empty_like, _threads = torch.empty, torch.empty_like, torch.get_num_threads


def forward(
    keep: bool, form: tuple[Any, ...], x: Any, h0: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any
) -> tuple[Tensor, Tensor, Any]:  # fmt: skip
    """Output, final state and, if `keep`, saved activations for the backward."""
    cached, T, B, before, reverse, batch_first, lead, _, (x_t, x_b) = form
    H, dtype = cached.H, cached.dtype
    output = _empty((B, T, H) if batch_first else (T, B, H), dtype=dtype, device=CPU)
    final = _empty((1, B, H) if lead else (B, H), dtype=dtype, device=CPU)
    run = cached.layer.forward_kept if keep else cached.layer.forward_plain
    kept = run(
        T, B, cached.I, H, before, reverse, batch_first, x.const_data_ptr() or no_memory("x"), x_t, x_b,
        0 if h0 is None else h0.const_data_ptr() or no_memory("hx"), H, output.data_ptr(), final.data_ptr(),
        0 if w_ih is None else w_ih.const_data_ptr() or no_memory("w_ih"), w_hh.const_data_ptr() or no_memory("w_hh"),
        0 if b_ih is None else b_ih.const_data_ptr() or no_memory("b_ih"),
        0 if b_hh is None else b_hh.const_data_ptr() or no_memory("b_hh"), _threads(),
    )  # fmt: skip
    return output, final, kept


def one_step(
    keep: bool, cached: CachedLayer, before: bool, x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any
) -> tuple[Tensor, Any]:  # fmt: skip
    """New state and, if `keep`, saved activations for the backward."""
    B, H = x.shape[0], cached.H
    state = _empty((B, H), dtype=cached.dtype, device=CPU)
    address = state.data_ptr()  # both the output and the final state
    run = cached.layer.forward_kept if keep else cached.layer.forward_plain
    kept = run(
        1, B, cached.I, H, before, False, False, x.const_data_ptr() or no_memory("x"), 0, x.stride(0),
        0 if h is None else h.const_data_ptr() or no_memory("hx"), H, address, address,
        0 if w_ih is None else w_ih.const_data_ptr() or no_memory("w_ih"), w_hh.const_data_ptr() or no_memory("w_hh"),
        0 if b_ih is None else b_ih.const_data_ptr() or no_memory("b_ih"),
        0 if b_hh is None else b_hh.const_data_ptr() or no_memory("b_hh"), _threads(),
    )  # fmt: skip
    return state, kept


class _Recurrence(torch.autograd.Function):
    """One layer and direction, any operands."""

    @staticmethod
    def forward(ctx: Any, unit: Unit, reverse: bool, *operands: Tensor | None) -> tuple[Tensor, Tensor]:
        output, final, saved, states = kernel.forward_kept(Operands(*operands), unit, reverse)
        ctx.save_for_backward(*operands, kernel.lazy_clone(output), saved, states)
        ctx.form, ctx.used = (unit, reverse), False
        ctx.set_materialize_grads(False)
        return output, final

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> Any:
        *tensors, output, saved, states = ctx.saved_tensors
        o, needed, kept = Operands(*tensors), ctx.needs_input_grad[2:], (output, saved, states)

        def first() -> list[Tensor | None]:
            again = kernel.forward_kept(o, *ctx.form) if ctx.used else None  # the first backward has overwritten it
            ctx.used = True
            return kernel.gradients(o, ctx.form, kept if again is None else (again[0], *again[2:]), grads, needed)

        return None, None, *fallback.derivatives(o, ctx.form, grads, needed, first)


class _NewState(torch.autograd.Function):
    """New state, given input and recurrent projections."""

    @staticmethod
    def forward(ctx: Any, *operands: Tensor) -> Tensor:
        ctx.save_for_backward(*operands)
        return kernel.new_state(*operands)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        operands = gi, gh, h = ctx.saved_tensors
        if not fallback.of_higher_order(grad):
            return kernel.new_state_gradients(gi, gh, h, grad)
        with torch.enable_grad():
            state = fallback.new_state(*operands)
        needed = ctx.needs_input_grad
        wanted = [t for t, need in zip(operands, needed, strict=True) if need]
        found = iter(torch.autograd.grad(state, wanted, grad, create_graph=True))
        return tuple(next(found) if need else None for need in needed)


class _Layer(torch.autograd.Function):
    """One layer and direction for the fast path, without other operands; saves activations in native memory."""

    @staticmethod
    def forward(ctx: Any, form: Any, *tensors: Any) -> tuple[Tensor, Tensor]:
        output, final, ctx.kept = forward(True, form, *tensors)
        ctx.form = form
        # A copy-on-write clone, because the caller may modify the output in place.
        ctx.save_for_backward(*tensors, kernel.lazy_clone(output))
        ctx.set_materialize_grads(False)
        return output, final

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> Any:
        *tensors, output = ctx.saved_tensors
        if grads[0] is None and grads[1] is None:
            return (None,) * 7
        form = ctx.form
        if fallback.of_higher_order(*grads) or layout_of(*tensors[2:]) != form[7]:
            return None, *_by_equations(form, tensors, grads, ctx.needs_input_grad[1:])
        kept, ctx.kept = ctx.kept, None

        def recompute() -> Any:
            return forward(True, form, *tensors)[2]

        return None, *_gradients(kept, recompute, (*tensors, output), grads, ctx.needs_input_grad[1:], form[5])


class _Step(torch.autograd.Function):
    """`_Layer` for a single step."""

    @staticmethod
    def forward(ctx: Any, cached: CachedLayer, before: bool, *tensors: Any) -> Tensor:
        state, ctx.kept = one_step(True, cached, before, *tensors)
        ctx.form = cached, before, cached.layout
        ctx.save_for_backward(*tensors)
        return state

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        tensors, (cached, before, layout) = ctx.saved_tensors, ctx.form
        if fallback.of_higher_order(grad) or layout_of(*tensors[2:]) != layout:
            with torch.enable_grad():
                as_sequence = tensors[0][None], *tensors[1:]
            form = cached, 1, len(grad), before, False, False, False, layout, (0, 0)
            grad_x, *rest = _by_equations(form, as_sequence, (None, grad), ctx.needs_input_grad[2:])
            return None, None, None if grad_x is None else grad_x[0], *rest
        kept, ctx.kept = ctx.kept, None

        def recompute() -> Any:
            return one_step(True, cached, before, *tensors)[1]

        # The backward of a single step doesn't read the output; x is a placeholder.
        inputs = *tensors, tensors[0]
        return None, None, *_gradients(kept, recompute, inputs, (None, grad), ctx.needs_input_grad[2:], False)


# The C implementation of apply; conditions.py has done the checks of Function.apply.
layer: Any = super(torch.autograd.Function, _Layer).apply
step: Any = super(torch.autograd.Function, _Step).apply
recurrence: Any = _Recurrence.apply
new_state: Any = _NewState.apply


def _gradients(
    kept: Any, recompute: Callable[[], Any], tensors: Any, grads: Any, needed: tuple[bool, ...], batch_first: bool
) -> list[Tensor | None]:
    """Gradients of x, h0 and the weights; `recompute` repeats the forward for a second backward."""
    along, (grad_output, grad_final) = (0, 0, 0), grads
    if grad_output is not None:
        grad_output = last_axis_contiguous(grad_output)
        t, b = (1, 0) if batch_first else (0, 1)
        along = grad_output.const_data_ptr(), grad_output.stride(t), grad_output.stride(b)
    if grad_final is not None:
        grad_final = contiguous(grad_final)
    made = [_made_like(t) if need else None for t, need in zip(tensors, needed)]  # noqa: B905 (tensors also holds the output)
    arguments = [0 if t is None else t.const_data_ptr() for t in tensors]
    arguments += (*along, 0 if grad_final is None else grad_final.const_data_ptr(), tensors[3].shape[1])
    arguments += [0 if t is None else t.data_ptr() for t in made]
    if kept is None or not kept.backward(*arguments, _threads()):
        recompute().backward(*arguments, _threads())
    return made


def _made_like(t: Tensor) -> Any:
    """An uninitialized contiguous gradient; large ones come from the native memory pool to avoid page faults."""
    if t.numel() >= LARGE:
        return kernel.pooled(t.shape, t.dtype)
    return _empty_like(t) if t.is_contiguous() else _empty_like(t, memory_format=torch.contiguous_format)


def _by_equations(form: Any, tensors: Any, grads: tuple[Any, ...], needed: tuple[bool, ...]) -> tuple[Any, ...]:
    """Differentiable gradients, also under torch.func transforms."""
    cached, _, _, before, reverse, batch_first, lead, *_ = form
    x, h0, *weights = tensors
    grad_output, grad_final = grads
    with torch.enable_grad():
        steps = x.transpose(0, 1) if batch_first else x
        start = h0[0] if lead and h0 is not None else h0
    if batch_first and grad_output is not None:
        grad_output = grad_output.transpose(0, 1)
    if lead and grad_final is not None:
        grad_final = grad_final[0]
    given = (steps, None) if cached.I else (None, steps)
    o = Operands(given[0], given[1], start, *weights)
    need_x, *rest = needed
    pattern = (need_x and bool(cached.I), need_x and not cached.I, *rest, *(False,) * (len(OPERANDS) - 7))
    found = fallback.gradients_of_equations(o, (Unit(before), reverse), (grad_output, grad_final), pattern)
    grad_x, grad_h0 = found[0] if cached.I else found[1], found[2]
    if batch_first and grad_x is not None:
        grad_x = grad_x.transpose(0, 1)
    if lead and grad_h0 is not None:
        grad_h0 = grad_h0[None]
    return grad_x, grad_h0, *found[3:7]
