"""The recurrence as a torch function: one layer, one direction. Modules are built from it.

Who computes:

- CPU, float32 or float64: the native kernel. Plain eager calls go straight to it; inside torch.compile, torch.export,
  vmap and under dispatch modes the same kernel runs as the operator `gruworks::recurrence` (nn/operators.py).
- Derivatives of derivatives, forward-mode, the other transforms of torch.func: the equations in torch.
- CUDA: "after" by cuDNN through torch.gru, "before" by the equations in torch. So other types.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad

from gruworks.nn import direct, native, operators
from gruworks.nn.checks import check_alike, check_tensor, check_weights, row_lengths
from gruworks.nn.eager import computable
from gruworks.nn.native import OPERANDS, Operands
from gruworks.nn.recompute import Recompute, recomputed
from gruworks.ops import equations
from gruworks.ops.weights import GRUWeights

__all__ = ["gates", "gru_layer", "step"]


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
    recompute: Recompute = False,
) -> tuple[Tensor, Tensor]:
    """One layer, one direction, over x [T, B, I] from h0 [B, H] (None: zeros): every state [T, B, H], the last [B, H].

    `lengths` (integers [B]) ends each row early: outputs beyond are 0, the final state is the one at the row's own
    end, and what stands in the padding, NaN included, never reaches a result or a gradient. `reverse` runs each row
    from its own end to its start; outputs stay in the order of x. T = 0 returns h0.

    `gi` [T, B, 3H] gives ready input terms in x's place (W_ih x + b_ih, formed by the caller; gates r, z, n).
    `decay` [T, B, H] multiplies the state before each step, and `replacement` [B, H] fills up what it takes away.

    What training may add (ops/equations.py has the formulas): `mask` [B, H], recurrent dropout, multiplies the state
    where products read it; `zoneout` [T, B, H] is the share of the state that stays whatever the update gate says;
    `gain` and `input_gain` [3H] are layer norm's, of the state's products and of x's. mask and zoneout get no gradient.

    `recompute` trains with less memory: True, or every how many steps a state is kept (nn/recompute.py).

    Raises:
        ShapeError, DtypeError, OptionError: operands that do not fit together.
    """
    mask, zoneout = (t.detach() if isinstance(t, Tensor) else t for t in (mask, zoneout))
    weights = check_weights(weights)
    given = x if gi is None else gi
    if lengths is not None and isinstance(given, Tensor) and not given.is_nested and given.dim() == 3:
        lengths = row_lengths(lengths, given.shape[0], given.shape[1], given.device)
    ends: Any = lengths
    operands = Operands(x, gi, h0, *weights.arrays(), ends, decay, replacement, mask, zoneout, gain, input_gain)
    return run(operands, weights.reset == "before", reverse, recompute)


def run(operands: Operands, before: bool, reverse: bool = False, recompute: Recompute = False) -> tuple[Tensor, Tensor]:
    """`gru_layer` for callers who have its operands as they stand."""
    if operands.x is None and operands.gi is not None:  # the terms hold them already: they are not read
        operands = operands._replace(w_ih=None, b_ih=None)
    if recompute and (in_segments := recomputed(_same_type(operands), before, reverse, recompute)) is not None:
        return in_segments
    x, gi, h0, w_ih, w_hh, b_ih, b_hh = operands[:7]
    if (x is None) != (gi is None) and all(t is None for t in operands[7:]):
        given: Any = gi if x is None else x
        w_ih, b_ih = (None, None) if x is None else (w_ih, b_ih)
        found = direct.layer(given, h0, w_ih, w_hh, b_ih, b_hh, before, reverse)
        if found is not None:
            return found
    operands = _same_type(operands)
    native.check(operands)
    if not native.serves(operands.w_hh):
        return _torch(operands, before, reverse)
    if _plain(operands):
        if torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in operands):
            return _Recurrence.apply(before, reverse, *operands)  # type: ignore[no-any-return,no-untyped-call]
        return native.forward(operands, before, reverse)
    if _needs_equations(operands):
        return equations_form(operands, before, reverse)
    traced = not torch.compiler.is_compiling() and torch._C._get_tracing_state() is not None
    keep = torch.is_grad_enabled() and not traced  # a trace serves both modes
    output, final, _, _ = operators.recurrence(*operands, before, reverse, keep)
    return output, final


def step(x: Tensor | None, h: Tensor, weights: GRUWeights, *, gi: Tensor | None = None) -> Tensor:
    """One step of `gru_layer`: x [B, I], or ready input terms gi [B, 3H] in its place, and h [B, H] to the state after.

    Differentiable to any order. The packed weights are kept from call to call. Where the input of every step is known
    before the first, `gru_layer` is several times faster: it forms the weights' gradients once and not at every step.

    >>> weights = GRUWeights.random(3, 4).map(torch.tensor)
    >>> step(torch.zeros(2, 3, dtype=torch.float64), torch.zeros(2, 4, dtype=torch.float64), weights).shape
    torch.Size([2, 4])

    Raises:
        ShapeError, DtypeError, OptionError: operands that do not fit together.
    """
    weights = check_weights(weights)
    if (x is None) != (gi is None):
        given: Any = gi if x is None else x
        w_ih, b_ih = (None, None) if x is None else (weights.w_ih, weights.b_ih)
        found = direct.step(given, h, w_ih, weights.w_hh, b_ih, weights.b_hh, weights.reset == "before")
        if found is not None:
            return found
    for name, given in (("x", x), ("gi", gi)):
        if given is not None:
            check_tensor(name, given)
    operands = Operands(None if x is None else x[None], None if gi is None else gi[None], h, *weights.arrays())
    return run(operands, weights.reset == "before")[1]


def gates(gi: Tensor, gh: Tensor, h: Tensor) -> Tensor:
    """One step's new state from terms that the caller formed: gi and gh [..., 3H], biases in them, h [..., H].

    The "after" form, for decoders whose terms have more parts than a layer's. Differentiable to any order.

    >>> gates(torch.zeros(1, 6), torch.zeros(1, 6), torch.ones(1, 2))
    tensor([[0.5000, 0.5000]])
    """
    if direct.gates_fit(gi, gh, h):
        return _Gates.apply(gi, gh, h)  # type: ignore[no-any-return,no-untyped-call]
    check_alike(gi=gi, gh=gh, h=h)
    return _gates(gi, gh, h)


def _gates(gi: Tensor, gh: Tensor, h: Tensor) -> Tensor:
    i_r, i_z, i_n = gi.chunk(3, -1)
    h_r, h_z, h_n = gh.chunk(3, -1)
    r, z = torch.sigmoid(i_r + h_r), torch.sigmoid(i_z + h_z)
    n = torch.tanh(i_n + r * h_n)
    return n + z * (h - n)


class _Gates(torch.autograd.Function):
    """`gates` and its first derivatives by the kernel."""

    @staticmethod
    def forward(ctx: Any, *operands: Tensor) -> Tensor:
        ctx.save_for_backward(*operands)
        return native.gates(*operands)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        operands = ctx.saved_tensors
        if not torch.is_grad_enabled() and computable(grad):
            gi, gh, h = operands
            return native.gates_gradients(gi, gh, h, grad)
        with torch.enable_grad():
            state = _gates(*operands)
        needed = ctx.needs_input_grad
        wanted = [t for t, need in zip(operands, needed, strict=True) if need]
        found = iter(torch.autograd.grad(state, wanted, grad, create_graph=True))
        return tuple(next(found) if need else None for need in needed)


class _Recurrence(torch.autograd.Function):
    """The native kernel's first derivatives; `equations_form` gives the higher ones.

    A Function outside the dispatcher: as an operator of torch.library the same call costs 60 µs more in training.
    """

    @staticmethod
    def forward(ctx: Any, before: bool, reverse: bool, *operands: Tensor | None) -> tuple[Tensor, Tensor]:
        output, final, saved, states = native.forward_kept(Operands(*operands), before, reverse)  # type: ignore[arg-type]
        ctx.save_for_backward(*operands, native.shared(output), saved, states)
        ctx.form, ctx.used = (before, reverse), False
        ctx.set_materialize_grads(False)
        return output, final

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> Any:
        *tensors, output, saved, states = ctx.saved_tensors
        operands, needed = Operands(*tensors), ctx.needs_input_grad[2:]
        if all(g is None for g in grads):
            return (None,) * (2 + len(OPERANDS))
        if torch.is_grad_enabled() or not computable(*grads):  # create_graph=True, is_grads_batched=True
            return (None, None, *gradients_of_equations(operands, ctx.form, grads, needed))
        if ctx.used:  # the first backward wrote over it
            output, _, saved, states = native.forward_kept(operands, *ctx.form)
        ctx.used = True
        found = native.gradients(operands, ctx.form, (output, saved, states), grads, needed)
        return (None, None, *found)


def equations_form(o: Operands, before: bool, reverse: bool) -> tuple[Tensor, Tensor]:
    """The same by `ops.equations` in torch: on any device, differentiable to any order and in any mode."""
    w_ih = o.w_hh if o.w_ih is None else o.w_ih
    weights = GRUWeights(w_ih, o.w_hh, o.b_ih, o.b_hh, reset="before" if before else "after")
    h0 = o.w_hh.new_zeros(o.given.shape[1], o.w_hh.shape[1]) if o.h0 is None else o.h0
    output, final = equations.sequence(o.x, h0, weights, o.lengths, reverse, torch, *o[1:2], *o[8:])
    return output, final


def gradients_of_equations(
    o: Operands, form: tuple[bool, bool], grads: tuple[Tensor | None, ...], needed: tuple[bool, ...]
) -> list[Tensor | None]:
    """Gradients that have gradients themselves."""
    with torch.enable_grad():
        results = equations_form(o, *form)
    pairs = [(r, g) for r, g in zip(results, grads, strict=True) if g is not None and r.requires_grad]
    wanted = [t for t, need in zip(o, needed, strict=True) if need and t is not None]
    outputs, given = zip(*pairs, strict=True)
    found = iter(torch.autograd.grad(outputs, wanted, given, create_graph=True, allow_unused=True))
    return [next(found) if need and t is not None else None for t, need in zip(o, needed, strict=True)]


def _same_type(o: Operands) -> Operands:
    """Under autocast whatever came in a narrower type goes on in the weights'."""
    if not torch.is_autocast_enabled("cpu"):
        return o
    native.check_readable(o)
    if not native.serves(o.w_hh):
        return o
    dtype = o.w_hh.dtype
    moved = (t if t is None or i == 7 or t.dtype == dtype else t.to(dtype) for i, t in enumerate(o))
    return Operands(*moved)  # type: ignore[arg-type]


