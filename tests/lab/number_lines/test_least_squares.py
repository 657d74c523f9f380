"""Levenberg-Marquardt against problems with known answers."""

from __future__ import annotations

import torch
from torch.func import jacrev

from gruworks.lab.number_lines.least_squares import levenberg_marquardt


def solve(residuals, start, rounds=200, tolerance=1e-9):
    start = torch.tensor(start, dtype=torch.float64)
    return levenberg_marquardt(residuals, jacrev(residuals), start, rounds, tolerance)


def test_a_linear_problem_has_the_normal_equations_answer():
    generator = torch.Generator().manual_seed(0)
    A = torch.randn(20, 3, generator=generator, dtype=torch.float64)
    b = torch.randn(20, generator=generator, dtype=torch.float64)
    found = solve(lambda p: A @ p - b, [0.0, 0, 0])
    torch.testing.assert_close(found.point, torch.linalg.lstsq(A, b[:, None]).solution[:, 0], atol=1e-8, rtol=0)


def test_rosenbrock_valley_is_followed_to_its_end():
    found = solve(lambda p: torch.stack([10 * (p[1] - p[0] ** 2), 1 - p[0]]), [-1.2, 1.0])
    torch.testing.assert_close(found.point, torch.ones(2, dtype=torch.float64))
    assert found.rounds < 100
    assert found.residuals.abs().max() <= 1e-9


def test_it_stops_where_nothing_helps():
    found = solve(lambda p: torch.stack([p[0] - 1, p[0] + 1]), [3.0])  # the best is 0, where both residuals are 1
    assert abs(found.point.item()) < 1e-6
    assert found.rounds < 200


def test_a_start_that_is_good_enough_is_kept():
    found = solve(lambda p: p, [1e-12])
    assert found.rounds == 0
    assert found.point.item() == 1e-12


def test_a_parameter_that_nothing_depends_on_stays():
    found = solve(lambda p: p[:1] - 2, [0.0, 5.0])
    assert abs(found.point[0] - 2) < 1e-8
    assert found.point[1] == 5.0


def test_a_step_into_nan_is_not_taken():
    found = solve(lambda p: torch.log(p) * 3, [5.0])  # the first whole step from here lands below 0
    assert abs(found.point.item() - 1) < 1e-8
