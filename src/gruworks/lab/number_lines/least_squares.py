"""Levenberg-Marquardt: least squares for a few hundred parameters, some hundred times closer than gradient steps.

Marquardt 1963, doi:10.1137/0111030: solve (JᵀJ + λ diag(JᵀJ)) δ = -Jᵀe; where the step δ lowers |e|², take it and trust
the straight-line picture more (λ falls), where it does not, trust it less. It needs the whole Jacobian, which for one
small unit and a few hundred lines is a matrix of 400 by 273.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["Solution", "levenberg_marquardt"]

FALL, RISE = 5.0, 4.0  # how λ changes after a step that is taken, and after one that is not
ATTEMPTS = 12  # λ can rise by 4¹² within a round; a step that still does not help is a minimum


class Solution(NamedTuple):
    """The parameters found [P], what is left of each residual there [N], and the rounds that it took."""

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
    """Lower Σ residuals² from `point` until the largest is at most `tolerance`, nothing helps, or `rounds` are over.

    >>> line = torch.tensor([1.0, 2.0, 3.0])
    >>> solution = levenberg_marquardt(lambda p: p * line - 2 * line, lambda p: line[:, None], torch.zeros(1), 50, 1e-3)
    >>> round(solution.point.item(), 3)
    2.0

    Args:
        residuals: parameters [P] to residuals [N].
        jacobian: parameters [P] to d residuals / d parameters, [N, P].
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
    # A parameter that nothing depends on yet has a zero on the diagonal; the floor keeps the matrix invertible.
    diagonal = normal.diagonal().clamp(min=1e-12)
    step: Tensor = torch.linalg.solve(normal + damping * torch.diag(diagonal), J.T @ left)
    return step
