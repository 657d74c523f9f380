"""Levenberg-Marquardt method for nonlinear least squares with a few hundred parameters (Marquardt 1963).

Each iteration solves (JᵀJ + λ diag(JᵀJ)) δ = -Jᵀe (doi:10.1137/0111030). If the step δ reduces |e|², it is taken and
the damping λ decreased; otherwise λ is increased. The Jacobian J is stored whole, 400 by 273 for a small GRU.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["Solution", "levenberg_marquardt"]

FALL, RISE = 5.0, 4.0  # factors of λ after accepted and after rejected steps
ATTEMPTS = 12  # rejected steps in an iteration before it counts as converged


class Solution(NamedTuple):
    """Parameters [P], their residuals [N], and the number of iterations."""

    point: Tensor
    residuals: Tensor
    rounds: int


def levenberg_marquardt(
    residuals: Callable[[Tensor], Tensor],
    jacobian: Callable[[Tensor], Tensor],
    point: Tensor,
    rounds: int,
    tolerance: float,
) -> Solution:
    """Minimize Σ residuals² from `point` until the largest residual is at most `tolerance` or the method converges.

    >>> line = torch.tensor([1.0, 2.0, 3.0])
    >>> solution = levenberg_marquardt(lambda p: p * line - 2 * line, lambda p: line[:, None], torch.zeros(1), 50, 1e-3)
    >>> round(solution.point.item(), 3)
    2.0

    Args:
        residuals: maps parameters [P] to residuals [N].
        jacobian: maps parameters [P] to ∂residuals/∂parameters [N, P].
        point: initial parameters [P].
        rounds: maximum number of iterations.
        tolerance: maximum absolute residual.
    """
    left, damping = residuals(point), 1e-3
    for done in range(rounds):
        if left.abs().max() <= tolerance:
            return Solution(point, left, done)
        J = jacobian(point)
        for _ in range(ATTEMPTS):
            new = point - _step(J, left, damping)
            new_left = residuals(new)
            if new_left.square().sum() < left.square().sum():  # False for NaN too
                break
            damping *= RISE
        else:
            return Solution(point, left, done)
        point, left, damping = new, new_left, max(damping / FALL, 1e-12)
    return Solution(point, left, rounds)


def _step(J: Tensor, left: Tensor, damping: float) -> Tensor:
    normal = J.T @ J
    # The diagonal is 0 at parameters without influence; the lower bound keeps the matrix invertible.
    diagonal = normal.diagonal().clamp(min=1e-12)
    step: Tensor = torch.linalg.solve(normal + damping * torch.diag(diagonal), J.T @ left)
    return step
