"""Functional interface of the recurrence, and the table that chooses the implementation of a call: `IMPLEMENTATIONS`.

A call is one layer (`gru_layer`, `step`), a stack of L layers and D directions (`nn.gru.GRU`) or a cell (`GRUCell`).
The first row whose condition holds computes all layers of the call; `gruworks.explain` and `gruworks doctor --explain`
print the table. Further modes and implementations are added as rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gruworks.nn.recurrence import autograd, checkpointing, conditions, fallback, fast_path, kernel, operators
from gruworks.nn.recurrence.conditions import Call, Layer, Recompute
from gruworks.nn.recurrence.operands import (
    check,
    check_alike,
    check_readable,
    check_tensor,
    check_weights,
    in_processing_order,
    row_lengths,
    step_resets,
)
from gruworks.ops.activations import Unit
from gruworks.ops.operands import LENGTHS, OTHER_TYPES, Operands, check_together
from gruworks.ops.weights import GRUWeights

__all__ = ["IMPLEMENTATIONS", "Implementation", "choose", "gru_layer", "new_state", "run", "step"]


class Implementation(NamedTuple):
    """Row of the table: `compute` takes the calls for which `condition` holds and no earlier row's does."""

    name: str
    condition: Callable[[Call], bool]
    compute: Callable[[Call], Any]
    reason: str


def run(call: Call) -> Any:
    """Compute a call by the first implementation whose condition holds."""
    return choose(call).compute(call)


def choose(call: Call) -> Implementation:
    """The first row whose condition holds."""
    for row in IMPLEMENTATIONS:
        if row.condition(call):
            return row
    raise AssertionError("the table's last row takes every call")


def gru_layer(
    x: Tensor | None,
    h0: Tensor | None,
    weights: GRUWeights,
    lengths: Tensor | Sequence[int] | None = None,
    reverse: bool = False,
    *,
    gi: Tensor | None = None,
    decay: Tensor | None = None,
    replacement: Tensor | None = None,
    mask: Tensor | None = None,
    zoneout: Tensor | None = None,
    gain: Tensor | None = None,
    input_gain: Tensor | None = None,
    resets: Tensor | Sequence[Any] | None = None,
    recompute: Recompute = False,
) -> tuple[Tensor, Tensor]:
    """One GRU layer in one direction over a sequence (Cho et al. 2014).

    >>> weights = GRUWeights.random(3, 4).map(torch.tensor)
    >>> output, final = gru_layer(torch.zeros(7, 2, 3, dtype=torch.float64), None, weights, lengths=[7, 5])
    >>> output.shape, final.shape
    (torch.Size([7, 2, 4]), torch.Size([2, 4]))

    Args:
        x: input [T, B, I]; None if `gi` is given. T = 0 returns h0.
        h0: initial state [B, H]; None for zeros.
        weights: w_ih [3H, I], w_hh [3H, H] and biases [3H], gates in the order r, z, n.
        lengths: valid steps of each row, integers [B]. Outputs beyond a row's length are 0, its final state is the one
            after its last valid step, and padding (NaN included) affects neither results nor gradients.
        reverse: process each row from its last valid step to its first; outputs stay in the order of x.
        gi: precomputed input projections W_ih x + b_ih [T, B, 3H], instead of x.
        decay: factors [T, B, H] of the state before each step (GRU-D, Che et al. 2018).
        replacement: state [B, H] towards which the state decays, and which takes its place at resets; zeros if None.
        mask: recurrent dropout mask [B, H] of the state in matrix products (Gal and Ghahramani 2016); no gradient.
        zoneout: fraction [T, B, H] of the previous state that each step keeps (Krueger et al. 2017); no gradient.
        gain, input_gain: layer-norm gains [3H] of recurrent and input projections (Ba et al. 2016).
        resets: [T, B], bool or numbers: where not 0, a new sequence begins at that step, so that the state before it is
            `replacement`. With `reverse` it is the step before (t - 1) whose state begins anew.
        recompute: activation checkpointing in training: True, or the number of steps of a segment.

    Returns:
        The output [T, B, H] and the final state [B, H].

    Raises:
        ShapeError, DtypeError, DeviceError, OptionError: operands that don't match.
    """
    mask, zoneout = (t.detach() if isinstance(t, Tensor) else t for t in (mask, zoneout))
    weights = check_weights(weights)
    given = x if gi is None else gi
    if isinstance(given, Tensor) and not given.is_nested and given.dim() == 3:
        T, B, _ = given.shape
        if lengths is not None:
            lengths = row_lengths(lengths, T, B, given.device)
        if resets is not None:
            resets = in_processing_order(step_resets(resets, (T, B), given.device), reverse, lengths)
    operands = Operands(
        x, gi, h0, *weights.arrays(), lengths, decay, replacement, mask, zoneout, gain, input_gain, resets
    )
    return _layer(operands, weights.unit, reverse, recompute)


