"""A GRU of hidden size 8 with a linear readout, trained on number lines by nonlinear least squares.

The input is one number per step, and the prediction a linear function of the last state, without differencing, skip
connection or linear model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy
import torch
from torch import Tensor
from torch.func import grad, vmap

from gruworks.errors import OptionError
from gruworks.lab.number_lines.least_squares import Solution, levenberg_marquardt
from gruworks.lab.number_lines.lines import STEP_RANGE, Lines, draw_lines
from gruworks.nn.gru import GRU
from gruworks.nn.recurrence.threads import torch_threads
from gruworks.ops import equations
from gruworks.ops.weights import GRUWeights, Reset

__all__ = ["NumberLineUnit", "Trained", "train_unit"]

HIDDEN = 8
LINES = 400  # more than the 273 parameters, so that the unit generalizes to lines in between
ROUNDS, TOLERANCE = 150, 5e-4  # iterations, and the maximum error on a training line in units of its step
SMALLEST_STEP = STEP_RANGE / 10  # unit of the errors of lines with smaller steps
# Factor of the candidate's initial input weights, so that numbers up to 35 stay in the nearly linear range of tanh.
SMALL = 0.1


class NumberLineUnit(torch.nn.Module):
    """GRU over numbers x [T, B, 1] with a linear readout of its last state, the predictions [B].

    >>> NumberLineUnit("before", seed=0)(torch.zeros(5, 2, 1, dtype=torch.float64)).shape
    torch.Size([2])
    """

    def __init__(self, reset: Reset = "before", seed: int = 0) -> None:
        super().__init__()
        if not 0 <= seed < 2**63:
            raise OptionError(f"a seed is 0 or a positive integer below 2^63, not {seed}")
        with torch.random.fork_rng(devices=[]):  # leaves the caller's generator unchanged
            torch.manual_seed(seed)
            self.gru = GRU(1, HIDDEN, reset=reset, dtype=torch.float64)
            self.readout = torch.nn.Linear(HIDDEN, 1, dtype=torch.float64)
        with torch.no_grad():
            self.gru.weights().w_ih[2 * HIDDEN :] *= SMALL * HIDDEN**0.5

    def forward(self, x: Tensor) -> Tensor:
        output, _ = self.gru(x)
        answer: Tensor = self.readout(output[-1])[:, 0]
        return answer


@dataclass(frozen=True)
class Trained:
    """A trained unit, its training lines, the number of iterations, and its largest training error in steps."""

    unit: NumberLineUnit
    lines: Lines
    rounds: int
    training_error: float


def train_unit(
    held_out_starts: Sequence[float],
    held_out_steps: Sequence[float],
    length: int = 5,
    reset: Reset = "before",
    seed: int = 0,
) -> Trained:
    """Train a unit on lines of `length` numbers with starts and steps apart from the held-out ones.

    >>> trained = train_unit([1.0], [1.0])
    >>> round(trained.unit(torch.arange(1.0, 6.0, dtype=torch.float64)[:, None, None]).item(), 1)
    6.0

    Args:
        held_out_starts, held_out_steps: values that the starts and steps of training lines keep away from.
        length: T, numbers per line.
        reset: reset form, "before" or "after".
        seed: of initial weights and training lines.

    Raises:
        OptionError: a length below 2, a negative seed, an unknown form, or held-out values that leave no training line.
    """
    if length < 2:
        raise OptionError(f"a line that shows its step has a length of 2 or more, not {length}")
    unit = NumberLineUnit(reset, seed)
    lines = draw_lines(LINES, length, numpy.random.default_rng(seed), held_out_starts, held_out_steps)
    with torch_threads(1):
        solution = _fit(unit, lines)
    return Trained(unit, lines, solution.rounds, float(solution.residuals.abs().max()))


def _fit(unit: NumberLineUnit, lines: Lines) -> Solution:
    """Fit all parameters by least squares; the error of each line is in units of its step."""
    x = torch.from_numpy(lines.numbers)[:, :, None]
    y = torch.from_numpy(lines.targets)
    weight = torch.from_numpy(1 / numpy.maximum(numpy.abs(lines.steps), SMALLEST_STEP))
    _fit_readout(unit, x, y, weight)

    # The gradient of one line's error is a row of the Jacobian; vmap computes all rows.
    def error(p: Tensor, x: Tensor, y: Tensor, weight: Tensor) -> Tensor:
        return (_answers(unit, p, x[:, None])[0] - y) * weight

    rows = vmap(grad(error), in_dims=(None, 1, 0, 0))
    start = torch.nn.utils.parameters_to_vector(unit.parameters()).detach()
    solution = levenberg_marquardt(
        lambda p: (_answers(unit, p, x) - y) * weight, lambda p: rows(p, x, y, weight), start, ROUNDS, TOLERANCE
    )
    torch.nn.utils.vector_to_parameters(solution.point, unit.parameters())
    return solution


@torch.no_grad()
def _fit_readout(unit: NumberLineUnit, x: Tensor, y: Tensor, weight: Tensor) -> None:
    """Initialize the readout by linear least squares on the states of the untrained GRU."""
    output, _ = unit.gru(x)
    columns = torch.cat([output[-1], torch.ones_like(y)[:, None]], 1) * weight[:, None]
    best = torch.linalg.lstsq(columns, (y * weight)[:, None], driver="gelsd").solution[:, 0]
    unit.readout.weight.copy_(best[None, :HIDDEN])
    unit.readout.bias.copy_(best[HIDDEN:])


def _answers(unit: NumberLineUnit, p: Tensor, x: Tensor) -> Tensor:
    """Predictions [B] of the unit with parameters p, by the reference equations, which support vmap."""
    parts = torch.split(p, [parameter.numel() for parameter in unit.parameters()])
    shaped = [part.view_as(parameter) for part, parameter in zip(parts, unit.parameters(), strict=True)]
    *of_gru, weight, bias = shaped
    h0 = x.new_zeros(x.shape[1], HIDDEN)
    final = equations.sequence(x, h0, GRUWeights(*of_gru, reset=unit.gru.reset), xp=torch).final
    answers: Tensor = (final @ weight.T + bias)[:, 0]
    return answers
