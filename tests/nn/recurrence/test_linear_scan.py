"""The parallel scan against a loop: both work splits, every build, numerical precision."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
import torch
from torch.nn.functional import logsigmoid

from gruworks.errors import OptionError, ShapeError
from gruworks.nn.recurrence.linear_scan import log_scan, log_scan_in_torch
from gruworks.ops import scan as ops
from gruworks.ops.backend import backend
from tests.tolerances import FLOAT64

needs_kernel = pytest.mark.skipif(backend().name == "torch", reason=backend().reason)


def drawn(steps: int, *sizes: int, spread: float = 3.0) -> tuple[torch.Tensor, ...]:
    torch.manual_seed(0)
    a, b = (logsigmoid(spread * torch.randn(steps, *sizes, dtype=torch.float64)) for _ in range(2))
    return a, b, torch.randn(*sizes, dtype=torch.float64)


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


@needs_kernel
@pytest.mark.parametrize("share", ["columns", "steps"])
@pytest.mark.parametrize("columns", [1, 15, 17, 70])
@pytest.mark.parametrize(("dtype", "tolerance"), [(numpy.float64, 1e-12), (numpy.float32, 2e-6)])
def test_the_kernel_is_the_loop_in_every_build(
    build: str, share: Any, columns: int, dtype: Any, tolerance: float
) -> None:
    for steps in (0, 1, 2, 40, 701):
        inputs = [t.requires_grad_() for t in drawn(steps, columns)]
        true = looped(*inputs) if steps else inputs[0]
        grad = torch.randn(steps, columns, dtype=torch.float64)
        slopes = torch.autograd.grad((true * grad).sum(), inputs) if steps else [torch.zeros_like(t) for t in inputs]
        arrays = [t.detach().numpy().astype(dtype) for t in inputs]
        states = ops.log_scan(*arrays, threads=3, share=share)
        found = ops.log_scan_backward(*arrays, states, grad.numpy().astype(dtype), threads=3, share=share)
        for mine, truth in zip((states, *found), (true, *slopes), strict=True):
            assert mine.dtype == dtype
            numpy.testing.assert_allclose(mine, truth.detach().numpy(), atol=tolerance * 4, rtol=tolerance * 20)


@needs_kernel
def test_the_kernel_reaches_as_far_as_the_type_does(build: str) -> None:
    shut, far = numpy.full((3, 2), -numpy.inf), numpy.array([[-80.0, 80.0], [-86.0, 0.0], [-700.0, 0.0]])
    for dtype in (numpy.float32, numpy.float64):
        assert (ops.log_scan(shut.astype(dtype), shut.astype(dtype), numpy.ones(2, dtype)) == 0).all()
        found = ops.log_scan(shut.astype(dtype), far.astype(dtype), numpy.ones(2, dtype))
        expected = numpy.exp(far[:2])
        numpy.testing.assert_allclose(found[:2], expected, rtol=5e-7 if dtype is numpy.float32 else 1e-14)
        assert found[2, 0] == 0 if dtype is numpy.float32 else found[2, 0] > 0
    poisoned = ops.log_scan(numpy.zeros((2, 2)), numpy.array([[0.0, numpy.nan], [0.0, 0.0]]), numpy.zeros(2))
    assert numpy.isnan(poisoned).tolist() == [[False, True], [False, True]]


@needs_kernel
def test_the_operator_is_one_of_torchs() -> None:
    a, b, h0 = (t.requires_grad_() for t in drawn(9, 2, 3))
    torch.library.opcheck(torch.ops.gruworks.log_scan.default, (a, b, h0))
    assert torch.autograd.gradcheck(log_scan, (a, b, h0))
    assert torch.autograd.gradgradcheck(log_scan, (a, b, h0))
    compiled = torch.compile(lambda *given: 2 * log_scan(*given), fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(a, b, h0), 2 * log_scan_in_torch(a, b, h0))
    found = torch.autograd.grad(compiled(a, b, h0).sum(), (a, b, h0))
    for mine, true in zip(found, torch.autograd.grad(2 * log_scan_in_torch(a, b, h0).sum(), (a, b, h0)), strict=True):
        torch.testing.assert_close(mine, true)
    turned = a.transpose(1, 2)
    torch.testing.assert_close(log_scan(turned, turned, h0.T), log_scan_in_torch(turned, turned, h0.T))


def test_transforms_take_the_torch_form() -> None:
    a, b, h0 = drawn(5, 2, 3)
    many = torch.stack([a, 2 * a])
    torch.testing.assert_close(
        torch.vmap(lambda one: log_scan(one, b, h0))(many), torch.stack([log_scan(one, b, h0) for one in many])
    )
    _, tangent = torch.func.jvp(lambda one: log_scan(a, b, one), (h0,), (torch.ones_like(h0),))
    torch.testing.assert_close(tangent, a.cumsum(0).exp())


def test_what_does_not_fit_is_named() -> None:
    a, b, h0 = drawn(5, 2, 3)
    with pytest.raises(ShapeError, match="log_a and log_b"):
        log_scan(a, b[1:], h0)
    with pytest.raises(OptionError, match="share must be one of"):
        ops.log_scan(a[:, 0].numpy(), b[:, 0].numpy(), h0[0].numpy(), share="rows")  # type: ignore[arg-type]
