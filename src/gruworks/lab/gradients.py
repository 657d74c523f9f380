"""Norms of gradients over time, from exact Jacobians of a cell's full state in float64.

The full state s is h; for the LSTM it is h and c concatenated. Cells are evaluated by their equations (`nn/cells.py`).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

from gruworks.errors import OptionError
from gruworks.nn.cells import LSTM, GRUEquations, State, StepwiseCell, make
from gruworks.nn.recurrence.threads import torch_threads

__all__ = ["Reach", "as_equations", "clamp", "loss_reach", "reach"]

Floats = NDArray[numpy.float64]

# Index of each gate among the blocks of H rows of the parameters.
GATES: dict[type, dict[str, int]] = {
    GRUEquations: {"reset": 0, "update": 1},
    LSTM: {"input": 0, "forget": 1, "output": 3},
}


class Reach(NamedTuple):
    """‖∂s_T/∂s_t‖₂ by T - t = 0 ... T: geometric mean, minimum and maximum over the rows of a batch, [T + 1] each."""

    mean: Floats
    low: Floats
    high: Floats


def as_equations(name: str, cell: Any) -> StepwiseCell:
    """The equations of the cell `name` of CELLS in float64, with the weights of `cell`, fused or not."""
    made: Any = make(name, cell.input_size, cell.hidden_size, "equations", dtype=torch.float64)
    made.load_state_dict(cell.state_dict())
    return made.eval()  # type: ignore[no-any-return]


def reach(cell: StepwiseCell, x: Tensor) -> Reach:
    """The spectral norm of ∂s_T/∂s_t for every t, over x [T, B, I] in float64 from a zero state.

    >>> curve = reach(as_equations("rnn", torch.nn.RNN(2, 3)), torch.zeros(5, 1, 2, dtype=torch.float64))
    >>> len(curve.mean), float(curve.mean[0])
    (6, 1.0)
    """
    with torch_threads(1):
        rows = [_products(cell, x[:, row : row + 1]) for row in range(x.shape[1])]
        norms = numpy.stack([torch.linalg.matrix_norm(row, ord=2).numpy() for row in rows])
    with numpy.errstate(divide="ignore"):  # a product that is 0 in float64 too
        return Reach(numpy.exp(numpy.log(norms).mean(0)), norms.min(0), norms.max(0))


def loss_reach(cell: StepwiseCell, x: Tensor, loss: Callable[[Tensor], Tensor]) -> Floats:
    """‖∂L/∂s_t‖₂ by T - t = 0 ... T, [T + 1], the mean over rows; `loss` maps the output [T, B, H] to a scalar L."""
    states = _states(cell, x)
    output = torch.stack([_split(cell, state)[0] for state in states[1:]])
    found = torch.autograd.grad(loss(output), states)
    return numpy.array([float(gradient.norm(dim=-1).mean()) for gradient in reversed(found)]) * x.shape[1]


def clamp(cell: StepwiseCell, gates: Mapping[str, float]) -> StepwiseCell:
    """A copy of a GRU or LSTM with some gates at constant values, for ablations.

    >>> gru = as_equations("gru", torch.nn.GRU(1, 3))
    >>> plain = clamp(gru, {"update": 1.0, "reset": 1.0})  # h_t = tanh(W x_t + U h_{t-1} + b)

    Args:
        cell: from `as_equations`.
        gates: values from 0 to 1 of "reset" and "update" (1 replaces the state) for the GRU, or of "input", "forget"
            and "output" for the LSTM.

    Raises:
        OptionError: a gate that the cell doesn't have, or a value outside of [0, 1].
    """
    places = next((places for kind, places in GATES.items() if isinstance(cell, kind)), {})
    held: Any = copy.deepcopy(cell)
    H = cell.hidden_size
    for name, value in gates.items():
        if name not in places or not 0 <= value <= 1:
            has = ", ".join(places) or "none that can be held"
            raise OptionError(f"can't hold gate {name!r} at {value}: {type(cell).__name__} has {has}, from 0 to 1")
        rows = slice(places[name] * H, (places[name] + 1) * H)
        for parameter in held.parameters():
            parameter.data[rows] = 0
        # The stored update gate keeps the state at 1.
        held.bias_ih_l0.data[rows] = torch.logit(
            torch.tensor(1 - value if name == "update" else value, dtype=torch.float64)
        )
    return held  # type: ignore[no-any-return]


def _states(cell: StepwiseCell, x: Tensor) -> list[Tensor]:
    """States s_0 = 0, s_1 ... s_T, [B, S] each, connected by the autograd graph."""
    state = x.new_zeros(x.shape[1], cell.num_states * cell.hidden_size).requires_grad_()
    states = [state]
    for term in cell.input_projections(x).unbind(0):
        state = torch.cat(cell.step(term, _split(cell, state)), -1)
        states.append(state)
    return states


def _split(cell: StepwiseCell, state: Tensor) -> State:
    parts: State = torch.split(state, cell.hidden_size, -1)
    return parts


def _products(cell: StepwiseCell, x: Tensor) -> Tensor:
    """∂s_T/∂s_t by T - t, [T + 1, S, S], for a batch of one row."""
    states = _states(cell, x)
    every_direction = torch.eye(states[-1].shape[-1], dtype=x.dtype)[:, None]
    found = torch.autograd.grad(states[-1], states, every_direction, is_grads_batched=True)
    return torch.stack(found[::-1])[:, :, 0]
