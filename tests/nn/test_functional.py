"""The functional layer against the equations: both forms, ragged, reversed, empty."""

from __future__ import annotations

import numpy
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gruworks.nn.functional import gru_layer
from gruworks.ops import equations
from gruworks.ops.weights import GRUWeights, Reset
from tests.tolerances import FLOAT64


@given(
    T=st.integers(0, 6), B=st.integers(0, 5), hidden=st.integers(1, 6), reset=st.sampled_from(["before", "after"]),
    bias=st.booleans(), ragged=st.booleans(), reverse=st.booleans(), seed=st.integers(0, 99),
)  # fmt: skip
def test_it_is_the_reference(
    T: int, B: int, hidden: int, reset: Reset, bias: bool, ragged: bool, reverse: bool, seed: int
) -> None:
    weights = GRUWeights.random(3, hidden, reset, bias, seed)
    rng = numpy.random.default_rng(seed)
    x, h0 = rng.normal(size=(T, B, 3)), rng.normal(size=(B, hidden))
    lengths = rng.integers(0, T + 1, B) if ragged else None
    expected = equations.sequence(x, h0, weights, lengths, reverse)
    grad_output, grad_final = rng.normal(size=(T, B, hidden)), rng.normal(size=(B, hidden))
    slopes = equations.backward(x, h0, weights, grad_output, grad_final, lengths, reverse)

    leaves = weights.map(lambda array: torch.tensor(array, requires_grad=True))
    tx, th0 = torch.tensor(x, requires_grad=True), torch.tensor(h0, requires_grad=True)
    ends = None if lengths is None else torch.tensor(lengths)
    output, final = gru_layer(tx, th0, leaves, ends, reverse)
    numpy.testing.assert_allclose(output.detach().numpy(), expected.output, atol=FLOAT64, rtol=0)
    numpy.testing.assert_allclose(final.detach().numpy(), expected.final, atol=FLOAT64, rtol=0)
    loss = (output * torch.tensor(grad_output)).sum() + (final * torch.tensor(grad_final)).sum()
    inputs = [tx, th0, *(leaf for leaf in leaves.arrays() if leaf is not None)]
    found = torch.autograd.grad(loss, inputs, allow_unused=True, materialize_grads=True)
    for gradient, name in zip(found, slopes._fields, strict=False):
        numpy.testing.assert_allclose(gradient.numpy(), getattr(slopes, name), atol=FLOAT64 * 10, rtol=0, err_msg=name)


@pytest.mark.parametrize("reset", ["before", "after"])
def test_strides_do_not_matter(reset: Reset) -> None:
    weights = GRUWeights.random(3, 4, reset).map(torch.tensor)
    x, h0 = torch.randn(10, 2, 6, dtype=torch.float64), torch.randn(2, 8, dtype=torch.float64)
    sliced = gru_layer(x[::2, :, 1::2], h0[:, ::2], weights)
    dense = gru_layer(x[::2, :, 1::2].contiguous(), h0[:, ::2].contiguous(), weights)
    torch.testing.assert_close(sliced, dense, atol=FLOAT64, rtol=0)
