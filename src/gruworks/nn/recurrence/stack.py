"""The fast path of a stack, or of groups: all units in one native call, one autograd node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gruworks.nn.recurrence import fallback, kernel
from gruworks.nn.recurrence.conditions import (
    PLAIN,
    Weights,
    differentiable,
    eager,
    has_saved_tensors_hooks,
    readable,
)
from gruworks.nn.recurrence.kernel import CONNECTED, cached_layer, contiguous, last_axis_contiguous
from gruworks.ops.activations import Unit
from gruworks.ops.backend import native as module
from gruworks.ops.operands import Operands

__all__ = ["stack"]


class Form(NamedTuple):
    """Form of a call of a stack."""

    layers: Sequence[Any]  # native layers, by layer, then group, then direction
    directions: int
    groups: int
    before: bool
    batch_first: bool


def stack(
    x: Tensor,
    h0: Tensor | None,
    weights: Sequence[Weights],
    before: bool,
    directions: int,
    batch_first: bool,
    dropout: float = 0.0,
    groups: int = 1,
) -> tuple[Tensor, Tensor] | None:
    """Output [T, B, G·D·H] and final states [L·G·D, B, H], or None if the fast path doesn't support the call.

    x is [T, B, G·I], [B, T, G·I] if batch_first; `dropout` is the dropout probability between layers. Groups read a
    slice of the features each, in one layer.
    """
    if not CONNECTED or type(x) not in PLAIN or not eager() or torch.is_autocast_enabled("cpu") or dropout >= 1:
        return None
    if x.dim() != 3 or not x.numel() or not all(readable(x, own[1].dtype) for own in weights):
        return None
    flat = [t for own in weights for t in own]
    try:
        layers = [cached_layer(own[1]).layer for own in weights]
        learns = torch.is_grad_enabled() and differentiable(x, h0, *flat)
    except (AttributeError, RuntimeError):  # not tensors, or not strided
        return None
    if learns and has_saved_tensors_hooks():
        return None
    if x.stride(2) != 1:
        x = x.contiguous()
    form = Form(layers, directions, groups, before, batch_first)
    masks = _masks(x, form, weights[0][1].shape[1], dropout) if dropout else ()
    found = _run(form, (x, h0, *flat), masks, learns)
    if found is None:
        return None
    results, kept = found
    attached: tuple[Tensor, Tensor]
    attached = _attach(results, kept, form, len(masks), *masks, x, h0, *flat) if learns else results
    return attached


def _masks(x: Tensor, form: Form, H: int, dropout: float) -> tuple[Tensor, ...]:
    """Dropout masks between layers [T, B, D·H]."""
    T, B = (x.shape[1], x.shape[0]) if form.batch_first else x.shape[:2]
    shape = T, B, form.directions * H
    layers = len(form.layers) // form.directions
    return tuple(kernel.bernoulli(shape, 1 - dropout, 1 / (1 - dropout), x) for _ in range(layers - 1))


def _run(form: Form, tensors: Sequence[Any], masks: Sequence[Tensor], keep: bool) -> Any:
    """Results and, if `keep`, saved values; None for tensors that the kernel can't read as they lie."""
    run: Any = module.stack32 if tensors[0].dtype is torch.float32 else module.stack64
    layers, *others = form
    return run(layers, tuple(tensors), tuple(masks), *others, keep, torch.get_num_threads())


class _Stack(torch.autograd.Function):
    """Graph node of a computed stack; saved activations are in native memory."""

    @staticmethod
    def forward(ctx: Any, results: tuple[Tensor, Tensor], kept: Any, form: Form, dropped: int, *tensors: Any) -> Any:
        ctx.kept, ctx.form, ctx.dropped = kept, form, dropped
        ctx.save_for_backward(*tensors, kernel.lazy_clone(results[0]))  # the caller may modify the output in place
        ctx.set_materialize_grads(False)
        return results

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> Any:
        *saved, output = ctx.saved_tensors
        form, dropped, needed = ctx.form, ctx.dropped, ctx.needs_input_grad[4 + ctx.dropped :]
        masks, tensors = saved[:dropped], saved[dropped:]
        nothing = (None,) * (4 + dropped)
        grad_output, grad_final = grads
        if grad_output is None and grad_final is None:
            return (*nothing, *(None for _ in needed))
        if not fallback.of_higher_order(*grads):
            kept, ctx.kept = ctx.kept, None
            if kept is None:  # an earlier backward has overwritten the saved activations
                results, kept = _run(form, tensors, masks, True) or ((None, None), None)
                output = results[0]
            grad_output = None if grad_output is None else last_axis_contiguous(grad_output)
            grad_final = None if grad_final is None else contiguous(grad_final)
            found = kept and kept.backward(
                tuple(tensors), tuple(masks), output, grad_output, grad_final, needed, torch.get_num_threads()
            )
            if found is not None:
                return (*nothing, *found)
        return (*nothing, *_by_equations(form, masks, tensors, grads, needed))


_attach: Any = super(torch.autograd.Function, _Stack).apply


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
    abreast = form.groups * form.directions
    for layer in range(len(form.layers) // abreast):
        if layer and masks:
            steps = steps * masks[layer - 1]
        sides, slices = [], steps.chunk(form.groups, -1)
        for i in range(abreast):
            place, (group, direction) = layer * abreast + i, divmod(i, form.directions)
            start = None if h0 is None else h0[place]
            operands = Operands(slices[group], None, start, *weights[4 * place : 4 * place + 4])
            output, final = fallback.by_equations(operands, Unit(form.before), direction == 1)
            sides.append(output)
            finals.append(final)
        steps = torch.cat(sides, -1)
    return steps.transpose(0, 1) if form.batch_first else steps, torch.stack(finals)
