"""Calls without packed weights notice every change of the weights."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from gruworks import GRU, GRUCell
from gruworks.nn.recurrence import conditions, fallback
from gruworks.ops.activations import Unit
from gruworks.ops.operands import Operands
from tests import tolerances

if not conditions.AVAILABLE:
    pytest.skip("the native kernel does not run here", allow_module_level=True)


def copied(layer: Any) -> Any:
    other = type(layer)(layer.input_size, layer.hidden_size, reset=layer.reset, dtype=layer.weight_hh.dtype)
    other.load_state_dict(layer.state_dict())
    return other


@pytest.mark.parametrize("reset", ["after", "before"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_every_write_is_seen(build: str, reset: Any, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    cell = GRUCell(5, 19, reset=reset, dtype=dtype)
    x, h = torch.randn(1, 5, dtype=dtype), torch.randn(1, 19, dtype=dtype)
    cell(x, h)
    for write in (
        lambda: cell.weight_hh.data.view(-1)[[3, 200]].neg_(),
        lambda: cell.weight_ih.data.mul_(2),
        lambda: cell.weight_hh.detach().numpy().__setitem__((7, 2), 0.75),
        lambda: cell.bias_hh.detach().numpy().__iadd__(1),
        lambda: cell.weight_hh.data.copy_(cell.weight_hh.data.flip(1)),
    ):
        write()
        after = cell(x, h)
        cell.zero_grad()
        after.sum().backward()
        other = copied(cell)
        expected = other(x, h)
        expected.sum().backward()
        torch.testing.assert_close(after, expected, atol=0, rtol=0)
        for mine, theirs in zip(cell.parameters(), other.parameters(), strict=True):
            torch.testing.assert_close(mine.grad, theirs.grad, atol=0, rtol=0)


def test_a_write_between_forward_and_backward_is_refused(build: str) -> None:
    for layer, x in ((GRUCell(3, 4), torch.randn(1, 3)), (GRU(3, 4), torch.randn(1, 1, 3))):
        result = layer(x)
        output = result[0] if isinstance(result, tuple) else result
        with torch.no_grad():
            next(layer.parameters()).mul_(2)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            output.sum().backward()


@pytest.mark.parametrize("reset", ["after", "before"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("threads", [1, 2])
def test_few_steps_are_the_equations(build: str, threads: int, dtype: torch.dtype, reset: Any) -> None:
    torch.manual_seed(0)
    earlier = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        for T, B, I, H in ((1, 1, 1, 1), (1, 1, 4, 4), (1, 3, 70, 33), (2, 2, 17, 16), (4, 1, 9, 40), (1, 2, 300, 310)):  # noqa: E741
            gru = GRU(I, H, reset=reset, dtype=dtype)
            leaves = [torch.randn(T, B, I, dtype=dtype), torch.randn(1, B, H, dtype=dtype)]
            check(gru, [t.requires_grad_() for t in leaves], 10 if dtype == torch.float32 else 100)
    finally:
        torch.set_num_threads(earlier)


def check(gru: GRU, leaves: list[Tensor], factor: float) -> None:
    wide = GRU(gru.input_size, gru.hidden_size, reset=gru.reset, dtype=torch.float64)
    wide.load_state_dict(gru.state_dict())
    found = []
    for layer in (gru, wide):
        own = [t.detach().to(layer.weight_hh_l0.dtype).requires_grad_() for t in leaves]
        if layer is gru:
            output = gru(*own)[0]
        else:
            o = Operands(own[0], None, own[1][0], *wide.weights().arrays())
            output = fallback.by_equations(o, Unit(gru.reset == "before"), False)[0]
        grads = torch.autograd.grad((output * output.detach().cos()).sum(), [*own, *layer.parameters()])
        found.append([output.detach(), *grads])
        if layer is gru:
            with torch.no_grad():
                torch.testing.assert_close(gru(*own)[0], output, atol=tolerances.FLOAT32_OUTPUT, rtol=0)
    tolerance = factor * (tolerances.FLOAT32_OUTPUT if gru.weight_hh_l0.dtype == torch.float32 else tolerances.FLOAT64)
    for mine, true in zip(*found, strict=True):
        torch.testing.assert_close(mine.double(), true, atol=tolerance, rtol=tolerance)
