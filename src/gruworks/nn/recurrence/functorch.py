"""The native recurrence under torch.func: grad and vjp, vmap of them (per-sample gradients), vmap inside them.

A mapped axis is folded into the batch, so that all samples are one call; gradients of the weights are then sums over
the rows of each sample, from the gate gradients that the native backward leaves. Weights that are mapped, too (an
ensemble), make one call per slice. Transforms of transforms are computed by the equations (nn/functional.py).

Shapes: N samples, T time, B batch of a sample, I input size, H hidden size.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from gruworks.nn.recurrence import fallback, kernel
from gruworks.nn.recurrence.gate_gradients import gate_gradients, previous_states, valid_steps
from gruworks.nn.recurrence.operands import row_lengths
from gruworks.ops.activations import Unit
from gruworks.ops.operands import BATCHED, LENGTHS, STEPWISE, Operands

__all__ = ["recurrence"]

COUNT = LENGTHS + 1  # operands: x, gi, h0, weights, biases, lengths
WEIGHTS = range(3, 7)


def recurrence(o: Operands, unit: Unit, reverse: bool) -> tuple[Tensor, Tensor]:
    """Output and final state; operands beyond `lengths` and activations other than the usual by the equations."""
    if not unit.usual or any(t is not None for t in o[COUNT:]):
        return fallback.by_equations(o, unit, reverse)
    output, final, _ = _Recurrence.apply(unit, reverse, *o[:COUNT])  # type: ignore[no-untyped-call]
    return output, final


class _Recurrence(torch.autograd.Function):
    """Output, final state, and the saved activations [T, B, 4 padded H]."""

    @staticmethod
    def forward(unit: Unit, reverse: bool, *tensors: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        o = Operands(*tensors)
        if o.lengths is not None:
            row_lengths(o.lengths, o.given.shape[0], o.given.shape[1], o.lengths.device)
        output, final, saved, _ = kernel.forward_kept(o, unit, reverse)
        return output, final, saved.view(*output.shape[:2], -1)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        ctx.form = inputs[:2]
        ctx.save_for_backward(*inputs[2:], output[0], output[2])
        ctx.mark_non_differentiable(output[2])
        ctx.set_materialize_grads(False)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], unit: Unit, reverse: bool, *tensors: Any) -> Any:
        n, axes = info.batch_size, in_dims[2:]
        if _weights_mapped(axes):
            return _one_by_one(n, axes, tensors, lambda *own: _Recurrence.apply(unit, reverse, *own))  # type: ignore[no-untyped-call]
        folded = [
            _fold(n, t, axis, i in STEPWISE) if i in BATCHED else t
            for i, (t, axis) in enumerate(zip(tensors, axes, strict=True))
        ]
        output, final, saved = _Recurrence.apply(unit, reverse, *folded)  # type: ignore[no-untyped-call]
        return (_unfold(n, output, True), _unfold(n, final, False), _unfold(n, saved, True)), (1, 0, 1)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> Any:
        given = grads[:2]
        needed = ctx.needs_input_grad[2:]
        if all(g is None for g in given):
            return (None, None, *(None for _ in needed))
        found = _Gradients.apply(*ctx.form, 0, needed, *ctx.saved_tensors, *given)  # type: ignore[no-untyped-call]
        return None, None, *(g if need else None for g, need in zip(found, needed, strict=True))


class _Gradients(torch.autograd.Function):
    """Gradients of the operands; those of the weights with a leading axis of N `samples`, unless it is 0."""

    @staticmethod
    def forward(unit: Unit, reverse: bool, samples: int, needed: Sequence[bool], *tensors: Any) -> Any:
        operands, (output, saved, *grads) = tensors[:COUNT], tensors[COUNT:]
        o = Operands(*operands)
        kept = output, saved.flatten(0, 1).clone(), output.new_empty(0, output.shape[2])
        asked = [need and (not samples or i not in WEIGHTS) for i, need in enumerate(needed)]
        found = kernel.gradients(o, (unit, reverse), kept, tuple(grads), (*asked, *(False,) * (len(o) - COUNT)))
        if samples and any(needed[i] for i in WEIGHTS):
            sums = _of_weights(o, unit, reverse, output, kept[1], samples)
            found = [sums[i - 3] if i in WEIGHTS and needed[i] else g for i, g in enumerate(found)]
        return tuple(output.new_empty(0) if g is None else g for g in found[:COUNT])

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        ctx.form = inputs[:4]
        operands, (_, _, *grads) = inputs[4 : 4 + COUNT], inputs[4 + COUNT :]
        ctx.save_for_backward(*operands, *grads)

    @staticmethod
    def vmap(
        info: Any, in_dims: tuple[Any, ...], unit: Unit, reverse: bool, samples: int, needed: Any, *tensors: Any
    ) -> Any:
        n, axes = info.batch_size, in_dims[4:]
        if _weights_mapped(axes):
            form = unit, reverse, samples, needed
            return _one_by_one(n, axes, tensors, lambda *own: _Gradients.apply(*form, *own))  # type: ignore[no-untyped-call]
        stepwise = [i in STEPWISE for i in range(COUNT)] + [True, True, True, False]
        folded = [
            t if i in WEIGHTS else _fold(n, t, axis, step)
            for i, (t, axis, step) in enumerate(zip(tensors, axes, stepwise, strict=True))
        ]
        found = list(_Gradients.apply(unit, reverse, n * max(samples, 1), needed, *folded))  # type: ignore[no-untyped-call]
        places: list[int | None] = [None] * len(found)
        for i, need in enumerate(needed):
            if need and i in WEIGHTS:
                found[i] = found[i].unflatten(0, (n, samples)) if samples else found[i]
                places[i] = 0
            elif need:
                found[i], places[i] = _unfold(n, found[i], i in STEPWISE), int(i in STEPWISE)
        return tuple(found), tuple(places)

    @staticmethod
    def backward(ctx: Any, *seconds: Tensor) -> Any:
        """Second derivatives, for an ordinary backward pass outside the transforms, by the equations."""
        unit, reverse, samples, needed = ctx.form
        tensors = ctx.saved_tensors
        with torch.enable_grad():
            inputs = [t.detach().requires_grad_() if _floating(t) else t for t in tensors]
            operands, grads = inputs[:COUNT], inputs[COUNT:]
            found = _by_equations(Operands(*operands), (unit, reverse), tuple(grads), needed, samples)
        wanted = [t for t in inputs if _floating(t)]
        pairs = [(g, s) for g, s in zip(found, seconds, strict=True) if g is not None and g.requires_grad]
        outputs, given = zip(*pairs, strict=True)
        made = iter(torch.autograd.grad(outputs, wanted, given, allow_unused=True))
        results = [next(made) if _floating(t) else None for t in inputs]
        return (None,) * 4 + (*results[:COUNT], None, None, *results[COUNT:])


def _floating(t: Any) -> bool:
    return t is not None and t.is_floating_point()


def _by_equations(o: Operands, form: Any, grads: tuple[Any, ...], needed: Any, samples: int) -> list[Any]:
    every = (*needed, *(False,) * (len(o) - COUNT))
    if not samples:
        return fallback.gradients_of_equations(o, form, grads, every)[:COUNT]
    parts = []
    for n in range(samples):
        own = Operands(*(_part(t, n, samples, i in STEPWISE) if i in BATCHED else t for i, t in enumerate(o)))
        of_own = _part(grads[0], n, samples, True), _part(grads[1], n, samples, False)
        parts.append(fallback.gradients_of_equations(own, form, of_own, every)[:COUNT])
    joined: list[Any] = []
    for i, column in enumerate(zip(*parts, strict=True)):
        join = torch.stack if i in WEIGHTS else lambda all_, axis=int(i in STEPWISE): torch.cat(all_, axis)
        joined.append(None if column[0] is None else join(column))
    return joined


def _part(t: Any, n: int, samples: int, step: bool) -> Any:
    return None if t is None else t.unflatten(int(step), (samples, -1)).select(int(step), n)


def _of_weights(o: Operands, unit: Unit, reverse: bool, output: Tensor, saved: Tensor, samples: int) -> list[Any]:
    """Gradients of w_ih, w_hh, b_ih and b_hh of each sample, from `saved` after a backward pass."""
    first, gates, candidate = gate_gradients(saved, *output.shape)
    of_input, states = torch.cat((gates, candidate), 2), previous_states(o, output, reverse)
    if unit.before:
        of_state = of_input
        of_w_hh = torch.cat((_sums(gates, states, samples), _sums(candidate, first, samples)), 1)
    else:
        of_state = torch.cat((gates, first), 2)
        of_w_hh = _sums(of_state, states, samples)
    of_w_ih = None if o.x is None else _sums(of_input, valid_steps(o.x, o.lengths), samples)
    b_ih, b_hh = (_split(a, 1, samples).sum((0, 2)) for a in (of_input, of_state))
    return [of_w_ih, of_w_hh, b_ih, b_hh]


def _sums(a: Tensor, v: Tensor, samples: int) -> Tensor:
    """Σ a vᵀ over steps and rows of each sample: [T, N·B, M], [T, N·B, K] → [N, M, K]."""
    a, v = (_split(t, 1, samples).transpose(0, 1).flatten(1, 2) for t in (a, v))
    return torch.bmm(a.transpose(1, 2), v)


def _weights_mapped(axes: Sequence[Any]) -> bool:
    return any(axes[i] is not None for i in WEIGHTS)


def _one_by_one(n: int, axes: Sequence[Any], tensors: Sequence[Any], call: Any) -> Any:
    slices = (
        [t if axis is None else t.select(axis, i) for t, axis in zip(tensors, axes, strict=True)] for i in range(n)
    )
    results = tuple(map(torch.stack, zip(*(call(*own) for own in slices), strict=True)))
    return results, (0,) * len(results)


def _fold(n: int, t: Any, axis: int | None, step: bool) -> Any:
    """A tensor [T, B, ...] (`step`) or [B, ...] with the mapped axis folded into B, in front of it."""
    if t is None:
        return None
    batch = int(step)
    mapped = (
        t.unsqueeze(batch).expand(*t.shape[:batch], n, *t.shape[batch:]) if axis is None else t.movedim(axis, batch)
    )
    return mapped.flatten(batch, batch + 1)


def _unfold(n: int, t: Tensor, step: bool) -> Tensor:
    return _split(t, int(step), n)


def _split(t: Any, axis: int, n: int) -> Tensor:
    """An axis of n times some elements as two, n first."""
    parts: Tensor = t.unflatten(axis, (n, -1))
    return parts
