"""Reference equations against the four lines of the definition, torch, and finite differences."""

from __future__ import annotations

import numpy
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gruworks.ops import equations
from gruworks.ops.weights import GRUWeights, Reset
from tests.tolerances import FINITE_DIFFERENCES, FLOAT64

sizes = st.integers(1, 7)
resets = st.sampled_from(["before", "after"])


def logistic(a: numpy.ndarray) -> numpy.ndarray:
    return 1 / (1 + numpy.exp(-a))


def page_step(x: numpy.ndarray, h: numpy.ndarray, w: GRUWeights) -> numpy.ndarray:
    """The four lines of the definition with explicit concatenation: one row of the batch, matrices [H, H + I]."""
    H = len(h)
    W_r, W_z_keeps, W = (numpy.concatenate([w.w_hh[i * H :][:H], w.w_ih[i * H :][:H]], 1) for i in range(3))
    b_r, b_z_keeps, b = (w.b_ih[i * H :][:H] + w.b_hh[i * H :][:H] for i in range(3))
    W_z, b_z = -W_z_keeps, -b_z_keeps
    z = logistic(W_z @ numpy.concatenate([h, x]) + b_z)
    r = logistic(W_r @ numpy.concatenate([h, x]) + b_r)
    n = numpy.tanh(W @ numpy.concatenate([r * h, x]) + b)
    return (1 - z) * h + z * n


@given(inputs=sizes, hidden=sizes, seed=st.integers(0, 99))
def test_step_is_the_four_lines(inputs: int, hidden: int, seed: int) -> None:
    weights = GRUWeights.random(inputs, hidden, "before", seed=seed)
    rng = numpy.random.default_rng(seed)
    x, h = rng.normal(size=inputs), rng.normal(size=hidden)
    ours = equations.step(equations.input_projections(x[None], weights), h[None], weights)[0]
    numpy.testing.assert_allclose(ours, page_step(x, h, weights), atol=FLOAT64, rtol=0)


def test_gates_are_what_step_uses() -> None:
    weights = GRUWeights.random(2, 3, "before")
    gi, h = numpy.ones((1, 9)), numpy.full((1, 3), 0.5)
    r, z, n = equations.gates(gi, h, weights)
    assert all(((a > low) & (a < 1)).all() for a, low in ((r, 0), (z, 0), (n, -1)))
    numpy.testing.assert_array_equal(equations.step(gi, h, weights), (1 - z) * h + z * n)


@given(T=sizes, B=sizes, inputs=sizes, hidden=sizes, bias=st.booleans(), reverse=st.booleans(), seed=st.integers(0, 99))
def test_the_after_form_is_torchs(
    T: int, B: int, inputs: int, hidden: int, bias: bool, reverse: bool, seed: int
) -> None:
    weights = GRUWeights.random(inputs, hidden, bias=bias, seed=seed)
    rng = numpy.random.default_rng(seed)
    x, h0 = rng.normal(size=(T, B, inputs)), rng.normal(size=(B, hidden))
    ours = equations.sequence(x, h0, weights, reverse=reverse)
    gru = torch.nn.GRU(inputs, hidden, bias=bias).double()
    gru.load_state_dict({name: torch.tensor(array) for name, array in weights.to_state_dict().items()})
    order = slice(None, None, -1) if reverse else slice(None)
    output, final = gru(torch.tensor(x[order].copy()), torch.tensor(h0[None]))
    numpy.testing.assert_allclose(ours.output, output.detach().numpy()[order], atol=FLOAT64, rtol=0)
    numpy.testing.assert_allclose(ours.final, final[0].detach().numpy(), atol=FLOAT64, rtol=0)


@given(
    T=st.integers(0, 6), B=st.integers(0, 5), inputs=sizes, hidden=sizes, bias=st.booleans(), reset=resets,
    reverse=st.booleans(), ragged=st.booleans(), seed=st.integers(0, 99),
)  # fmt: skip
def test_backward_is_torchs_autograd_of_the_same_text(
    T: int, B: int, inputs: int, hidden: int, bias: bool, reset: Reset, reverse: bool, ragged: bool, seed: int
) -> None:
    weights = GRUWeights.random(inputs, hidden, reset, bias, seed)
    rng = numpy.random.default_rng(seed)
    x, h0 = rng.normal(size=(T, B, inputs)), rng.normal(size=(B, hidden))
    lengths = rng.integers(0, T + 1, B) if ragged else None
    grad_output, grad_final = rng.normal(size=(T, B, hidden)), rng.normal(size=(B, hidden))
    ours = equations.backward(x, h0, weights, grad_output, grad_final, lengths, reverse)

    leaves = weights.map(lambda array: torch.tensor(array, requires_grad=True))
    tx, th0 = torch.tensor(x, requires_grad=True), torch.tensor(h0, requires_grad=True)
    ends = None if lengths is None else torch.tensor(lengths)
    output, final = equations.sequence(tx, th0, leaves, ends, reverse, xp=torch)
    loss = (output * torch.tensor(grad_output)).sum() + (final * torch.tensor(grad_final)).sum()
    given_leaves = [tx, th0, *(leaf for leaf in leaves.arrays() if leaf is not None)]
    theirs = torch.autograd.grad(loss, given_leaves, allow_unused=True, materialize_grads=True)
    for name, expected in zip(ours._fields, theirs, strict=False):
        numpy.testing.assert_allclose(getattr(ours, name), expected.numpy(), atol=FLOAT64 * 10, rtol=0, err_msg=name)
    if not bias:
        assert ours.b_ih is None
        assert ours.b_hh is None


