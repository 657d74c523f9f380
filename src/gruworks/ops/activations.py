"""Activation functions of gates and candidate: names, values in NumPy and torch, derivatives by their values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple, get_args

import numpy

from gruworks.errors import OptionError

__all__ = [
    "MARKS",
    "CandidateActivation",
    "GateActivation",
    "Unit",
    "activation",
    "check_activations",
    "derivative",
    "marks",
    "onnx_attributes",
    "unit_of",
]

Array = Any  # numpy.ndarray or torch.Tensor
CandidateActivation = Literal[
    "tanh", "relu", "sigmoid", "hard_sigmoid", "softsign", "linear"
]  # as native/gru/problem.h
GateActivation = Literal["sigmoid", "hard_sigmoid"]

# ONNX' function and its parameters alpha and beta.
ONNX = {
    "tanh": ("Tanh", ()), "relu": ("Relu", ()), "sigmoid": ("Sigmoid", ()),
    "hard_sigmoid": ("HardSigmoid", (1 / 6, 0.5)), "softsign": ("Softsign", ()), "linear": ("Affine", (1.0, 0.0)),
}  # fmt: skip
MARKS = ("reset_before", "candidate_activation_", "gate_activation_")  # beginnings of the names of `marks`


class Unit(NamedTuple):
    """Form of a gated recurrent unit: reset before the matrix product, activations of candidate and gates."""

    before: bool = False
    candidate: CandidateActivation = "tanh"
    gate: GateActivation = "sigmoid"

    @property
    def usual(self) -> bool:
        """True for tanh and the logistic function."""
        return self.candidate == "tanh" and self.gate == "sigmoid"

    @property
    def codes(self) -> tuple[int, bool]:
        """The candidate's activation and hard gates, as the native kernel takes them."""
        return get_args(CandidateActivation).index(self.candidate), self.gate == "hard_sigmoid"


def marks(unit: Unit) -> list[str]:
    """Entries by which the state dict of a unit differs from torch's.

    >>> marks(Unit(before=True, candidate="relu"))
    ['reset_before', 'candidate_activation_relu']
    """
    found = [MARKS[0]] if unit.before else []
    found += [MARKS[1] + unit.candidate] if unit.candidate != "tanh" else []
    return found + ([MARKS[2] + unit.gate] if unit.gate != "sigmoid" else [])


def unit_of(names: Iterable[str]) -> Unit:
    """The unit that the entries of a state dict name; the inverse of `marks`.

    Raises:
        OptionError: an unknown activation.
    """
    names = list(names)
    given: list[Any] = ["tanh", "sigmoid"]
    for i, kind in enumerate(MARKS[1:]):
        given[i] = next((name.removeprefix(kind) for name in names if name.startswith(kind)), given[i])
    check_activations(*given)
    return Unit(MARKS[0] in names, *given)


def check_activations(candidate: str, gate: str) -> None:
    """Check the names of activations.

    Raises:
        OptionError: an unknown one.
    """
    for name, given, known in (
        ("candidate_activation", candidate, CandidateActivation),
        ("gate_activation", gate, GateActivation),
    ):
        if given not in get_args(known):
            raise OptionError(f"{name} must be one of {', '.join(get_args(known))}, not {given!r}")


def activation(name: str, a: Array, xp: Any = numpy) -> Array:
    """An activation function, element by element; "hard_sigmoid" is a / 6 + 1 / 2 between 0 and 1.

    >>> activation("hard_sigmoid", numpy.array([-9.0, 0.0, 1.5])).tolist()
    [0.0, 0.5, 0.75]
    """
    if name == "tanh":
        return xp.tanh(a)
    if name == "sigmoid":  # by tanh, which does not overflow and exists in NumPy and torch
        return 0.5 * (1 + xp.tanh(0.5 * a))
    if name == "softsign":
        return a / (1 + abs(a))
    if name == "relu":
        return xp.where(a <= 0, xp.zeros_like(a), a)
    if name == "hard_sigmoid":
        line = a / 6 + 0.5
        return xp.where(line <= 0, xp.zeros_like(a), xp.where(line >= 1, xp.ones_like(a), line))
    return a


def derivative(name: str, value: Array) -> Array:
    """The derivative of an activation function where it has this value, in NumPy."""
    if name == "tanh":
        return 1 - value * value
    if name == "sigmoid":
        return value * (1 - value)
    if name == "softsign":
        return (1 - abs(value)) ** 2
    if name == "relu":
        return (value > 0) * 1.0
    if name == "hard_sigmoid":
        return ((value > 0) & (value < 1)) / 6
    return numpy.ones_like(value)


def onnx_attributes(unit: Unit, directions: int) -> dict[str, Any]:
    """Attributes of an ONNX GRU node for the activations of a unit; none for tanh and the logistic function.

    >>> onnx_attributes(Unit(candidate="relu"), 1)
    {'activations': ['Sigmoid', 'Relu']}
    """
    if unit.usual:
        return {}
    functions = [ONNX[unit.gate], ONNX[unit.candidate]] * directions
    parameters = [given for _, given in functions if given]
    found: dict[str, Any] = {"activations": [name for name, _ in functions]}
    if parameters:
        found |= {"activation_alpha": [a for a, _ in parameters], "activation_beta": [b for _, b in parameters]}
    return found
