"""The parallel scan against the loop, where logarithms are short of digits."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import logsigmoid

from gruworks.nn.scan import log_scan
from tests.tolerances import FLOAT64


def looped(log_a: torch.Tensor, log_b: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
    rows = []
    for a, b in zip(log_a.exp(), log_b.exp(), strict=True):
        h = a * h + b
        rows.append(h)
    return torch.stack(rows)


@pytest.mark.parametrize("steps", [1, 63, 64, 65, 300])
def test_the_scan_is_the_loop(steps: int) -> None:
    torch.manual_seed(0)
    a, b = (logsigmoid(3 * torch.randn(steps, 2, 3, dtype=torch.float64)) for _ in range(2))
    h0 = torch.randn(2, 3, dtype=torch.float64)
    torch.testing.assert_close(log_scan(a, b, h0), looped(a, b, h0), atol=FLOAT64, rtol=0)


def test_a_long_sequence_keeps_its_digits_in_float32() -> None:
    torch.manual_seed(0)
    a, b = (logsigmoid(4 * torch.randn(20_000, 1, 4, dtype=torch.float64)) for _ in range(2))
    h0 = torch.zeros(1, 4, dtype=torch.float64)
    scanned = log_scan(a.float(), b.float(), h0.float())
    torch.testing.assert_close(scanned.double(), looped(a, b, h0), atol=0, rtol=1e-4)


def test_gates_that_are_shut_or_open_stay_finite() -> None:
    shut, wide = torch.full((200, 1, 1), -1e4), torch.full((200, 1, 1), -1e-30)
    for a in (shut, wide):
        for b in (shut, wide):
            log_a, log_b = (value.clone().requires_grad_() for value in (a, b))
            states = log_scan(log_a, log_b, torch.ones(1, 1))
            states.sum().backward()
            assert all(value.isfinite().all() for value in (states, log_a.grad, log_b.grad))
