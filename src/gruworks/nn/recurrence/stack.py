"""The fast path of a stack: all layers and directions in one native call, one autograd node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gruworks.nn.recurrence import fallback, kernel
from gruworks.nn.recurrence.conditions import (
    AVAILABLE,
    PLAIN,
    Weights,
    differentiable,
    eager,
    fits,
    has_saved_tensors_hooks,
    layout_of,
    readable,
)
from gruworks.nn.recurrence.fast_path import cached_layer_of
from gruworks.nn.recurrence.kernel import CPU, CachedLayer, contiguous, last_axis_contiguous
from gruworks.nn.recurrence.operands import no_memory
from gruworks.ops.activations import Unit
from gruworks.ops.backend import native as module
from gruworks.ops.operands import Operands

__all__ = ["stack"]


class Form(NamedTuple):
    """Sizes, form and cached layers of a call of a stack."""

    cached: Sequence[CachedLayer]  # by layer, then direction
    layouts: Sequence[Any]
    T: int
    B: int
    before: bool
    directions: int
    batch_first: bool

    @property
    def H(self) -> int:  # noqa: N802 (the field's letter)
        """Hidden size."""
        return self.cached[0].H


def stack(
    x: Tensor,
    h0: Tensor | None,
    weights: Sequence[Weights],
    before: bool,
    directions: int,
    batch_first: bool,
    dropout: float,
) -> tuple[Tensor, Tensor] | None:
    """Output [T, B, D·H] and final states [L·D, B, H], or None if the fast path doesn't support the call.

    x is [T, B, I], [B, T, I] if batch_first; `dropout` is the dropout probability between layers.
    """
    if not AVAILABLE or not eager() or torch.is_autocast_enabled("cpu") or type(x) not in PLAIN or x.dim() != 3:
        return None
    cached = [cached_layer_of(*own) for own in weights]
    form = _form(x, cached, before, directions, batch_first)
    if form is None or dropout >= 1:
        return None
    if h0 is not None and not fits(h0, (len(weights), form.B, form.H), form.cached[0].dtype):
        return None
    flat = [t for own in weights for t in own]
    learns = torch.is_grad_enabled() and differentiable(x, h0, *flat)
    if learns and has_saved_tensors_hooks():
        return None
    shape, layers = (form.T, form.B, directions * form.H), len(weights) // directions
    masks = [kernel.bernoulli(shape, 1 - dropout, 1 / (1 - dropout), x) for _ in range(layers - 1) if dropout]
    x = x if x.stride(2) == 1 else x.contiguous()
    if not learns:
        return _forward(False, form, masks, x, h0, flat)[:2]
    found: tuple[Tensor, Tensor] = _apply(form, len(masks), *masks, x, h0, *flat)
    return found


def _form(
    x: Tensor, cached: Sequence[CachedLayer | None], before: bool, directions: int, batch_first: bool
) -> Form | None:
    known = [layer for layer in cached if layer is not None]
    if len(known) < len(cached) or not readable(x, known[0].dtype) or 0 in x.shape:
        return None
    first, (T, B, width) = known[0], x.shape
    for place, layer in enumerate(known):
        inputs = width if place < directions else directions * first.H
        if inputs != layer.I or layer.H != first.H or layer.dtype is not first.dtype:
            return None
    if batch_first:
        T, B = B, T
    return Form(known, [layer.layout for layer in known], T, B, before, directions, batch_first)


def _forward(
    keep: bool, form: Form, masks: Sequence[Tensor], x: Tensor, h0: Tensor | None, weights: Sequence[Tensor | None]
) -> tuple[Tensor, Tensor, Any]:
    """Output, final states and, if `keep`, what the backward needs."""
    first, width = form.cached[0], form.directions * form.H
    axes = (form.B, form.T) if form.batch_first else (form.T, form.B)
    output = torch.empty(*axes, width, dtype=first.dtype, device=CPU)
    final = torch.empty(len(form.cached), form.B, form.H, dtype=first.dtype, device=CPU)
    run: Any
    if first.dtype is torch.float32:
        run = module.stack_kept32 if keep else module.stack32
    else:
        run = module.stack_kept64 if keep else module.stack64
    along = (x.stride(1), x.stride(0)) if form.batch_first else (x.stride(0), x.stride(1))
    kept = run(
        [cached.layer for cached in form.cached], form.T, form.B, first.I, form.H, form.directions, form.before,
        form.batch_first, (_address(x, "x"), *along), _address(h0, "hx"), output.data_ptr(),
        final.data_ptr(), [_address(t, "a weight") for t in weights], [_address(t, "a mask") for t in masks],
        torch.get_num_threads(),
    )  # fmt: skip
    return output, final, kept


def _address(t: Any, name: str) -> int:
    return 0 if t is None else t.const_data_ptr() or no_memory(name)


class _Stack(torch.autograd.Function):
    """All layers and directions; saves activations in native memory."""

    @staticmethod
    def forward(ctx: Any, form: Form, dropped: int, *tensors: Any) -> tuple[Tensor, Tensor]:
        masks, (x, h0, *weights) = tensors[:dropped], tensors[dropped:]
        output, final, ctx.kept = _forward(True, form, masks, x, h0, weights)
        ctx.form, ctx.dropped = form, dropped
        ctx.save_for_backward(*tensors, kernel.lazy_clone(output))  # the caller may modify the output in place
        ctx.set_materialize_grads(False)
        return output, final

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> Any:
        *tensors, output = ctx.saved_tensors
        form, dropped, needed = ctx.form, ctx.dropped, ctx.needs_input_grad[2 + ctx.dropped :]
        masks, (x, h0, *weights) = tensors[:dropped], tensors[dropped:]
        nothing = (None,) * (2 + dropped)
        if grads[0] is None and grads[1] is None:
            return (*nothing, *(None for _ in needed))
        layouts = [layout_of(*weights[i : i + 4]) for i in range(0, len(weights), 4)]
        if fallback.of_higher_order(*grads) or layouts != form.layouts:
            return (*nothing, *_by_equations(form, masks, (x, h0, *weights), grads, needed))
        kept, ctx.kept = ctx.kept, None
        if kept is None:  # an earlier backward has overwritten it
            output, _, kept = _forward(True, form, masks, x, h0, weights)
        return (*nothing, *_gradients(kept, form, masks, (x, h0, *weights), output, grads, needed))


_apply: Any = super(torch.autograd.Function, _Stack).apply


def _gradients(
    kept: Any,
    form: Form,
    masks: Sequence[Tensor],
    tensors: Sequence[Any],
    output: Tensor,
    grads: tuple[Tensor | None, ...],
    needed: Sequence[bool],
) -> list[Tensor | None]:
    """Gradients of x, h0 and the weights."""
    x, h0, *weights = tensors
    grad_output, grad_final, along = None, None, (0, 0, 0)
    if grads[0] is not None:
        grad_output = last_axis_contiguous(grads[0])
        t, b = (1, 0) if form.batch_first else (0, 1)
        along = grad_output.const_data_ptr(), grad_output.stride(t), grad_output.stride(b)
    if grads[1] is not None:
        grad_final = contiguous(grads[1])
    made = kernel.empty_gradients(tensors, needed)
    of_x, of_h0, *of_weights = (0 if t is None else t.data_ptr() for t in made)
    kept.backward(
        _address(x, "x"), _address(h0, "hx"), _address(output, "the output"),
        [_address(t, "a weight") for t in weights],
        [_address(t, "a mask") for t in masks], along, _address(grad_final, "a gradient"), of_x, of_h0, of_weights,
        torch.get_num_threads(),
    )  # fmt: skip
    return made


def _by_equations(
    form: Form,
    masks: Sequence[Tensor],
    tensors: Sequence[Any],
    grads: tuple[Tensor | None, ...],
    needed: Sequence[bool],
) -> list[Tensor | None]:
    """Differentiable gradients."""
    with torch.enable_grad():
        results = _equations(form, masks, *tensors)
    pairs = [(r, g) for r, g in zip(results, grads, strict=True) if g is not None and r.requires_grad]
    wanted = [t for t, need in zip(tensors, needed, strict=True) if need]
    outputs, given = zip(*pairs, strict=True)
    found = iter(torch.autograd.grad(outputs, wanted, given, create_graph=True, allow_unused=True))
    return [next(found) if need else None for need in needed]


def _equations(
    form: Form, masks: Sequence[Tensor], x: Tensor, h0: Tensor | None, *weights: Tensor | None
) -> tuple[Tensor, Tensor]:
    steps, finals = x.transpose(0, 1) if form.batch_first else x, []
    for layer in range(len(form.cached) // form.directions):
        if layer and masks:
            steps = steps * masks[layer - 1]
        sides = []
        for direction in range(form.directions):
            place = layer * form.directions + direction
            start = None if h0 is None else h0[place]
            operands = Operands(steps, None, start, *weights[4 * place : 4 * place + 4])
            output, final = fallback.by_equations(operands, Unit(form.before), direction == 1)
            sides.append(output)
            finals.append(final)
        steps = torch.cat(sides, -1)
    return steps.transpose(0, 1) if form.batch_first else steps, torch.stack(finals)