def _plain(o: Operands) -> bool:
    """Ordinary tensors in an ordinary eager call, whose memory may be read at once."""
    if (
        torch.compiler.is_compiling()
        or torch._C._len_torch_dispatch_stack()
        or torch._C._get_tracing_state() is not None
    ):
        return False
    if torch._C._functorch.peek_interpreter_stack() is not None or _has_tangent(o):
        return False
    return all(t is None or type(t) is Tensor or type(t) is torch.nn.Parameter for t in o)


def _needs_equations(o: Operands) -> bool:
    """Forward-mode and the transforms of torch.func, except vmap alone, for which the operator has a rule."""
    if torch.compiler.is_compiling():
        return False
    if _has_tangent(o):
        return True
    stack = torch._C._functorch.get_interpreter_stack() or ()
    return any(level.key() != torch._C._functorch.TransformType.Vmap for level in stack)


def _has_tangent(o: Operands) -> bool:
    # A registered operator would return zero tangents without a word.
    if forward_ad._current_level < 0:
        return False
    unpack: Any = forward_ad.unpack_dual
    return any(t is not None and t.is_floating_point() and unpack(t).tangent is not None for t in o)


def _torch(o: Operands, before: bool, reverse: bool) -> tuple[Tensor, Tensor]:
    """Without the native kernel: torch's own for what it can, the equations for the rest."""
    T, B, _ = o.given.shape
    if before or o.x is None or T == 0 or any(t is not None for t in o[8:]):
        return equations_form(o, before, reverse)
    h0 = o.w_hh.new_zeros(B, o.w_hh.shape[1]) if o.h0 is None else o.h0
    flat = [t for t in (o.w_ih, o.w_hh, o.b_ih, o.b_hh) if t is not None]
    if o.lengths is None:
        output, final = _torch_kernel(o.x.flip(0) if reverse else o.x, h0, flat)
        return (output.flip(0) if reverse else output), final
    return _ragged(o.x, h0, flat, o.lengths, reverse)


