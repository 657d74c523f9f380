"""torch.library operators of the native recurrence: schema, fake, autograd, vmap and autocast implementations.

torch.compile, torch.export, vmap and dispatch modes call `gruworks::recurrence`; most eager calls don't
(nn/functional.py). It also returns the activations saved for the backward, empty if `keep` is false.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gruworks.nn.compatibility import onnx_nodes, torch_ops
from gruworks.nn.recurrence import fallback, kernel
from gruworks.nn.recurrence.operands import check
from gruworks.ops.activations import Unit
from gruworks.ops.operands import BATCHED, OPERANDS, STEPWISE, Operands
from gruworks.ops.recurrence import saved_width

__all__ = ["recurrence"]

COUNT, FORM = len(OPERANDS), 4  # the unit's three arguments and `reverse`

_INPUTS = (
    "Tensor? x, Tensor? gi, Tensor? h0, Tensor? w_ih, Tensor w_hh, Tensor? b_ih, Tensor? b_hh, Tensor? lengths, "
    "Tensor? decay, Tensor? replacement, Tensor? mask, Tensor? zoneout, Tensor? gain, Tensor? input_gain, "
    "Tensor? resets, bool before, str candidate_activation, str gate_activation, bool reverse"
)
torch_ops.give_way(torch.ops)

_torch: Any = torch.library  # its functions carry no types
_library = _torch.Library("gruworks", "DEF")
_library.define(f"recurrence({_INPUTS}, bool keep) -> (Tensor, Tensor, Tensor, Tensor)")
_library.define(
    f"recurrence_backward({_INPUTS}, Tensor output, Tensor saved, Tensor states, Tensor? grad_output, "
    f"Tensor? grad_final, bool[{COUNT}] needed) -> Tensor[]"
)


def recurrence(*arguments: Any) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The operator: the operands, unit (3), reverse, keep → output, final, saved, states."""
    results: tuple[Tensor, Tensor, Tensor, Tensor] = torch.ops.gruworks.recurrence(*arguments)
    return results


def _recurrence(*arguments: Any) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    *tensors, before, candidate, gate, reverse, keep = arguments
    operands = Operands(*tensors)
    check(operands)
    return (kernel.forward_kept if keep else _forward_only)(operands, Unit(before, candidate, gate), reverse)


def _forward_only(operands: Operands, unit: Unit, reverse: bool) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    output, final = kernel.forward(operands, unit, reverse)
    nothing = (
        output.new_empty(0, saved_width(output.shape[2], operands.gain is not None)),
        output.new_empty(0, output.shape[2]),
    )
    return output, final, *nothing


def _recurrence_backward(*arguments: Any) -> list[Tensor]:
    *tensors, before, candidate, gate, reverse, output, saved, states, grad_output, grad_final, needed = arguments
    form = Unit(before, candidate, gate), reverse
    # The kernel overwrites `saved`, and an operator must not mutate its arguments.
    results = (output, saved.clone(), states)
    found = kernel.gradients(Operands(*tensors), form, results, (grad_output, grad_final), tuple(needed))
    return [output.new_empty(0) if g is None or not need else g for g, need in zip(found, needed, strict=True)]


_library.impl("recurrence", _recurrence, "CPU")
_library.impl("recurrence_backward", _recurrence_backward, "CPU")


def _fake(*arguments: Any) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    tensors, keep = arguments[:COUNT], arguments[-1]
    o = Operands(*tensors)
    T, B, _ = o.given.shape
    H = o.w_hh.shape[1]
    output, final = o.w_hh.new_empty(T, B, H), o.w_hh.new_empty(B, H)
    saved = o.w_hh.new_empty(T * B if keep else 0, saved_width(H, o.gain is not None))
    return output, final, saved, o.w_hh.new_empty(T * B if keep and o.reads_another_state else 0, H)


def _fake_backward(*arguments: Any) -> list[Tensor]:
    tensors, output, needed = arguments[:COUNT], arguments[COUNT + FORM], arguments[-1]
    return [output.new_empty(0) if g is None else g for g in kernel.empty_gradients(tensors, needed)]


def _setup(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    *tensors, before, candidate, gate, reverse, keep = inputs
    ctx.save_for_backward(*tensors, *(output[i] for i in (0, 2, 3)))
    ctx.form, ctx.keep = (Unit(before, candidate, gate), reverse), keep
    ctx.set_materialize_grads(False)


def _derive(ctx: Any, *grads: Tensor | None) -> tuple[Any, ...]:
    *tensors, output, saved, states = ctx.saved_tensors
    needed = [bool(need) for need in ctx.needs_input_grad[:COUNT]]
    given = grads[:2]
    if all(g is None for g in given):
        return (None,) * (COUNT + FORM + 1)
    nothing = (None,) * (FORM + 1)
    if torch.is_grad_enabled() and not torch.compiler.is_compiling():  # create_graph=True
        found: Any = fallback.gradients_of_equations(Operands(*tensors), ctx.form, given, tuple(needed))
        return (*found, *nothing)
    form = *ctx.form[0], ctx.form[1]
    if not ctx.keep:
        _, _, saved, states = torch.ops.gruworks.recurrence(*tensors, *form, True)
    found = torch.ops.gruworks.recurrence_backward(*tensors, *form, output, saved, states, *given, needed)
    return (
        *(g if need and t is not None else None for g, need, t in zip(found, needed, tensors, strict=True)),
        *nothing,
    )


def _vmap(info: Any, in_dims: tuple[int | None, ...], *arguments: Any) -> tuple[Any, Any]:
    """One call with the mapped axis folded into the batch if the weights aren't mapped; else one call per slice."""
    results = _folded(info.batch_size, in_dims, arguments)
    if results is None:
        one = (tuple(_select(a, d, i) for a, d in zip(arguments, in_dims, strict=True)) for i in range(info.batch_size))
        results = tuple(map(torch.stack, zip(*(recurrence(*a) for a in one), strict=True)))
    return results, (0, 0, 0, 0)


def _select(argument: Any, axis: int | None, i: int) -> Any:
    return argument if axis is None else argument.select(axis, i)


def _folded(n: int, in_dims: tuple[int | None, ...], arguments: tuple[Any, ...]) -> tuple[Tensor, ...] | None:
    keep = arguments[COUNT + FORM]
    if keep or any(axis is not None for axis in (*in_dims[3:7], *in_dims[12:14])):
        return None
    wide = []
    for i, (argument, axis) in enumerate(zip(arguments, in_dims, strict=True)):
        if i in BATCHED and argument is not None:
            batch = 1 if i in STEPWISE else 0  # the batch axis once the mapped axis is removed
            mapped = (
                argument.movedim(axis, batch)
                if axis is not None
                else argument.unsqueeze(batch).expand(*argument.shape[:batch], n, *argument.shape[batch:])
            )
            argument = mapped.flatten(batch, batch + 1)
        wide.append(argument)
    output, final, saved, states = recurrence(*wide)
    H = final.shape[1]
    parts = output.reshape(output.shape[0], n, -1, H).movedim(1, 0), final.reshape(n, -1, H)
    return *parts, saved.expand(n, *saved.shape), states.expand(n, *states.shape)


_torch.register_fake("gruworks::recurrence", _fake, lib=_library)
_torch.register_fake("gruworks::recurrence_backward", _fake_backward, lib=_library)
_torch.register_autograd("gruworks::recurrence", _derive, setup_context=_setup, lib=_library)
_torch.register_autocast("gruworks::recurrence", "cpu", torch.float32, lib=_library)
_torch.register_vmap("gruworks::recurrence", _vmap, lib=_library)
onnx_nodes.register()
