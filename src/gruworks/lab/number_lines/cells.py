"""RNN, LSTM and GRU of hidden size 8, each trained on number lines as in `unit`, to be compared step by step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy
import torch
from torch import Tensor
from torch.func import functional_call, grad, vmap

from gruworks.lab.number_lines.least_squares import levenberg_marquardt
from gruworks.lab.number_lines.lines import draw_lines
from gruworks.lab.number_lines.unit import HIDDEN, SMALL, SMALLEST_STEP
from gruworks.nn.cells import make
from gruworks.nn.recurrence.threads import torch_threads

__all__ = ["CellOnLines", "train_cell"]

LINES, ROUNDS, TOLERANCE = 300, 60, 5e-3


class CellOnLines(torch.nn.Module):
    """A cell over numbers x [T, B, 1] with a linear readout of its last state, the predictions [B]."""

    def __init__(self, cell: Literal["rnn", "lstm", "gru"], seed: int = 0) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.cell: Any = make(cell, 1, HIDDEN, engine="equations").double()
            self.readout = torch.nn.Linear(HIDDEN, 1, dtype=torch.float64)
        with torch.no_grad():
            self.cell.get_parameter("weight_ih_l0")[2 * HIDDEN * (cell != "rnn") :][:HIDDEN] *= SMALL * HIDDEN**0.5

    def states(self, x: Tensor) -> Tensor:
        """The last state [B, H]."""
        state = (x.new_zeros(x.shape[1], HIDDEN),) * self.cell.num_states
        for term in self.cell.input_projections(x).unbind(0):
            state = self.cell.step(term, state)
        last: Tensor = state[0]
        return last

    def forward(self, x: Tensor) -> Tensor:
        answer: Tensor = self.readout(self.states(x))[:, 0]
        return answer


def train_cell(cell: Literal["rnn", "lstm", "gru"], numbers: Sequence[float], seed: int = 0) -> CellOnLines:
    """Train a cell on lines as long as `numbers`, with other starts and steps than theirs.

    >>> model = train_cell("rnn", [1, 2, 3, 4, 5])
    >>> round(model(torch.arange(1.0, 6.0, dtype=torch.float64)[:, None, None]).item())
    6
    """
    y = numpy.asarray(numbers, dtype=numpy.float64)
    model = CellOnLines(cell, seed)
    lines = draw_lines(LINES, len(y), numpy.random.default_rng(seed), [y[0]], [(y[-1] - y[0]) / (len(y) - 1)])
    x, targets = torch.from_numpy(lines.numbers)[:, :, None], torch.from_numpy(lines.targets)
    weight = torch.from_numpy(1 / numpy.maximum(numpy.abs(lines.steps), SMALLEST_STEP))
    _fit_readout(model, x, targets, weight)

    def errors(p: Tensor, x: Tensor, targets: Tensor, weight: Tensor) -> Tensor:
        found: Tensor = (functional_call(model, _named(model, p), (x,)) - targets) * weight
        return found

    def error(p: Tensor, x: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        return errors(p, x[:, None], target[None], weight[None])[0]

    rows = vmap(grad(error), in_dims=(None, 1, 0, 0))
    start = torch.nn.utils.parameters_to_vector(model.parameters()).detach()
    with torch_threads(1):
        found = levenberg_marquardt(
            lambda p: errors(p, x, targets, weight).detach(), lambda p: rows(p, x, targets, weight), start, ROUNDS,
            TOLERANCE,
        )  # fmt: skip
    torch.nn.utils.vector_to_parameters(found.point, model.parameters())
    return model


@torch.no_grad()
def _fit_readout(model: CellOnLines, x: Tensor, targets: Tensor, weight: Tensor) -> None:
    """Initialize the readout by linear least squares on the states of the untrained cell."""
    columns = torch.cat([model.states(x), torch.ones_like(targets)[:, None]], 1) * weight[:, None]
    best = torch.linalg.lstsq(columns, (targets * weight)[:, None], driver="gelsd").solution[:, 0]
    model.readout.weight.copy_(best[None, :HIDDEN])
    model.readout.bias.copy_(best[HIDDEN:])


def _named(model: torch.nn.Module, p: Tensor) -> dict[str, Tensor]:
    names = dict(model.named_parameters())
    parts = torch.split(p, [one.numel() for one in names.values()])
    return {name: part.view_as(one) for part, (name, one) in zip(parts, names.items(), strict=True)}
