"""Groups of units in one call, against a layer each."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from gruworks.errors import GruworksError
from gruworks.nn.functional import gru_layer
from gruworks.nn.grouped import grouped_gru
from gruworks.ops.weights import GRUWeights


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize(
    ("T", "B", "G", "I", "H"), [(7, 5, 2, 3, 4), (33, 20, 3, 8, 8), (20, 1, 2, 16, 40), (1, 1, 1, 1, 1)]
)
def test_groups_are_gru_layers(T: int, B: int, G: int, I: int, H: int, batch_first: bool, bidirectional: bool) -> None:  # noqa: E741
    D = 1 + bidirectional
    torch.manual_seed(0)
    leaves = [GRUWeights.random(I, H, seed=i).map(lambda a: torch.tensor(a).requires_grad_()) for i in range(G * D)]
    x = torch.randn(T, B, G * I, dtype=torch.float64, requires_grad=True)
    h0 = torch.randn(G * D, B, H, dtype=torch.float64, requires_grad=True)
    given = x.transpose(0, 1) if batch_first else x
    found, final = grouped_gru(given, h0, leaves, bidirectional=bidirectional, batch_first=batch_first)
    parts = [
        gru_layer(x[..., i // D * I : (i // D + 1) * I], h0[i], w, reverse=i % D == 1) for i, w in enumerate(leaves)
    ]
    expected = torch.cat([output for output, _ in parts], -1)
    torch.testing.assert_close(found.transpose(0, 1) if batch_first else found, expected)
    torch.testing.assert_close(final, torch.stack([last for _, last in parts]))
    inputs = [x, h0, *(a for w in leaves for a in w.arrays())]
    factors = torch.randn_like(expected)
    ours = (found.transpose(0, 1) if batch_first else found).mul(factors).sum() + final.sin().sum()
    theirs = expected.mul(factors).sum() + torch.stack([last for _, last in parts]).sin().sum()
    for create_graph in (True, False):
        grads = (torch.autograd.grad(loss, inputs, create_graph=create_graph) for loss in (ours, theirs))
        torch.testing.assert_close(*grads)


def test_groups_without_the_fast_path() -> None:
    units = [GRUWeights.random(3, 4, seed=i).map(torch.tensor) for i in range(2)]
    x = torch.randn(6, 5, 6, dtype=torch.float64)
    expected = grouped_gru(x, None, units)
    compiled = torch.compile(grouped_gru, backend="eager")(x, None, units)
    torch.testing.assert_close(compiled, expected)
    before = [GRUWeights.random(3, 4, "before", seed=i).map(torch.tensor) for i in range(2)]
    output, final = grouped_gru(x, None, before)
    torch.testing.assert_close(output[..., 4:], gru_layer(x[..., 3:], None, before[1])[0])
    assert final.shape == (2, 5, 4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights": []}, "at least one group"),
        ({"x": torch.zeros(6, 5, 7)}, "expected x of 2 groups of 3 features"),
        ({"h0": torch.zeros(1, 5, 4)}, r"expected h0 \[2, 5, 4\]"),
        ({"bidirectional": True, "weights": [GRUWeights.random(3, 4)] * 3}, "2 for each, got 3"),
        ({"weights": [GRUWeights.random(3, 4), GRUWeights.random(3, 5)]}, "groups of one size"),
        ({"x": [1.0]}, "x must be a torch.Tensor"),
    ],
)
def test_groups_that_do_not_match_are_refused(change: dict[str, Any], message: str) -> None:
    units = [GRUWeights.random(3, 4).map(torch.tensor)] * 2
    given = {"x": torch.zeros(6, 5, 6, dtype=torch.float64), "h0": None, "weights": units} | change
    with pytest.raises(GruworksError, match=message):
        grouped_gru(given.pop("x"), given.pop("h0"), given.pop("weights"), **given)
