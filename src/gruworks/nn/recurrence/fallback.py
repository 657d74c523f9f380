"""The recurrence in torch operations, for calls without native support and for higher-order derivatives.

The backward passes of the native kernel (autograd, checkpointing, operators) call `gradients_of_equations` under
create_graph=True, is_grads_batched=True and torch.func transforms.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gruworks.nn.recurrence.conditions import computable
from gruworks.ops import equations
from gruworks.ops.activations import Unit
from gruworks.ops.operands import Form, Operands
from gruworks.ops.weights import GRUWeights

__all__ = ["by_equations", "by_torch_gru", "derivatives", "gradients_of_equations", "new_state", "of_higher_order"]

Result = tuple[Tensor, Tensor]
Gradients = list[Tensor | None]


def by_equations(o: Operands, unit: Unit, reverse: bool) -> Result:
    """One layer by `ops.equations` in torch: any device, differentiable to any order, in any mode."""
    w_ih = o.w_hh if o.w_ih is None else o.w_ih
    weights = GRUWeights(
        w_ih, o.w_hh, o.b_ih, o.b_hh, reset="before" if unit.before else "after", candidate_activation=unit.candidate,
        gate_activation=unit.gate,
    )  # fmt: skip
    output, final = equations.sequence(o.x, _initial(o), weights, o.lengths, reverse, torch, *o[1:2], *o[8:])
    return output, final


def by_torch_gru(o: Operands, unit: Unit, reverse: bool) -> Result:
    """One layer and direction of the "after" form by torch.gru: cuDNN on CUDA, torch's loop elsewhere."""
    flat = [t for t in (o.w_ih, o.w_hh, o.b_ih, o.b_hh) if t is not None]
    if o.lengths is not None:
        return _ragged(o.x, _initial(o), flat, o.lengths, reverse)
    output, final = _torch_gru(o.x.flip(0) if reverse else o.x, _initial(o), flat)
    return (output.flip(0) if reverse else output), final


def _initial(o: Operands) -> Tensor:
    h0: Tensor = o.w_hh.new_zeros(o.given.shape[1], o.w_hh.shape[1]) if o.h0 is None else o.h0
    return h0


def _ragged(x: Tensor, h0: Tensor, flat: list[Tensor], lengths: Tensor, reverse: bool) -> Result:
    """Ragged rows: padding is zeroed, and final states are gathered at each row's end."""
    valid = equations.valid_steps(lengths, x.shape[0], torch)
    x = torch.where(valid, x, 0)
    backwards = _reversal(lengths, x.shape[0])[:, :, None] if reverse else None
    if backwards is not None:
        x = x.gather(0, backwards.expand_as(x))
    output, _ = _torch_gru(x, h0, flat)
    last = (lengths - 1).clamp(min=0)[None, :, None].expand(1, *h0.shape)
    final = torch.where((lengths > 0)[:, None], output.gather(0, last)[0], h0)
    if backwards is not None:
        output = output.gather(0, backwards.expand_as(output))
    return torch.where(valid, output, 0), final


def _reversal(lengths: Tensor, steps: int) -> Tensor:
    """Indices [T, B] that reverse each row within its length; their own inverse."""
    t = torch.arange(steps, device=lengths.device)[:, None]
    return torch.where(t < lengths[None], lengths[None] - 1 - t, t)


def _torch_gru(x: Tensor, h0: Tensor, flat: list[Tensor]) -> Result:
    output, final = torch.gru(x, h0[None].contiguous(), flat, len(flat) == 4, 1, 0.0, False, False, False)
    return output, final[0]


def new_state(gi: Tensor, gh: Tensor, h: Tensor) -> Tensor:
    """New state of the "after" form, given input and recurrent projections gi and gh [..., 3H] and h [..., H]."""
    i_r, i_z, i_n = gi.chunk(3, -1)
    h_r, h_z, h_n = gh.chunk(3, -1)
    r, z = torch.sigmoid(i_r + h_r), torch.sigmoid(i_z + h_z)
    n = torch.tanh(i_n + r * h_n)
    return n + z * (h - n)


def of_higher_order(*grads: Tensor | None) -> bool:
    """True if the backward must be differentiable or its gradients aren't ordinary tensors."""
    return torch.is_grad_enabled() or not computable(*grads)


def derivatives(
    o: Operands, form: Form, grads: tuple[Tensor | None, ...], needed: Any, first: Callable[[], Gradients]
) -> Gradients:
    """Gradients of the operands: by `first` (native) for first derivatives, by the equations for higher-order ones."""
    if all(g is None for g in grads):
        return [None] * len(o)
    return gradients_of_equations(o, form, grads, needed) if of_higher_order(*grads) else first()


def gradients_of_equations(o: Operands, form: Form, grads: tuple[Tensor | None, ...], needed: Any) -> Gradients:
    """Differentiable gradients of the `needed` operands, given those of output and final state."""
    with torch.enable_grad():
        results = by_equations(o, *form)
    pairs = [(r, g) for r, g in zip(results, grads, strict=True) if g is not None and r.requires_grad]
    wanted = [t for t, need in zip(o, needed, strict=True) if need and t is not None]
    outputs, given = zip(*pairs, strict=True)
    found = iter(torch.autograd.grad(outputs, wanted, given, create_graph=True, allow_unused=True))
    return [next(found) if need and t is not None else None for t, need in zip(o, needed, strict=True)]
