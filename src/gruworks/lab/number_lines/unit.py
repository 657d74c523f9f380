"""A unit that learns number lines: 8 states, a linear readout, and least squares over a few hundred lines.

The unit reads the numbers themselves, one a step; its answer is a linear readout of its last state. There is no
difference, no last value added, no straight line beside it: what it knows of lines, it holds in its 8 states.
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
LINES = 400  # more than the 273 parameters, so that what lies between the lines is learnt too
ROUNDS, TOLERANCE = 150, 5e-4  # the tolerance is the largest error on a training line, in units of its step
SMALLEST_STEP = STEP_RANGE / 10  # errors of flatter lines count in this unit; no framed line but a constant is flatter
# The candidate's input weights start at a tenth: numbers up to 35 then reach the tanh near its straight middle.
SMALL = 0.1


class NumberLineUnit(torch.nn.Module):
    """A GRU over one number a step and a linear readout of its last state: x [T, B, 1] to answers [B].

    >>> NumberLineUnit("before", seed=0)(torch.zeros(5, 2, 1, dtype=torch.float64)).shape
    torch.Size([2])
    """

    def __init__(self, reset: Reset = "before", seed: int = 0) -> None:
        super().__init__()
        if not 0 <= seed < 2**63:
            raise OptionError(f"a seed is 0 or a positive integer below 2^63, not {seed}")
        with torch.random.fork_rng(devices=[]):  # the caller's own random numbers stay as they were
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
    """A unit, the lines that it learnt from, the rounds that took, and its largest error on them in steps."""

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
    """A unit that has learnt lines of `length` numbers, none of them starting or stepping like a held-out one.

    >>> trained = train_unit([1.0], [1.0])
    >>> round(trained.unit(torch.arange(1.0, 6.0, dtype=torch.float64)[:, None, None]).item(), 1)
    6.0

    Args:
        held_out_starts, held_out_steps: each alone keeps a line out of training that comes near it.
        length: T, numbers in each line. reset: the unit's form. seed: of first weights and lines.

    Raises:
        OptionError: a length below 2, a negative seed, an unknown form, or so much held out that nothing is left.
    """
    if length < 2:
        raise OptionError(f"a line that shows its step has a length of 2 or more, not {length}")
    unit = NumberLineUnit(reset, seed)
    lines = draw_lines(LINES, length, numpy.random.default_rng(seed), held_out_starts, held_out_steps)
    with torch_threads(1):
        solution = _fit(unit, lines)
    return Trained(unit, lines, solution.rounds, float(solution.residuals.abs().max()))


def _fit(unit: NumberLineUnit, lines: Lines) -> Solution:
    """Least squares over all lines at once; each line's error counts in units of its own step."""
    x = torch.from_numpy(lines.numbers)[:, :, None]
    y = torch.from_numpy(lines.targets)
    weight = torch.from_numpy(1 / numpy.maximum(numpy.abs(lines.steps), SMALLEST_STEP))
    _fit_readout(unit, x, y, weight)

    # One line's error as a function of all parameters: its gradient is a row of the Jacobian, vmap makes the rows.
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
    """Start from the best readout of the untrained states: a linear problem with one answer."""
    output, _ = unit.gru(x)
    columns = torch.cat([output[-1], torch.ones_like(y)[:, None]], 1) * weight[:, None]
    best = torch.linalg.lstsq(columns, (y * weight)[:, None], driver="gelsd").solution[:, 0]
    unit.readout.weight.copy_(best[None, :HIDDEN])
    unit.readout.bias.copy_(best[HIDDEN:])


def _answers(unit: NumberLineUnit, p: Tensor, x: Tensor) -> Tensor:
    """The unit's answers [B] with parameters from the vector p, by the equations' own text, which vmap can follow."""
    parts = torch.split(p, [parameter.numel() for parameter in unit.parameters()])
    shaped = [part.view_as(parameter) for part, parameter in zip(parts, unit.parameters(), strict=True)]
    *of_gru, weight, bias = shaped
    h0 = x.new_zeros(x.shape[1], HIDDEN)
    final = equations.sequence(x, h0, GRUWeights(*of_gru, reset=unit.gru.reset), xp=torch).final
    answers: Tensor = (final @ weight.T + bias)[:, 0]
    return answers
