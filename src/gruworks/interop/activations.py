"""Activation functions of ONNX and Keras, with hard sigmoids of other slopes expressed in the weights.

max(0, min(1, α a + β)) is our hard sigmoid, max(0, min(1, b / 6 + 1 / 2)), of b = 6 α a + 6 (β - 1 / 2), and α a + β is
the linear function of itself: the rows of the weights are scaled and the biases shifted, to rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy

from gruworks.errors import WeightsError
from gruworks.ops.weights import GRUWeights

__all__ = ["KERAS", "KERAS_2", "Function", "converted", "of_onnx"]

KERAS = ("tanh", "relu", "sigmoid", "hard_sigmoid", "softsign", "linear")  # Keras' names are ours
KERAS_2 = (0.2, 0.5)  # its hard sigmoid's slope and value at 0; Keras 3 has 1 / 6
# ONNX' name to ours; where it has parameters, its defaults alpha and beta.
FUNCTIONS: dict[str, tuple[str, tuple[float, float] | None]] = {
    "tanh": ("tanh", None), "relu": ("relu", None), "sigmoid": ("sigmoid", None), "softsign": ("softsign", None),
    "hardsigmoid": ("hard_sigmoid", (0.2, 0.5)), "affine": ("linear", (1.0, 0.0)),
}  # fmt: skip


class Function(NamedTuple):
    """An activation function of another framework: our `name` applied to scale * a + shift."""

    name: str
    scale: float = 1.0
    shift: float = 0.0

    @classmethod
    def line(cls, name: str, alpha: float, beta: float) -> Function:
        """max(0, min(1, α a + β)), or α a + β, by our function of that name."""
        return cls(name, 6 * alpha, 6 * (beta - 0.5)) if name == "hard_sigmoid" else cls(name, alpha, beta)


def of_onnx(names: Sequence[str], alphas: Sequence[float], betas: Sequence[float]) -> list[Function]:
    """The functions that a GRU node names, with the parameters that they take from the lists in their order.

    Raises:
        WeightsError: another function, or a hard sigmoid that doesn't rise.
    """
    found, left, right = [], list(alphas), list(betas)
    for given in names:
        name, defaults = FUNCTIONS.get(given.lower(), ("", None))
        if not name:
            raise WeightsError(f"supported are {', '.join(FUNCTIONS)}, not {given}")
        if defaults is None:
            found.append(Function(name))
            continue
        alpha, beta = (left.pop(0) if left else defaults[0]), (right.pop(0) if right else defaults[1])
        if name == "hard_sigmoid" and not alpha > 0:
            raise WeightsError(f"{given} needs a positive alpha, not {alpha:g}")
        found.append(Function.line(name, alpha, beta))
    return found


def converted(weights: GRUWeights, gate: Function, candidate: Function) -> GRUWeights:
    """These weights with the activations of another framework.

    Raises:
        WeightsError: gates of another function than a (hard) sigmoid.
    """
    if gate.name not in ("sigmoid", "hard_sigmoid"):
        raise WeightsError(f"gates may be sigmoid or hard_sigmoid, not {gate.name}")
    given = replace(weights, gate_activation=gate.name, candidate_activation=candidate.name)  # type: ignore[arg-type]
    if (gate.scale, gate.shift, candidate.scale, candidate.shift) == (1, 0, 1, 0):
        return given
    H, dtype = weights.hidden_size, weights.w_hh.dtype
    scale, shift = (numpy.repeat([a, a, b], H).astype(dtype) for a, b in zip(gate[1:], candidate[1:], strict=True))
    scaled = given.map(lambda array: (array.T * scale).T)
    if not shift.any():
        return scaled
    b_ih: Any = numpy.zeros(3 * H, dtype) if scaled.b_ih is None else scaled.b_ih
    return replace(scaled, b_ih=b_ih + shift)