def _layer(o: Operands, unit: Unit, reverse: bool = False, recompute: Recompute = False) -> tuple[Tensor, Tensor]:
    """One layer, given its operands."""
    if o.x is None and o.gi is not None:  # the projections include w_ih and b_ih
        o = o._replace(w_ih=None, b_ih=None)
    ragged, added = o.lengths is not None, any(t is not None for t in o[LENGTHS + 1 :])
    if not (ragged or added or recompute) and unit.usual and (o.x is None) != (o.gi is None):
        found = fast_path.layer(o.given, o.h0, *o[3:7], unit.before, reverse)
        if found is not None:
            return found
    check_together(o)
    result: tuple[Tensor, Tensor] = run(Call(
        "layer", o.given, o.h0, [o[3:7]], unit, lambda layer: layer(o, unit, reverse),
        further=o[LENGTHS:], ragged=ragged, additions=added, recompute=recompute,
    ))  # fmt: skip
    return result


def step(x: Tensor | None, h: Tensor, weights: GRUWeights, *, gi: Tensor | None = None) -> Tensor:
    """One time step of `gru_layer`, differentiable to any order.

    If all inputs are known in advance, `gru_layer` is several times faster in training: it computes the gradients of
    the weights once per sequence.

    >>> weights = GRUWeights.random(3, 4).map(torch.tensor)
    >>> step(torch.zeros(2, 3, dtype=torch.float64), torch.zeros(2, 4, dtype=torch.float64), weights).shape
    torch.Size([2, 4])

    Args:
        x: input [B, I]; None if `gi` is given.
        h: state [B, H].
        weights: as `gru_layer`.
        gi: precomputed input projections [B, 3H], instead of x.

    Returns:
        The new state [B, H].

    Raises:
        ShapeError, DtypeError, DeviceError, OptionError: operands that don't match.
    """
    weights = check_weights(weights)
    if weights.unit.usual and (x is None) != (gi is None):
        given: Any = gi if x is None else x
        w_ih, b_ih = (None, None) if x is None else (weights.w_ih, weights.b_ih)
        found = fast_path.step(given, h, w_ih, weights.w_hh, b_ih, weights.b_hh, weights.reset == "before")
        if found is not None:
            return found
    for name, given in (("x", x), ("gi", gi)):
        if given is not None:
            check_tensor(name, given)
    operands = Operands(None if x is None else x[None], None if gi is None else gi[None], h, *weights.arrays())
    return _layer(operands, weights.unit)[1]


def new_state(gi: Tensor, gh: Tensor, h: Tensor) -> Tensor:
    """New state of an "after" GRU, given its projections; for decoders with further terms in them.

    Differentiable to any order.

    >>> new_state(torch.zeros(1, 6), torch.zeros(1, 6), torch.ones(1, 2))
    tensor([[0.5000, 0.5000]])

    Args:
        gi: input projections [..., 3H] with biases, gates in the order r, z, n.
        gh: recurrent projections [..., 3H] with biases.
        h: state [..., H].

    Returns:
        The new state [..., H].

    Raises:
        DeviceError, DtypeError: operands on different devices or of different types.
    """
    if fast_path.new_state_fits(gi, gh, h):
        state: Tensor = autograd.new_state(gi, gh, h)
        return state
    check_alike(gi=gi, gh=gh, h=h)
    return fallback.new_state(gi, gh, h)


def _served(call: Call) -> bool:
    return isinstance(call.w_hh, Tensor) and conditions.supported(call.w_hh)


def _by_torch_module(call: Call) -> bool:
    if call.torch_module is None:
        return False
    if call.kind == "cell" or conditions.jit_traced() or conditions.expanded(call.w_hh):
        return True
    return not call.recompute and not _served(call)


def _in_segments(call: Call) -> bool:
    if not call.recompute or not torch.is_grad_enabled():
        return False
    return conditions.eager() and conditions.plain(call.tensors) and conditions.differentiable(*call.tensors)


