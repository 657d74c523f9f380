"""Form of a unit as a module: attributes, repr, names in the state dict, treatment by torch.fx; checks of operands."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gruworks.errors import DtypeError, ShapeError, WeightsError
from gruworks.nn.compatibility.torch_module import as_torch_module
from gruworks.nn.recurrence.operands import autocast
from gruworks.ops.activations import (
    MARKS,
    CandidateActivation,
    GateActivation,
    Unit,
    check_activations,
    marks,
    unit_of,
)
from gruworks.ops.weights import Reset, check_reset

__all__ = ["Form", "check_dtype", "check_state", "described", "mark_as_fx_leaf", "unit_of_module"]

OWN = ("gruworks.nn.gru", "gruworks.nn.gru_cell")  # subclasses in other modules may override methods
CAST = {torch.float32, torch.bfloat16, torch.float16}  # types that autocast converts


class Form(torch.nn.Module):
    """Base of GRU and GRUCell: the form of the unit in repr and state dict."""

    reset: Reset = "after"  # class attributes, for instances whose class `replace` has changed
    candidate_activation: CandidateActivation = "tanh"
    gate_activation: GateActivation = "sigmoid"

    def _set_form(self, reset: str, candidate: CandidateActivation, gate: GateActivation) -> None:
        check_activations(candidate, gate)
        self.reset, self.candidate_activation, self.gate_activation = check_reset(reset), candidate, gate
        mark_as_fx_leaf(self)
        for name in marks(unit_of_module(self)):
            self.register_buffer(name, torch.tensor(True))

    def __prepare_scriptable__(self) -> torch.nn.Module:
        """Equivalent torch module with the same parameters, for torch.jit.script."""
        return as_torch_module(self, "torch.jit.script") if type(self).__module__ in OWN else self

    def extra_repr(self) -> str:
        return super().extra_repr() + described(self)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        own = any(key.startswith(f"{prefix}weight_hh") for key in state_dict)
        names = (key.removeprefix(prefix) for key in state_dict if key.startswith(prefix))
        given = [name for name in names if name.startswith(MARKS)]
        if own and set(given) != set(marks(unit_of_module(self))):
            theirs, mine = _reset_and_activations(unit_of(given)), _reset_and_activations(unit_of_module(self))
            raise WeightsError(
                f"the state dict at {prefix or 'its root'!r} holds weights of the {theirs} form and this "
                f"{type(self).__name__} is {mine}. The two are different functions and do not convert: "
                f"make the module with {theirs}"
            )
        super()._load_from_state_dict(state_dict, prefix, *args)


def unit_of_module(module: Any) -> Unit:
    return Unit(module.reset == "before", module.candidate_activation, module.gate_activation)


def _reset_and_activations(unit: Unit) -> str:
    return f"reset='{'before' if unit.before else 'after'}'" + _activations(unit)


def _activations(unit: Unit) -> str:
    candidate = "" if unit.candidate == "tanh" else f", candidate_activation={unit.candidate!r}"
    return candidate + ("" if unit.gate == "sigmoid" else f", gate_activation={unit.gate!r}")


def described(module: Any) -> str:
    reset = ", reset='before'" if module.reset == "before" else ""
    learns = ", learn_initial_state=True" if module.learn_initial_state else ""
    return reset + _activations(unit_of_module(module)) + learns


def mark_as_fx_leaf(module: torch.nn.Module) -> None:
    """Make torch.fx treat this module as a leaf, as it does torch's.

    Tracers look at the `__module__` of the instance; pickling, repr and documentation at that of the class.
    """
    if type(module).__module__ in OWN:  # subclasses in other modules are traced, as torch's are
        module.__dict__["__module__"] = "torch.nn"


def check_dtype(owner: str, what: str, given: Tensor, weight: Any) -> None:
    if given.dtype != weight.dtype and not ({given.dtype, weight.dtype} <= CAST and autocast(given.device)):
        raise DtypeError(
            f"{owner} expected {what} of the weights' type {weight.dtype}, got {given.dtype}; "
            f"convert one: {what}.to({weight.dtype}) or module.to({given.dtype})"
        )


def check_state(owner: str, name: str, state: Tensor, expected: list[int], weight: Any) -> None:
    if list(state.shape) != expected:
        what = "the initial state hx" if name == "hx" else name
        raise ShapeError(f"{owner} expected {what} {expected}, got {list(state.shape)}")
    check_dtype(owner, name, state, weight)
