"""Autograd Functions of the native kernel: first derivatives; fallback.py computes higher-order ones.

A torch.library operator would add 60 µs of dispatcher overhead to each training step.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gruworks.nn.recurrence import fallback, kernel
from gruworks.nn.recurrence.kernel import contiguous, last_axis_contiguous
from gruworks.ops.activations import Unit
from gruworks.ops.operands import OPERANDS, Operands

__all__ = ["new_state", "plain", "recurrence"]

_threads = torch.get_num_threads


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


class _Plain(torch.autograd.Function):
    """Graph node of a layer or a step that the fast path has computed; saved activations are in native memory."""

    @staticmethod
    def forward(ctx: Any, results: Any, kept: Any, layer: Any, form: Any, *tensors: Any) -> Any:
        ctx.kept, ctx.layer, ctx.form = kept, layer, form
        step = form[0]
        # A copy-on-write clone, because the caller may modify the output in place. A step's backward doesn't read it.
        ctx.save_for_backward(*tensors, None if step else kernel.lazy_clone(results[0]))
        ctx.set_materialize_grads(False)
        return results

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> Any:
        *tensors, output = ctx.saved_tensors
        form, needed = ctx.form, ctx.needs_input_grad[4:]
        grad_output, grad_final = (None, *grads) if form[0] else grads
        if grad_output is None and grad_final is None:
            return (None,) * 10
        if not fallback.of_higher_order(*grads):
            kept, ctx.kept = ctx.kept, None
            if kept is None:  # an earlier backward has overwritten the saved activations
                _, kept = ctx.layer.plain(*tensors, *form, True, _threads()) or (None, None)
            grad_output = None if grad_output is None else last_axis_contiguous(grad_output)
            grad_final = None if grad_final is None else contiguous(grad_final)
            found = kept and kept.backward(*tensors, output, grad_output, grad_final, needed, _threads())
            if found is not None:
                return None, None, None, None, *found
        return None, None, None, None, *_by_equations(form, tensors, (grad_output, grad_final), needed)


# The C implementation of apply; conditions.py has done the checks of Function.apply.
plain: Any = super(torch.autograd.Function, _Plain).apply
recurrence: Any = _Recurrence.apply
new_state: Any = _NewState.apply


def _by_equations(form: Any, tensors: Any, grads: tuple[Any, ...], needed: tuple[bool, ...]) -> tuple[Any, ...]:
    """Differentiable gradients, also under torch.func transforms."""
    step, before, reverse, batch_first, lead = form
    x, h0, *weights = tensors
    grad_output, grad_final = grads
    with torch.enable_grad():
        steps = x[None] if step else x.transpose(0, 1) if batch_first else x
        start = h0[0] if lead and h0 is not None else h0
    if batch_first and grad_output is not None:
        grad_output = grad_output.transpose(0, 1)
    if lead and grad_final is not None:
        grad_final = grad_final[0]
    projected = weights[0] is None
    o = Operands(None, steps, start, *weights) if projected else Operands(steps, None, start, *weights)
    need_x, *rest = needed
    pattern = (need_x and not projected, need_x and projected, *rest, *(False,) * (len(OPERANDS) - 7))
    found = fallback.gradients_of_equations(o, (Unit(before), reverse), (grad_output, grad_final), pattern)
    grad_x, grad_h0 = found[1 if projected else 0], found[2]
    if grad_x is not None:
        grad_x = grad_x[0] if step else grad_x.transpose(0, 1) if batch_first else grad_x
    if lead and grad_h0 is not None:
        grad_h0 = grad_h0[None]
    return grad_x, grad_h0, *found[3:7]