def _by_torch_gru(call: Call) -> bool:
    steps = not isinstance(call.x, Tensor) or call.kind != "layer" or len(call.x) > 0
    return not call.unit.before and call.unit.usual and not call.additions and call.weights[0][0] is not None and steps


def _computed_by(layer: Layer) -> Callable[[Call], Any]:
    """Compute all layers by one implementation of a layer, with validated operands."""
    return lambda call: call.over_layers(partial(_checked, layer))


def _segmented(call: Call, segments: Callable[..., tuple[Tensor, Tensor]], layer: Layer) -> Any:
    return _computed_by(partial(segments, recompute=call.recompute, layer=layer))(call)


def _checked(layer: Layer, o: Operands, unit: Unit, reverse: bool) -> tuple[Tensor, Tensor]:
    o = _one_type(o)
    check(o)
    return layer(o, unit, reverse)


def _one_type(o: Operands) -> Operands:
    """Under autocast, operands of narrower types converted to the weights' type."""
    if not torch.is_autocast_enabled("cpu"):
        return o
    check_readable(o)
    if not conditions.supported(o.w_hh):
        return o
    dtype = o.w_hh.dtype
    return Operands(*(t if t is None or i in OTHER_TYPES or t.dtype == dtype else t.to(dtype) for i, t in enumerate(o)))


def _fast(o: Operands, unit: Unit, reverse: bool) -> tuple[Tensor, Tensor]:
    found = fast_path.layer(o.given, o.h0, *o[3:7], unit.before, reverse)
    assert found is not None, "conditions.fast holds and the fast path refuses"
    return found


def _kernel(o: Operands, unit: Unit, reverse: bool) -> tuple[Tensor, Tensor]:
    if torch.is_grad_enabled() and conditions.differentiable(*o):
        found: tuple[Tensor, Tensor] = autograd.recurrence(unit, reverse, *o)
        return found
    return kernel.forward(o, unit, reverse)


def _operator(o: Operands, unit: Unit, reverse: bool) -> tuple[Tensor, Tensor]:
    keep = torch.is_grad_enabled() and not conditions.jit_traced()  # a trace is for training and inference
    output, final, _, _ = operators.recurrence(*o, *unit, reverse, keep)
    return output, final


IMPLEMENTATIONS: Sequence[Implementation] = (
    Implementation(
        "fast path", conditions.fast, lambda call: call.over_layers(_fast),
        "plain contiguous operands in an eager call on the CPU, nothing ragged or added: the native kernel directly",
    ),
    Implementation(
        "torch's module", _by_torch_module, lambda call: call.torch_module and call.torch_module(),
        'the form "after" on another device or element type, without the native module, under torch.jit.trace or '
        "ExpandedWeights, or a cell off the fast path",
    ),
    Implementation(
        "native kernel in segments", lambda call: _in_segments(call) and _served(call),
        lambda call: _segmented(call, checkpointing.native, _kernel),
        "activation checkpointing (recompute=) with the native kernel",
    ),
    Implementation(
        "torch in segments", _in_segments,
        lambda call: _segmented(
            call, checkpointing.by_torch, fallback.by_torch_gru if _by_torch_gru(call) else fallback.by_equations
        ),
        "activation checkpointing (recompute=) without the native kernel",
    ),
    Implementation(
        "native kernel", lambda call: _served(call) and conditions.plain(call.tensors), _computed_by(_kernel),
        "an eager call on the CPU in float32 or float64, with any operands",
    ),
    Implementation(
        "equations under a transform", lambda call: call.kind == "cell" or (
            _served(call) and conditions.transformed(call.tensors)
        ),
        _computed_by(fallback.by_equations),
        "forward-mode derivatives and the transforms of torch.func; a cell in torch.compile",
    ),
    Implementation(
        "operator gruworks::recurrence", _served, _computed_by(_operator),
        "torch.compile, torch.export, vmap, dispatch modes, tensor subclasses: the native kernel as one operator",
    ),
    Implementation(
        "torch.gru", _by_torch_gru, _computed_by(fallback.by_torch_gru),
        'the form "after" without the native kernel: cuDNN on CUDA',
    ),
    Implementation(
        "equations", lambda call: True, _computed_by(fallback.by_equations),
        "all other calls: ops.equations in torch, on any device and in any type",
    ),
)  # fmt: skip
