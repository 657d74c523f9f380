"""Per-sample gradients of GRU layers and their norms, for clipping as in differentially private training (DP-SGD).

The native backward leaves the gradients of the gates' pre-activations, a_t, of every step and row. The gradient of a
weight matrix for one row of the batch is Σ_t a_t v_tᵀ, v_t its input (x_t or the state), hence its squared norm is
Σ_{t,s} (a_t·a_s)(v_t·v_s): two Gram matrices [T, T] instead of a gradient of the weights' size (ghost clipping, Li et
al. 2021, arXiv 2110.05679). Where T is large against the layer, the gradients themselves are cheaper, some rows at a
time.

Shapes: T time, B batch, I input size, H hidden size, L layers, D directions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn.utils import parametrize
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from gruworks.errors import OptionError, ShapeError
from gruworks.nn.gru import GRU
from gruworks.nn.recurrence import fallback, kernel
from gruworks.nn.recurrence.conditions import supported
from gruworks.nn.recurrence.gate_gradients import gate_gradients, previous_states, valid_steps
from gruworks.nn.recurrence.operands import check
from gruworks.ops.activations import Unit
from gruworks.ops.operands import LENGTHS, OPERANDS, Operands
from gruworks.ops.weights import parameter_names

__all__ = ["PerSample", "Wanted", "per_sample", "recorded"]

Wanted = Literal["norms", "gradients"]
Consumer = Callable[[Mapping[str, Tensor]], None]  # parameter's name → squared norms [B], or gradients [B, ...]


class PerSample:
    """Per-sample results of the GRUs of a model, by parameter name, filled by the backward pass.

    `squared_norms` [B] with "norms", `gradients` [B, ...] with "gradients".
    """

    def __init__(self) -> None:
        self.squared_norms: dict[str, Tensor] = {}
        self.gradients: dict[str, Tensor] = {}

    def norms(self) -> Tensor:
        """Norm of each row's gradient over all recorded parameters [B].

        Raises:
            OptionError: no backward pass has run.
        """
        squared = [*self.squared_norms.values()]
        squared += [
            g.flatten(1).square().sum(1) for name, g in self.gradients.items() if name not in self.squared_norms
        ]
        if not squared:
            raise OptionError("no gradients are recorded: call loss.backward() inside `with per_sample(model)`")
        return torch.stack(squared).sum(0).sqrt()


@contextmanager
def per_sample(model: torch.nn.Module, wanted: Wanted = "norms") -> Iterator[PerSample]:
    """Record per-sample gradient norms, or gradients, of every GRU of a model in the backward pass within the context.

    The loss must be a sum over rows of the batch whose terms depend on one row each. Parameters of the GRUs receive no
    `.grad` in this pass with "norms", and the batch's ordinary one with "gradients"; other modules are unaffected.

    >>> model = GRU(3, 4)
    >>> with per_sample(model) as found:
    ...     model(torch.ones(7, 2, 3))[0].square().sum().backward()
    >>> found.norms().shape
    torch.Size([2])

    Args:
        model: a gruworks.GRU or a module that contains some (`gruworks.replace` makes them of torch's).
        wanted: "norms", without materializing gradients, or "gradients", [B, ...] for each parameter.

    Yields:
        A `PerSample`, filled by `loss.backward()`.

    Raises:
        OptionError: a model without gruworks.GRU, one with regularization, parametrizations, other activations or a
            learnt initial state, on another device or type than the kernel's, a call with resets, or one that runs
            twice in the context.
    """
    found, named = PerSample(), [(n, m) for n, m in model.named_modules() if isinstance(m, GRU)]
    if not named:
        raise OptionError(f"this {type(model).__name__} contains no gruworks.GRU; call gruworks.replace(model) first")
    with ExitStack() as stack:
        for name, module in named:
            into = found.squared_norms if wanted == "norms" else found.gradients
            consume = partial(_collect, into, f"{name}." if name else "")
            stack.enter_context(recorded(module, wanted, consume))
        yield found


def _collect(into: dict[str, Tensor], prefix: str, results: Mapping[str, Tensor]) -> None:
    for name, value in results.items():
        if prefix + name in into:
            raise OptionError(
                f"the GRU of {prefix + name} has run more than once, and the norm of a sum over calls isn't the sum "
                "of their norms; use torch.func.vmap of torch.func.grad"
            )
        into[prefix + name] = value


@contextmanager
def recorded(module: GRU, wanted: Wanted, consume: Consumer, enabled: Callable[[], bool] = lambda: True) -> Any:
    """Within the context, backward passes through `module` call `consume` once per layer and direction.

    Where `enabled()` is false, a backward pass computes the parameters' ordinary gradients.
    """
    install(module, wanted, consume, enabled)
    try:
        yield
    finally:
        del module.forward


def install(module: GRU, wanted: Wanted, consume: Consumer, enabled: Callable[[], bool]) -> None:
    """Record until `module.forward` is deleted."""
    refuse(module)
    module.forward = partial(_forward, module, wanted, consume, enabled)  # type: ignore[method-assign]


def refuse(module: GRU) -> None:
    """Refuse modules whose per-sample gradients aren't those of plain weights.

    Raises:
        OptionError: the reason.
    """
    if module._regularizes():
        reason = f"it is regularized{module.regularization}"
    elif (module.candidate_activation, module.gate_activation) != ("tanh", "sigmoid"):
        reason = f"its activations are {module.candidate_activation} and {module.gate_activation}"
    elif module.learn_initial_state:
        reason = "its initial state is learnt"
    elif parametrize.is_parametrized(module) or not isinstance(module._parameters.get("weight_hh_l0"), Tensor):
        reason = "its weights are parametrised"
    elif not supported(module.weight_hh_l0):
        reason = f"the native kernel doesn't compute {module.weight_hh_l0.dtype} on {module.weight_hh_l0.device}"
    elif "forward" in vars(module):
        reason = "its gradients are recorded already"
    else:
        return
    raise OptionError(f"no per-sample gradients of this GRU: {reason}; use torch.func.vmap of torch.func.grad")


class _Place(NamedTuple):
    """Form of one layer and direction, and the destination of its results."""

    names: tuple[str, ...]
    unit: Unit
    reverse: bool
    wanted: Wanted
    consume: Consumer
    enabled: Callable[[], bool]


def _forward(
    module: GRU, wanted: Wanted, consume: Consumer, enabled: Callable[[], bool],
    input: Any, hx: Any = None, lengths: Any = None, resets: Any = None, reset_state: Any = None,  # noqa: A002
    return_all_layers: bool | None = None,
) -> tuple[Any, Tensor]:  # fmt: skip
    if not torch.is_grad_enabled():
        return type(module).forward(module, input, hx, lengths, resets, reset_state, return_all_layers)
    if resets is not None or reset_state is not None:
        raise OptionError("no per-sample gradients with resets=; use torch.func.vmap of torch.func.grad")
    layers = module.return_all_layers if return_all_layers is None else return_all_layers
    if isinstance(input, PackedSequence):
        if layers:
            raise OptionError("a PackedSequence has no axis of layers: give padded input and lengths= for all layers")
        x, ends = pad_packed_sequence(input, batch_first=module.batch_first)
        output, final = _forward(module, wanted, consume, enabled, x, hx, ends, return_all_layers=False)
        return pack_padded_sequence(output, ends, module.batch_first, enforce_sorted=False), final
    if isinstance(input, Tensor) and input.dim() != 3:
        raise ShapeError(f"per-sample gradients need a batch, input [T, B, I] or [B, T, I], not {list(input.shape)}")
    places = module._places()

    def layer(o: Operands, unit: Unit, reverse: bool) -> tuple[Tensor, Tensor]:
        check(o)
        others = [
            name for name, t in zip(OPERANDS, o, strict=True) if t is not None and name in OPERANDS[LENGTHS + 1 :]
        ]
        if others or not unit.usual:
            raise OptionError(
                f"per-sample gradients support h0 and lengths beside the weights, not {', '.join(others) or unit}"
            )
        names = parameter_names(*next(places), module.bias)
        place = _Place(names, unit, reverse, wanted, consume, enabled)
        result: tuple[Tensor, Tensor] = _Layer.apply(place, *o[:LENGTHS], o.lengths)  # type: ignore[no-untyped-call]
        return result

    result: tuple[Any, Tensor] = module._call(input, hx, lengths, return_all_layers=layers).over_layers(layer)
    return result


class _Layer(torch.autograd.Function):
    """One layer and direction, whose backward computes per-sample results."""

    @staticmethod
    def forward(ctx: Any, place: _Place, *operands: Tensor | None) -> tuple[Tensor, Tensor]:
        output, final, saved, _ = kernel.forward_kept(Operands(*operands), place.unit, place.reverse)
        ctx.save_for_backward(*operands, kernel.lazy_clone(output))
        ctx.place, ctx.saved = place, saved
        ctx.set_materialize_grads(False)
        return output, final

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> Any:
        *tensors, output = ctx.saved_tensors
        o, place, needed = Operands(*tensors), ctx.place, ctx.needs_input_grad[1:]
        records, form = place.enabled(), (place.unit, place.reverse)
        if all(g is None for g in grads):
            grads = (torch.zeros_like(output), None)
        if fallback.of_higher_order(*grads):
            raise OptionError("per-sample gradients are first derivatives: call backward without create_graph=True")
        saved, ctx.saved = ctx.saved, None
        if saved is None:  # an earlier backward has overwritten it
            output, _, saved, _ = kernel.forward_kept(o, *form)
        weights = not records or place.wanted == "gradients"
        needed = [need and (weights or i < 3) for i, need in enumerate(needed)]
        nothing = output.new_empty(0, output.shape[2])
        found = kernel.gradients(
            o, form, (output, saved, nothing), grads, (*needed, *(False,) * (len(o) - len(needed)))
        )
        if records:
            place.consume(_results(place, o, output, saved))
        return None, *found[: len(needed)]


def _results(place: _Place, o: Operands, output: Tensor, saved: Tensor) -> dict[str, Tensor]:
    """Per-sample results of the parameters that require a gradient, by name."""
    parts = _Parts(place, o, output, saved)
    make = parts.squared_norms if place.wanted == "norms" else parts.gradients
    return {
        name: value for name, t, value in zip(place.names, parts.parameters, make(), strict=True) if t.requires_grad
    }


class _Parts:
    """Gate gradients and the inputs of the weights, batch first, and what follows from them."""

    def __init__(self, place: _Place, o: Operands, output: Tensor, saved: Tensor) -> None:
        self.first, self.gates, self.candidate = (t.transpose(0, 1) for t in gate_gradients(saved, *output.shape))
        self.before = place.unit.before
        self.parameters = [t for t in (o.w_ih, o.w_hh, o.b_ih, o.b_hh) if t is not None]
        steps = valid_steps(o.x, o.lengths), previous_states(o, output, place.reverse)
        self.x, self.h = (t.transpose(0, 1) for t in steps)

    def gradients(self) -> list[Tensor]:
        """w_ih [B, 3H, I], w_hh [B, 3H, H] and biases [B, 3H]."""
        of_input = torch.cat((self.gates, self.candidate), 2)
        if self.before:
            parts = [_outer(self.gates, self.h), _outer(self.candidate, self.first)]
            of_w_hh, of_b_hh = torch.cat(parts, 1), of_input.sum(1)
        else:
            of_state = torch.cat((self.gates, self.first), 2)
            of_w_hh, of_b_hh = _outer(of_state, self.h), of_state.sum(1)
        return [_outer(of_input, self.x), of_w_hh, of_input.sum(1), of_b_hh][: len(self.parameters)]

    def squared_norms(self) -> list[Tensor]:
        """Squared norms [B] of the same."""
        T, H, I = self.candidate.shape[1], self.candidate.shape[2], self.x.shape[2]  # noqa: E741 (the field's letter)
        if T * (4 * H + I + H) > 3 * H * (I + H):
            return self._direct()
        gates, candidate, of_x, of_h = map(_gram, (self.gates, self.candidate, self.x, self.h))
        of_input, first = gates + candidate, _gram(self.first)
        if self.before:
            of_w_hh, of_b_hh = _sum(gates, of_h) + _sum(candidate, first), of_input.sum((1, 2))
        else:
            of_state = gates + first
            of_w_hh, of_b_hh = _sum(of_state, of_h), of_state.sum((1, 2))
        found = [_sum(of_input, of_x), of_w_hh, of_input.sum((1, 2)), of_b_hh]
        return [one.clamp(min=0) for one in found[: len(self.parameters)]]  # rounding can make a zero negative

    def _direct(self) -> list[Tensor]:
        """From the gradients of a few rows at a time, so that memory stays that of a few copies of the weights."""
        rows = []
        for b in range(0, len(self.x), SOME):
            part: Any = object.__new__(_Parts)
            part.before, part.parameters = self.before, self.parameters
            for name in ("first", "gates", "candidate", "x", "h"):
                setattr(part, name, getattr(self, name)[b : b + SOME])
            rows.append([g.flatten(1).square().sum(1) for g in part.gradients()])
        return [torch.cat(column) for column in zip(*rows, strict=True)]


SOME = 4  # rows


def _outer(a: Tensor, v: Tensor) -> Tensor:
    """Σ_t a_t v_tᵀ of each row: [B, T, M], [B, T, K] → [B, M, K]."""
    return torch.bmm(a.transpose(1, 2), v)


def _gram(a: Tensor) -> Tensor:
    """Products of all pairs of steps, [B, T, K] → [B, T, T]."""
    return torch.bmm(a, a.transpose(1, 2))


def _sum(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum((1, 2))