def _ragged(x: Tensor, h0: Tensor, flat: list[Tensor], lengths: Tensor, reverse: bool) -> tuple[Tensor, Tensor]:
    """A causal kernel never sees what comes later, so ragged rows need only clean padding and a look at their ends."""
    valid = equations.valid_steps(lengths, x.shape[0], torch)
    x = torch.where(valid, x, 0)
    backwards = _reversal(lengths, x.shape[0])[:, :, None] if reverse else None
    if backwards is not None:
        x = x.gather(0, backwards.expand_as(x))
    output, _ = _torch_kernel(x, h0, flat)
    last = (lengths - 1).clamp(min=0)[None, :, None].expand(1, *h0.shape)
    final = torch.where((lengths > 0)[:, None], output.gather(0, last)[0], h0)
    if backwards is not None:
        output = output.gather(0, backwards.expand_as(output))
    return torch.where(valid, output, 0), final


def _reversal(lengths: Tensor, steps: int) -> Tensor:
    """[T, B]: for each step, the step that takes its place when the row is read from its end; its own inverse."""
    t = torch.arange(steps, device=lengths.device)[:, None]
    return torch.where(t < lengths[None], lengths[None] - 1 - t, t)


def _torch_kernel(x: Tensor, h0: Tensor, flat: list[Tensor]) -> tuple[Tensor, Tensor]:
    output, final = torch.gru(x, h0[None].contiguous(), flat, len(flat) == 4, 1, 0.0, False, False, False)
    return output, final[0]
