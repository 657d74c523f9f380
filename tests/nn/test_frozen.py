"""Weights that are promised not to change."""

from __future__ import annotations

import pytest
import torch

import gruworks
from gruworks.errors import OptionError
from gruworks.nn.recurrence import conditions

needs_kernel = pytest.mark.skipif(not conditions.AVAILABLE, reason="the native kernel does not run here")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16])
def test_results_are_the_same(dtype: torch.dtype) -> None:
    model = torch.nn.ModuleList([gruworks.GRU(5, 20, 2), gruworks.GRUCell(5, 20)]).to(dtype)
    x = torch.randn(6, 3, 5, dtype=dtype)
    with torch.no_grad():
        expected = model[0](x)[0], model[1](x[0])
        with gruworks.frozen(model) as same:
            assert same is model
            for _ in range(2):
                found = model[0](x)[0], model[1](x[0])
                torch.testing.assert_close(found, expected)


@needs_kernel
def test_a_change_takes_effect_at_the_end() -> None:
    gru, x = gruworks.GRU(5, 20), torch.randn(12, 3, 5)
    with torch.no_grad():
        with gruworks.frozen(gru):
            before = gru(x)[0]
            with gruworks.frozen(gru):  # within another
                gru.weight_hh_l0.zero_()
                gru.weight_ih_l0.zero_()
            assert torch.equal(gru(x)[0], before)
        after = gru(x)[0]
        assert not torch.allclose(after, before)
        with gruworks.frozen(gru):
            torch.testing.assert_close(gru(x)[0], after)


def test_gradients_follow_the_weights() -> None:
    cell, x = gruworks.GRUCell(5, 20), torch.randn(3, 5)
    with gruworks.frozen(cell):
        cell(x)
        with torch.no_grad():
            cell.weight_hh.mul_(2)
        cell(x).sum().backward()
    found = cell.weight_ih.grad
    cell.zero_grad()
    cell(x).sum().backward()
    assert found is not None
    assert cell.weight_ih.grad is not None
    torch.testing.assert_close(found, cell.weight_ih.grad)


def test_a_module_without_units_is_refused() -> None:
    with pytest.raises(OptionError, match="got Linear without any"), gruworks.frozen(torch.nn.Linear(2, 2)):
        pass
