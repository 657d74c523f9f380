"""Other activations of candidate and gates: against a plain loop of torch functions, in every way of computing them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import numpy
import pytest
import torch
from torch import Tensor

import gruworks
from gruworks import GRU, GRUCell
from gruworks.errors import OptionError, WeightsError
from gruworks.nn.functional import gru_layer, step
from gruworks.ops import GRUStream, equations, recurrence
from gruworks.ops.activations import CandidateActivation, GateActivation, activation, derivative
from gruworks.ops.backend import backend, native
from gruworks.ops.weights import GRUWeights
from tests.tolerances import FLOAT32_OUTPUT, FLOAT64

T, B, I, H = 7, 3, 4, 18  # noqa: E741 (the field's letters)
TORCHS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid, "linear": lambda a: a,
    "hard_sigmoid": lambda a: torch.nn.functional.relu6(a + 3) / 6, "softsign": torch.nn.functional.softsign,
}  # fmt: skip
UNITS = [
    (c, g) for g in get_args(GateActivation) for c in get_args(CandidateActivation) if (c, g) != ("tanh", "sigmoid")
]
BUILDS = native.builds() if backend().name != "torch" else []


def loop(gru: GRU, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
    """The equations, step by step."""
    w, gate, candidate, rows = gru.weights(), TORCHS[gru.gate_activation], TORCHS[gru.candidate_activation], []
    for step_input in x:
        i_r, i_z, i_n = (step_input @ w.w_ih.T + w.b_ih).chunk(3, -1)
        h_r, h_z, h_n = (h @ w.w_hh.T + w.b_hh).chunk(3, -1)
        r, z = gate(i_r + h_r), gate(i_z + h_z)
        W_n, b_n = w.w_hh.chunk(3)[2], w.b_hh.chunk(3)[2]
        n = candidate(i_n + ((r * h) @ W_n.T + b_n if gru.reset == "before" else r * h_n))
        h = (1 - z) * n + z * h
        rows.append(h)
    return torch.stack(rows), h


def compare(gru: GRU, found: Any, expected: Any, leaves: list[Tensor]) -> None:
    results = []
    for output, final in (found, expected):
        loss = (output * torch.arange(output.numel()).reshape(output.shape).sin()).sum() + final.square().sum()
        results.append((output, final, *torch.autograd.grad(loss, [*leaves, *gru.parameters()])))
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(a, b, rtol=10 * FLOAT64, atol=10 * FLOAT64)


def wide(reset: Any, candidate: Any, gate: Any, dtype: torch.dtype = torch.float64) -> GRU:
    """A layer with weights so large that hard sigmoids saturate."""
    torch.manual_seed(0)
    gru = GRU(I, H, reset=reset, candidate_activation=candidate, gate_activation=gate, dtype=dtype)
    with torch.no_grad():
        for parameter in gru.parameters():
            parameter.mul_(4 if candidate != "linear" else 2)
    return gru


@pytest.mark.parametrize("reset", ["after", "before"])
@pytest.mark.parametrize(("candidate", "gate"), UNITS)
def test_results_and_gradients_are_the_loops(reset: str, candidate: str, gate: str) -> None:
    gru = wide(reset, candidate, gate)
    x, h = torch.randn(T, B, I, dtype=torch.float64), torch.randn(B, H, dtype=torch.float64)
    x.requires_grad_(), h.requires_grad_()
    output, final = gru(x, h[None])
    compare(gru, (output, final[0]), loop(gru, x, h), [x, h])
    assert gruworks.explain(gru, x, h[None])[0].chosen.name != "fast path"


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("reset", ["after", "before"])
def test_every_build(build: str, reset: str) -> None:
    before = native.build()
    native.choose_build(build)
    try:
        for candidate, gate in UNITS:
            gru = wide(reset, candidate, gate)
            x, h = torch.randn(T, B, I, dtype=torch.float64), torch.randn(B, H, dtype=torch.float64)
            x.requires_grad_(), h.requires_grad_()
            output, final = gru(x, h[None])
            compare(gru, (output, final[0]), loop(gru, x, h), [x, h])
            small = wide(reset, candidate, gate, torch.float32)
            with torch.no_grad():
                for parameter in small.parameters():
                    parameter.div_(4)
            found, _ = small(x.float(), h[None].float())
            torch.testing.assert_close(found, loop(small, x.float(), h.float())[0], rtol=0, atol=FLOAT32_OUTPUT)
    finally:
        native.choose_build(before)


@pytest.mark.parametrize("reset", ["after", "before"])
@pytest.mark.parametrize(("candidate", "gate"), UNITS)
def test_the_reference_and_numpy(reset: Any, candidate: Any, gate: Any) -> None:
    gru = wide(reset, candidate, gate)
    x, h = torch.randn(T, B, I, dtype=torch.float64), torch.randn(B, H, dtype=torch.float64)
    weights = gru.weights().map(lambda t: t.detach().numpy())
    assert weights.candidate_activation == candidate, "a map keeps the activations"
    output, final = loop(gru, x, h)
    true = equations.sequence(x.numpy(), h.numpy(), weights)
    numpy.testing.assert_allclose(true.output, output.detach(), rtol=0, atol=10 * FLOAT64)
    grads = numpy.random.default_rng(0).standard_normal((T, B, H)), numpy.random.default_rng(1).standard_normal((B, H))
    exact = equations.backward(x.numpy(), h.numpy(), weights, *grads)
    leaves = list(gru.parameters())
    expected = torch.autograd.grad([output, final], leaves, [torch.tensor(g) for g in grads])
    for name, one in zip(("w_ih", "w_hh", "b_ih", "b_hh"), expected, strict=True):
        scale = max(1.0, float(one.abs().max()))
        numpy.testing.assert_allclose(getattr(exact, name) / scale, one / scale, rtol=0, atol=10 * FLOAT64)
    if not BUILDS:
        return
    found, _ = recurrence.forward(weights, x=x.numpy(), h0=h.numpy())
    numpy.testing.assert_allclose(found, true.output, rtol=0, atol=10 * FLOAT64)
    stream = GRUStream(weights, sessions=B)
    stream.state = h.numpy()
    for t in range(T):
        numpy.testing.assert_allclose(stream.step(x[t].numpy()), found[t], rtol=0, atol=10 * FLOAT64)
    with pytest.raises(WeightsError, match=f"candidate_activation='{candidate}'"):
        GRUStream(weights.astype(numpy.float32), precision="int8")


def test_cells_functions_and_transforms() -> None:
    gru = wide("after", "relu", "hard_sigmoid")
    cell = GRUCell(I, H, candidate_activation="relu", gate_activation="hard_sigmoid", dtype=torch.float64)
    cell.load_state_dict({name.removesuffix("_l0"): value for name, value in gru.state_dict().items()})
    x, h = torch.randn(T, B, I, dtype=torch.float64), torch.randn(B, H, dtype=torch.float64)
    expected, _ = loop(gru, x, h)
    torch.testing.assert_close(cell(x[0], h), expected[0])
    torch.testing.assert_close(step(x[0], h, gru.weights()), expected[0])
    torch.testing.assert_close(gru_layer(x, h, gru.weights())[0], expected)
    many = torch.randn(2, T, B, I, dtype=torch.float64)
    mapped = torch.func.vmap(lambda one: gru_layer(one, h, gru.weights())[0])(many)
    torch.testing.assert_close(mapped, torch.stack([loop(gru, one, h)[0] for one in many]))
    compiled = torch.compile(gru, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x, h[None])[0], expected)
    smooth = wide("before", "softsign", "sigmoid")
    given = torch.randn(3, 2, I, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda x: smooth(x)[0], (given,))


def test_layer_norm_and_regularization_take_them() -> None:
    gru = GRU(
        I, H, layer_norm=True, zoneout=0.2, reset="before", candidate_activation="relu", gate_activation="hard_sigmoid",
        dtype=torch.float64,
    ).eval()  # fmt: skip
    x = torch.randn(T, B, I, dtype=torch.float64)
    weights = [p.detach() for p in gru.parameters()]
    w = GRUWeights(*weights[:4], reset="before", candidate_activation="relu", gate_activation="hard_sigmoid")
    zoneout = torch.full((T, B, H), 0.2, dtype=torch.float64)
    true = equations.sequence(
        x, x.new_zeros(B, H), w, xp=torch, zoneout=zoneout, input_gain=weights[4], gain=weights[5]
    )
    torch.testing.assert_close(gru(x)[0].detach(), true.output)


def test_a_state_dict_says_its_activations() -> None:
    relu, plain = GRU(I, H, candidate_activation="relu", gate_activation="hard_sigmoid"), GRU(I, H)
    assert {"candidate_activation_relu", "gate_activation_hard_sigmoid"} <= relu.state_dict().keys()
    GRU(I, H, candidate_activation="relu", gate_activation="hard_sigmoid").load_state_dict(relu.state_dict())
    with pytest.raises(
        WeightsError, match="reset='after', candidate_activation='relu', gate_activation='hard_sigmoid'"
    ):
        plain.load_state_dict(relu.state_dict())
    with pytest.raises(WeightsError, match="holds weights of the reset='after' form and this GRU is"):
        relu.load_state_dict(plain.state_dict())
    with pytest.raises(RuntimeError, match="candidate_activation_relu"):
        torch.nn.GRU(I, H).load_state_dict(relu.state_dict())
    assert repr(relu) == f"GRU({I}, {H}, candidate_activation='relu', gate_activation='hard_sigmoid')"
    with pytest.raises(OptionError, match=r"torch.jit.script.*candidate_activation='relu'"):
        torch.jit.script(relu)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(OptionError, match=r"candidate_activation must be one of tanh, relu.*not 'swish'"):
        GRU(I, H, candidate_activation="swish")  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="gate_activation must be one of sigmoid, hard_sigmoid, not 'tanh'"):
        GRUCell(I, H, gate_activation="tanh")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", get_args(CandidateActivation))
def test_values_and_derivatives(name: str) -> None:
    a = torch.tensor([-9.0, -1.5, -0.5, 0.0, 0.5, 1.5, 9.0], dtype=torch.float64, requires_grad=True)
    for found in (activation(name, a, torch), torch.tensor(activation(name, a.detach().numpy()))):
        torch.testing.assert_close(found, TORCHS[name](a).to(found))
    (slope,) = torch.autograd.grad(TORCHS[name](a).sum(), a)
    numpy.testing.assert_allclose(derivative(name, activation(name, a.detach().numpy())), slope, atol=1e-12)
