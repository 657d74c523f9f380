"""Extreme states and inputs: torch's numbers, NaN and infinity; gradients too."""

from __future__ import annotations

import itertools
from typing import Any

import numpy
import pytest
import torch
from torch import Tensor

import gruworks
from gruworks.nn import functional
from gruworks.nn.recurrence import conditions, fallback
from gruworks.ops.activations import Unit
from gruworks.ops.operands import Operands
from gruworks.ops.stream import GRUStream
from gruworks.ops.weights import GRUWeights

if not conditions.AVAILABLE:
    pytest.skip("the native kernel does not run here", allow_module_level=True)

INF, NAN = float("inf"), float("nan")
I = 3  # noqa: E741 (the field's letter)


def values(dtype: torch.dtype) -> tuple[float, ...]:
    return 20.0, 88.5, 105.0, 1e30, torch.finfo(dtype).max / 4, torch.finfo(dtype).max, INF, NAN


def same(found: Any, expected: Any, what: str, size: float) -> None:
    """Equal to some units in the last place of numbers of this size; more for exponentials of large arguments."""
    single = expected.dtype == torch.float32
    torch.testing.assert_close(
        found, expected, rtol=1e-5 if single else 1e-10, atol=(1e-6 if single else 1e-12) * min(200.0, size),
        equal_nan=True, msg=lambda text: f"{what}: {text}",
    )  # fmt: skip


def twins(H: int, dtype: torch.dtype, layer: str) -> tuple[Any, Any]:
    """Ours and torch's with the same weights: of the state's, one in each row and none negative, so that no sum meets
    infinities of both signs or depends on its order."""
    torch.manual_seed(H)
    ours, theirs = getattr(gruworks, layer)(I, H, dtype=dtype), getattr(torch.nn, layer)(I, H, dtype=dtype)
    with torch.no_grad():
        for name, p in ours.named_parameters():
            if name.startswith("weight"):
                p.copy_(p.sign() * 0.5)
                p[:, 1:] *= p[:, :1].sign() * p[:, 1:].sign()
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


def compare(ours: Any, theirs: Any, x: Tensor, h: Tensor, what: str, size: float) -> None:
    found = []
    for net in (ours, theirs):
        leaves = [x.clone().requires_grad_(), h.clone().requires_grad_(), *net.parameters()]
        result = net(*leaves[:2])
        output = result[0] if isinstance(result, tuple) else result
        grads = torch.autograd.grad(output, leaves, torch.full_like(output, 0.5))
        with torch.no_grad():
            alone = net(x, h)
        found.append((output, alone[0] if isinstance(alone, tuple) else alone, *grads))
    names = ("output", "output without gradients", "x", "h", "w_ih", "w_hh", "b_ih", "b_hh")
    for name, mine, other in zip(names, *found, strict=True):
        same(mine.detach(), other.detach(), f"{what}, {name}", size)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("H", [1, 5, 16, 33])
def test_inputs(build: str, H: int, dtype: torch.dtype) -> None:
    ours, theirs = twins(H, dtype, "GRU")
    for T, B, value, sign in itertools.product((1, 12), (1, 3), values(dtype), (1, -1)):
        x = torch.zeros(T, B, I, dtype=dtype)
        x[T // 2, B // 2, 1] = sign * value
        compare(ours, theirs, x, torch.full((1, B, H), 0.25, dtype=dtype), f"T {T}, B {B}, x {sign * value}", value)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("H", [1, 5, 16, 33])
@pytest.mark.parametrize("layer", ["GRU", "GRUCell"])
def test_states(build: str, layer: str, H: int, dtype: torch.dtype) -> None:
    ours, theirs = twins(H, dtype, layer)
    for B, value, sign in itertools.product((1, 9), values(dtype), (1, -1)):
        h = torch.zeros(B, H, dtype=dtype)
        h[B // 2, H // 2] = sign * value
        x = torch.full((B, I), 0.5, dtype=dtype)
        if layer == "GRU":
            x, h = x[None].repeat(2, 1, 1), h[None]
        compare(ours, theirs, x, h, f"B {B}, h {sign * value}", value)


def equations_of(x: Tensor, h: Tensor, w: GRUWeights) -> Tensor:
    return fallback.by_equations(Operands(x[None], None, h, *w.arrays()), Unit(before=True), False)[1]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("rows", [1, 9])
def test_the_form_before(build: str, dtype: torch.dtype, rows: int) -> None:
    for H, value, sign in itertools.product((5, 33), values(dtype), (1, -1)):
        ours, _ = twins(H, dtype, "GRUCell")
        w = GRUWeights(*(p.detach() for p in ours.parameters()), reset="before")
        for x_value, h_value in ((sign * value, 0.25), (0.5, sign * value)):
            x, h = torch.zeros(rows, I, dtype=dtype), torch.zeros(rows, H, dtype=dtype)
            x[rows // 2, 1], h[rows // 2, H // 2] = x_value, h_value
            found = []
            for step in (functional.step, equations_of):
                leaves = [t.clone().requires_grad_() for t in (x, h)]
                state = step(*leaves, w)
                found.append((state.detach(), *torch.autograd.grad(state, leaves, torch.full_like(state, 0.5))))
            for name, mine, other in zip(("state", "x", "h"), *found, strict=True):
                same(mine, other, f"H {H}, x {x_value}, h {h_value}, {name}", value)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gates_reach_their_limits(build: str, dtype: torch.dtype) -> None:
    for H in (1, 7, 16, 40):
        for value in (40.0, 800.0, torch.finfo(dtype).max, INF):
            gi, gh, h = (torch.zeros(2, n * H, dtype=dtype) for n in (3, 3, 1))
            gi[:, H : 2 * H], gi[:, 2 * H :] = -value, value  # z = 0, n = 1
            assert (functional.new_state(gi, gh, h) == 1).all()
            gi[:, 2 * H :] = -value
            assert (functional.new_state(gi, gh, h) == -1).all()
            gi[:, H : 2 * H], h[...] = value, torch.finfo(dtype).max  # z = 1: the state stays
            assert (functional.new_state(gi, gh, h) == h).all()


@pytest.mark.parametrize("sessions", [1, 5])
@pytest.mark.parametrize("precision", ["float32", "bfloat16", "int8"])
def test_streams(build: str, precision: Any, sessions: int) -> None:
    for H, value in itertools.product((5, 33), (88.5, 1e30, 3e38, INF, -INF)):
        ours, theirs = twins(H, torch.float32, "GRUCell")
        weights = GRUWeights(*(p.detach().numpy() for p in ours.parameters()))
        stream = GRUStream(weights, sessions, precision=precision)
        x = numpy.full((sessions, I), 0.5, numpy.float32)
        x[:, 1] = value
        if precision == "int8" and abs(value) == INF:
            assert numpy.isnan(stream.step(x)[0]).any() or numpy.isfinite(stream.step(x)).all()
            continue
        with torch.no_grad():
            expected = theirs(torch.from_numpy(x))
        tolerance = 1e-5 if precision == "float32" else 0.02
        numpy.testing.assert_allclose(stream.step(x), expected.numpy(), atol=tolerance, rtol=tolerance)
