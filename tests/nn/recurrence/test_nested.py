"""Nested (jagged) tensors in and out: against each row by itself."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from gruworks import GRU
from gruworks.errors import DtypeError, OptionError

LENGTHS = (4, 1, 6)


def jagged(rows: list[torch.Tensor]) -> Any:
    return torch.nested.nested_tensor(rows, layout=torch.jagged)


@pytest.mark.parametrize("form", [{}, {"reset": "before"}, {"num_layers": 2, "bidirectional": True}])
def test_rows_are_those_of_single_calls(form: Any) -> None:
    torch.manual_seed(0)
    gru = GRU(3, 5, batch_first=True, **form)
    rows = [torch.randn(n, 3) for n in LENGTHS]
    h0 = torch.randn(gru.num_layers * gru.directions, 3, 5)
    output, h_n = gru(jagged(rows), h0)
    assert output.is_nested
    assert output.layout is torch.jagged
    for b, (row, found) in enumerate(zip(rows, output.unbind(), strict=True)):
        true, final = gru(row, h0[:, b])
        torch.testing.assert_close(found, true)
        torch.testing.assert_close(h_n[:, b], final)


def test_gradients_reach_the_rows() -> None:
    gru, rows = GRU(3, 5, batch_first=True), [torch.randn(n, 3, requires_grad=True) for n in LENGTHS]
    output, h_n = gru(torch.nested.as_nested_tensor(rows, layout=torch.jagged))
    (output.values().square().sum() + h_n.sum()).backward()
    for row in rows:
        own = row.detach().clone().requires_grad_()
        output, h_n = gru(own)
        (output.square().sum() + h_n.sum()).backward()
        torch.testing.assert_close(row.grad, own.grad)


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_other_nested_tensors_are_named() -> None:
    gru, rows = GRU(3, 5, batch_first=True), [torch.randn(n, 3) for n in LENGTHS]
    with pytest.raises(OptionError, match="carries its own lengths"):
        gru(jagged(rows), lengths=[4, 1, 6])
    with pytest.raises(DtypeError, match=r"must be \[B, j, I\]"):
        gru(jagged(rows).transpose(1, 2))
    with pytest.raises(DtypeError, match="make it with batch_first=True"):
        GRU(3, 5)(jagged(rows))
    with pytest.raises(DtypeError, match="nested"):
        gru(torch.nested.nested_tensor(rows))
    options: dict[str, Any] = {
        "resets": torch.zeros(3, 6), "reset_state": torch.zeros(1, 3, 5), "return_all_layers": True,
    }  # fmt: skip
    for name, value in options.items():
        with pytest.raises(OptionError, match=f"{name} doesn't go with a nested tensor"):
            gru(jagged(rows), **{name: value})
    every = GRU(3, 5, batch_first=True, return_all_layers=True)
    with pytest.raises(OptionError, match="return_all_layers doesn't go"):
        every(jagged(rows))
    assert every(jagged(rows), return_all_layers=False)[0].is_nested


def test_rows_begin_with_the_learnt_state() -> None:
    gru, rows = GRU(3, 5, batch_first=True, learn_initial_state=True), [torch.randn(n, 3) for n in LENGTHS]
    torch.nn.init.normal_(gru.initial_state)
    for found, row in zip(gru(jagged(rows))[0].unbind(), rows, strict=True):
        torch.testing.assert_close(found, gru(row)[0])
    with pytest.raises(DtypeError, match="make it with batch_first=True"):
        GRU(3, 5, learn_initial_state=True)(jagged(rows))
