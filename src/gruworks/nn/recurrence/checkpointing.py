"""Activation checkpointing over time: the forward saves a state every k steps, the backward recomputes each segment.

Without it a training step saves four vectors of size H per step (kernel.py): r, z, h̃ and the recurrent part of the
candidate. With it the forward saves only the initial state of each segment of k steps; the backward recomputes the
segments from last to first and passes the gradient of a segment's initial state to the segment before it. Gradients are
equal to rounding, at the cost of a second forward.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from gruworks.errors import OptionError
from gruworks.nn.recurrence import fallback, kernel
from gruworks.nn.recurrence.conditions import Layer, Recompute
from gruworks.ops.activations import Unit
from gruworks.ops.operands import STEPWISE, Form, Operands
from gruworks.ops.recurrence import padded

__all__ = ["by_torch", "check", "native", "segment"]

SEGMENT = 4 << 20  # bytes of activations that a segment may take for any T


def check(recompute: Recompute) -> Recompute:
    """The argument, if it is a bool or a positive number of steps."""
    if isinstance(recompute, bool) or (isinstance(recompute, int) and recompute >= 1):
        return recompute
    raise OptionError(f"recompute must be False, True or a number of steps of at least 1, not {recompute!r}")


def segment(T: int, B: int, H: int, itemsize: int = 4) -> int:
    """Segment length k for a sequence of T steps.

    T / k saved states and the activations of one segment, 5H per step, need least memory at k = √(T / 5). Segments
    whose activations fit into 4 MiB stay in the caches and are used where they are longer.

    >>> segment(10_000, 16, 128), segment(10_000, 1, 32), segment(1_000_000, 64, 512)
    (102, 6553, 448)
    """
    fits = SEGMENT // (5 * padded(H) * max(1, B) * itemsize)
    return max(fits, math.isqrt(max(0, T - 1) // 5) + 1)


def native(o: Operands, unit: Unit, reverse: bool, *, recompute: Recompute, layer: Layer) -> tuple[Tensor, Tensor]:
    """One layer by the native kernel in segments; by `layer` if there is a single segment."""
    k = _steps(o, recompute)
    if k >= len(o.given):
        return layer(o, unit, reverse)
    return _Segments.apply(unit, reverse, k, *o)  # type: ignore[no-any-return,no-untyped-call]


def by_torch(o: Operands, unit: Unit, reverse: bool, *, recompute: Recompute, layer: Layer) -> tuple[Tensor, Tensor]:
    """One layer in segments by `layer`, an implementation in torch, through torch.utils.checkpoint."""
    k = _steps(o, recompute)
    if k >= len(o.given):
        return layer(o, unit, reverse)
    h, rows = o.h0, []
    if h is None:
        h = o.w_hh.new_zeros(o.given.shape[1], o.w_hh.shape[1])
    for a, b in _bounds(len(o.given), k, reverse):
        output, h = checkpoint(layer, _part(o, a, b)._replace(h0=h), unit, reverse, use_reentrant=False)
        rows.append(output)
    return torch.cat(rows[::-1] if reverse else rows), h


def _steps(o: Operands, recompute: Recompute) -> int:
    """Segment length k."""
    T, B, _ = o.given.shape
    if not B:
        return int(T)
    return segment(T, B, o.w_hh.shape[1], o.w_hh.itemsize) if recompute is True else recompute


class _Segments(torch.autograd.Function):
    """First derivatives by the kernel, segment by segment; higher-order ones by the equations."""

    @staticmethod
    def forward(ctx: Any, unit: Unit, reverse: bool, k: int, *operands: Tensor | None) -> tuple[Tensor, Tensor]:
        o = Operands(*operands)
        output, final = kernel.forward(o, unit, reverse)
        ctx.save_for_backward(*operands, _starts(o, output, reverse, k))
        ctx.form, ctx.k = (unit, reverse), k
        ctx.set_materialize_grads(False)
        return output, final

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> Any:
        *tensors, starts = ctx.saved_tensors
        o, needed = Operands(*tensors), ctx.needs_input_grad[3:]

        def first() -> list[Tensor | None]:
            return _gradients(o, ctx.form, ctx.k, starts, grads, needed)

        return None, None, None, *fallback.derivatives(o, ctx.form, grads, needed, first)


def _bounds(T: int, k: int, reverse: bool) -> list[tuple[int, int]]:
    """Segments [a, b) in order of execution."""
    found = [(a, min(a + k, T)) for a in range(0, T, k)]
    return found[::-1] if reverse else found


def _part(o: Operands, a: int, b: int) -> Operands:
    """Operands of the steps [a, b), lengths clipped to them."""
    x, gi, decay, zoneout, resets = (None if o[i] is None else o[i][a:b] for i in STEPWISE)
    lengths = None if o.lengths is None else (o.lengths - a).clamp(0, b - a)
    return o._replace(x=x, gi=gi, decay=decay, zoneout=zoneout, resets=resets, lengths=lengths)


def _starts(o: Operands, output: Tensor, reverse: bool, k: int) -> Tensor:
    """Initial states of all segments but the first, [segments - 1, B, H], in order of execution."""
    before = [b if reverse else a - 1 for a, b in _bounds(len(output), k, reverse)][1:]
    found = output[torch.tensor(before, dtype=torch.int64)]
    if reverse and o.lengths is not None:  # a row that has not started yet is in its initial state
        begun = (torch.tensor(before)[:, None] < o.lengths)[..., None]
        found = torch.where(begun, found, 0 if o.h0 is None else o.h0)
    return found


def _gradients(
    o: Operands, form: Form, k: int, starts: Tensor, grads: tuple[Tensor | None, ...], needed: Any
) -> list[Tensor | None]:
    """Gradients of the operands, accumulated from the last segment to the first."""
    grad_output, carry = grads
    total = kernel.empty_gradients(o, needed)
    bounds = _bounds(len(o.given), k, form[1])
    for i in reversed(range(len(bounds))):
        a, b = bounds[i]
        part = _part(o, a, b)._replace(h0=starts[i - 1] if i else o.h0)
        output, _, saved, states = kernel.forward_kept(part, *form)
        own = (None if grad_output is None else grad_output[a:b]), carry
        wanted = tuple(need or (i > 0 and place == 2) for place, need in enumerate(needed))
        found = kernel.gradients(part, form, (output, saved, states), own, wanted)
        carry = found[2]
        _accumulate(total, found, a, b, first=i == len(bounds) - 1)
    return total


def _accumulate(total: list[Tensor | None], found: list[Tensor | None], a: int, b: int, first: bool) -> None:
    """Add one segment's gradients: stepwise operands in their slice, h0 replaced, all others summed."""
    for place, (into, part) in enumerate(zip(total, found, strict=True)):
        if into is None or part is None:
            continue
        if place in STEPWISE:
            into[a:b] = part
        elif first or place == 2:
            into.copy_(part)
        else:
            into += part
