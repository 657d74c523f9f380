"""Traces of gates and states against the module."""

from __future__ import annotations

import pytest
import torch

from gruworks import GRU
from gruworks.nn.tracing import trace
from tests.tolerances import FLOAT64


@pytest.mark.parametrize("reset", ["before", "after"])
def test_the_states_follow_from_the_gates(reset: str) -> None:
    torch.manual_seed(0)
    gru = GRU(2, 3, reset=reset, dtype=torch.float64)
    x, h0 = torch.randn(6, 2, 2, dtype=torch.float64), torch.randn(2, 3, dtype=torch.float64)
    r, z, n, h = trace(gru, x, h0)
    torch.testing.assert_close(h, gru(x, h0[None])[0].detach(), atol=FLOAT64, rtol=0)
    before = torch.cat([h0[None], h[:-1]])
    torch.testing.assert_close(h, (1 - z) * before + z * n, atol=FLOAT64, rtol=0)
    assert ((r > 0) & (r < 1)).all()
    assert not h.requires_grad