@pytest.mark.parametrize("reset", ["before", "after"])
@pytest.mark.parametrize("reverse", [False, True])
def test_backward_agrees_with_finite_differences(reset: Reset, reverse: bool) -> None:
    T, B, inputs, hidden = 4, 3, 2, 3
    rng = numpy.random.default_rng(1)
    lengths = numpy.array([4, 2, 0])
    weights = GRUWeights.random(inputs, hidden, reset, seed=1)
    values = {"x": rng.normal(size=(T, B, inputs)), "h0": rng.normal(size=(B, hidden))}
    values |= {name: getattr(weights, name) for name in ("w_ih", "w_hh", "b_ih", "b_hh")}
    grad_output, grad_final = rng.normal(size=(T, B, hidden)), rng.normal(size=(B, hidden))

    def loss(named: dict[str, numpy.ndarray]) -> float:
        own = {name: array for name, array in named.items() if name not in ("x", "h0")}
        run = equations.sequence(named["x"], named["h0"], GRUWeights(**own, reset=reset), lengths, reverse)
        return float((run.output * grad_output).sum() + (run.final * grad_final).sum())

    gradients = equations.backward(values["x"], values["h0"], weights, grad_output, grad_final, lengths, reverse)
    for name, array in values.items():
        for index in numpy.ndindex(array.shape):
            shifted = [{**values, name: array.copy()} for _ in range(2)]
            shifted[0][name][index] += 1e-5
            shifted[1][name][index] -= 1e-5
            slope = (loss(shifted[0]) - loss(shifted[1])) / 2e-5
            assert abs(getattr(gradients, name)[index] - slope) < FINITE_DIFFERENCES, (name, index)


@pytest.mark.parametrize("reset", ["before", "after"])
@pytest.mark.parametrize("xp", [numpy, torch])
def test_padding_never_reaches_a_result(reset: Reset, xp: object) -> None:
    weights = GRUWeights.random(2, 3, reset)
    x = numpy.random.default_rng(0).normal(size=(5, 3, 2))
    poisoned = x.copy()
    poisoned[3:, 1], poisoned[:, 2] = numpy.nan, numpy.inf
    h0 = numpy.random.default_rng(1).normal(size=(3, 3))
    lengths = numpy.array([5, 3, 0])
    if xp is torch:
        cast = weights.map(torch.tensor)
        run = equations.sequence(torch.tensor(poisoned), torch.tensor(h0), cast, torch.tensor(lengths), xp=torch)
        output, final = run.output.numpy(), run.final.numpy()
    else:
        output, final = equations.sequence(poisoned, h0, weights, lengths)
    alone = equations.sequence(x[:3, 1:2], h0[1:2], weights)
    numpy.testing.assert_allclose(output[:3, 1:2], alone.output, atol=FLOAT64)
    numpy.testing.assert_allclose(final[1:2], alone.final, atol=FLOAT64)
    assert (output[3:, 1] == 0).all()
    assert (output[:, 2] == 0).all()
    numpy.testing.assert_array_equal(final[2], h0[2])


def test_reverse_runs_each_row_from_its_own_end() -> None:
    weights = GRUWeights.random(2, 3)
    x, h0 = numpy.random.default_rng(0).normal(size=(5, 1, 2)), numpy.ones((1, 3))
    ragged = equations.sequence(x, h0, weights, numpy.array([3]), reverse=True)
    flipped = equations.sequence(x[2::-1], h0, weights)
    numpy.testing.assert_allclose(ragged.output[:3], flipped.output[::-1], atol=FLOAT64)
    numpy.testing.assert_allclose(ragged.final, flipped.final, atol=FLOAT64)


@pytest.mark.parametrize(("T", "B"), [(0, 2), (3, 0), (0, 0)])
def test_empty_sequences_return_h0(T: int, B: int) -> None:
    weights = GRUWeights.random(2, 3)
    h0 = numpy.ones((B, 3))
    run = equations.sequence(numpy.zeros((T, B, 2)), h0, weights)
    assert run.output.shape == (T, B, 3)
    assert run.final.shape == (B, 3)
    if T == 0:
        numpy.testing.assert_array_equal(run.final, h0)


def test_large_inputs_stay_finite() -> None:
    weights = GRUWeights.random(1, 2)
    run = equations.sequence(numpy.full((3, 1, 1), 1e6), numpy.zeros((1, 2)), weights)
    assert numpy.isfinite(run.output).all()
