"""Reach of a cell's gradient back in time: exact Jacobians of its full state, in float64.

The full state s is h, for LSTM h and c one after the other. Everything runs by the cells' equations
(`nn/cells.py`), whatever engine a cell was trained on.
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
from gruworks.nn.cells import LSTM, GRUAfter, State, StepwiseCell, make
from gruworks.nn.recurrence.threads import torch_threads

__all__ = ["Reach", "as_equations", "clamp", "loss_reach", "reach"]

Floats = NDArray[numpy.float64]

# Which block of H rows is a gate's.
GATES: dict[type, dict[str, int]] = {
    GRUAfter: {"reset": 0, "update": 1},
    LSTM: {"input": 0, "forget": 1, "output": 3},
}


class Reach(NamedTuple):
    """‖∂s_T/∂s_t‖₂ by T - t = 0 ... T: the geometric mean over rows, the lowest and the highest row, [T + 1] each."""

    mean: Floats
    low: Floats
    high: Floats


def as_equations(name: str, cell: Any) -> StepwiseCell:
    """The cell `name` of CELLS as its equations in float64, with the weights of `cell`, whatever engine runs that."""
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
    """‖∂L/∂s_t‖₂ by T - t = 0 ... T, the mean over rows; `loss` takes the output [T, B, H] and gives one number."""
    states = _states(cell, x)
    output = torch.stack([_split(cell, state)[0] for state in states[1:]])
    found = torch.autograd.grad(loss(output), states)
    return numpy.array([float(gradient.norm(dim=-1).mean()) for gradient in reversed(found)]) * x.shape[1]


def clamp(cell: StepwiseCell, gates: Mapping[str, float]) -> StepwiseCell:
    """A copy of a GRU or LSTM with some gates held at a number, whatever comes: what the unit is without them.

    >>> gru = as_equations("gru", torch.nn.GRU(1, 3))
    >>> plain = clamp(gru, {"update": 1.0, "reset": 1.0})  # h_t = tanh(W x_t + U h_{t-1} + b): a plain RNN is left

    Args:
        cell: from `as_equations`. gates: "reset" and "update" (it replaces) for the GRU, "input", "forget" and "output"
            for the LSTM, each to a number from 0 to 1.

    Raises:
        OptionError: a gate that the cell has not, or a number outside 0 to 1.
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
        # The stored update rows are those of a gate that keeps.
        held.bias_ih_l0.data[rows] = torch.logit(
            torch.tensor(1 - value if name == "update" else value, dtype=torch.float64)
        )
    return held  # type: ignore[no-any-return]


def _states(cell: StepwiseCell, x: Tensor) -> list[Tensor]:
    """s_0 = 0, s_1 ... s_T, [B, S] each, with the graph from each to the next."""
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
    """∂s_T/∂s_t by T - t, [T + 1, S, S], of a batch of one row."""
    states = _states(cell, x)
    every_direction = torch.eye(states[-1].shape[-1], dtype=x.dtype)[:, None]
    found = torch.autograd.grad(states[-1], states, every_direction, is_grads_batched=True)
    return torch.stack(found[::-1])[:, :, 0]
