"""Traces of gates and states against the module."""

from __future__ import annotations

import pytest
import torch

from gruworks import GRU
from gruworks.errors import ShapeError
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


@pytest.mark.parametrize("candidate", ["tanh", "relu"])
def test_all_layers_and_directions(candidate: str) -> None:
    torch.manual_seed(0)
    gru = GRU(
        2, 3, num_layers=2, bidirectional=True, candidate_activation=candidate, learn_initial_state=True,
        dtype=torch.float64,
    )  # fmt: skip
    torch.nn.init.normal_(gru.initial_state)
    x, h0 = torch.randn(6, 2, 2, dtype=torch.float64), torch.randn(4, 2, 3, dtype=torch.float64)
    for hx in (None, h0):
        found = trace(gru, x, hx)
        output, final = gru(x, hx, return_all_layers=True)
        layers = torch.stack([torch.cat([found.state[2 * i], found.state[2 * i + 1]], -1) for i in range(2)])
        torch.testing.assert_close(layers, output.detach(), atol=FLOAT64, rtol=0)
        ends = torch.stack([found.state[i, (-1, 0)[i % 2]] for i in range(4)])
        torch.testing.assert_close(ends, final.detach(), atol=FLOAT64, rtol=0)
    assert found.update.shape == found.reset.shape == found.candidate.shape == (4, 6, 2, 3)
    with pytest.raises(ShapeError, match=r"initial states \[4, 2, 3\], got \[2, 3\]"):
        trace(gru, x, h0[0])


def test_the_first_layer_and_direction() -> None:
    gru, x = GRU(3, 4, num_layers=2, bidirectional=True), torch.randn(5, 2, 3)
    found = trace(gru, x)
    assert all(torch.equal(one, whole[0]) for one, whole in zip(found.first(), found, strict=True))
    single = trace(GRU(3, 4), x)
    assert single.first() is single
