"""Outputs of all layers, and a learnt initial state."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn.utils.rnn import pack_sequence

import gruworks
from gruworks import GRU, GRUCell
from gruworks.errors import OptionError
from gruworks.interop.torch import as_stack, from_module, to_module
from tests.tolerances import FLOAT64

T, B, I, H = 6, 3, 2, 5  # noqa: E741 (the field's letters)
FORMS: list[dict[str, Any]] = [{}, {"bidirectional": True}, {"reset": "before"}, {"num_layers": 1}]


def stack(**form: Any) -> GRU:
    torch.manual_seed(0)
    return GRU(I, H, **{"num_layers": 3, "dtype": torch.float64, **form})


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("lengths", [None, [6, 2, 4]])
def test_each_layer_reads_the_one_below(form: dict[str, Any], lengths: list[int] | None) -> None:
    gru, x = stack(**form), torch.randn(T, B, I, dtype=torch.float64)
    outputs, final = gru(x, lengths=lengths, return_all_layers=True)
    expected, last = gru(x, lengths=lengths)
    D = gru.directions
    assert outputs.shape == (gru.num_layers, T, B, D * H)
    torch.testing.assert_close(outputs[-1], expected, atol=FLOAT64, rtol=0)
    torch.testing.assert_close(final, last, atol=FLOAT64, rtol=0)
    for layer in range(1, gru.num_layers):
        above = GRU(D * H, H, dtype=torch.float64, **{**form, "num_layers": 1})
        own = {name.replace(f"_l{layer}", "_l0"): p for name, p in gru.state_dict().items() if f"_l{layer}" in name}
        above.load_state_dict({**above.state_dict(), **own})
        torch.testing.assert_close(above(outputs[layer - 1], lengths=lengths)[0], outputs[layer], atol=FLOAT64, rtol=0)


def test_layouts_and_the_modules_setting() -> None:
    gru, x = stack(return_all_layers=True, batch_first=True), torch.randn(B, T, I, dtype=torch.float64)
    outputs, _ = gru(x)
    assert outputs.shape == (3, B, T, H)
    torch.testing.assert_close(gru(x[0])[0], outputs[:, 0])
    torch.testing.assert_close(gru(x, return_all_layers=False)[0], outputs[-1])
    assert "return_all_layers=True" in repr(gru)
    with pytest.raises(OptionError, match="PackedSequence has no axis of layers"):
        gru(pack_sequence([x[0]]))
    compiled = torch.compile(gru, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x)[0], outputs)


@pytest.mark.parametrize("form", FORMS)
def test_a_learnt_initial_state_is_hx(form: dict[str, Any]) -> None:
    gru, x = stack(learn_initial_state=True, **form), torch.randn(T, B, I, dtype=torch.float64)
    assert not gru.initial_state.any(), "zeros at first"
    torch.nn.init.normal_(gru.initial_state)
    hx = gru.initial_state[:, None].expand(-1, B, -1).detach().clone().requires_grad_()
    output, final = gru(x)
    expected, last = gru(x, hx)
    torch.testing.assert_close(output, expected, atol=FLOAT64, rtol=0)
    (grad,) = torch.autograd.grad(output.sin().sum() + final.sum(), gru.initial_state)
    (each,) = torch.autograd.grad(expected.sin().sum() + last.sum(), hx)
    torch.testing.assert_close(grad, each.sum(1))
    torch.testing.assert_close(gru(x[:, 0])[0], output[:, 0])
    packed, _ = gru(pack_sequence([x[:, 0], x[:4, 1]]))
    torch.testing.assert_close(packed.data[0], output[0, 0])
    resets = torch.tensor([False, True, False, False, True, False])
    marked, _ = gru(x, resets=resets[:, None].expand(T, B))
    torch.testing.assert_close(marked[1:4] if gru.directions == 1 else marked[1:1], _part(gru, x))
    gru.reset_parameters()
    assert not gru.initial_state.any()


def _part(gru: GRU, x: torch.Tensor) -> torch.Tensor:
    output: torch.Tensor = gru(x[1:4])[0] if gru.directions == 1 else gru(x)[0][1:1]
    return output


def test_cells_learn_it_too() -> None:
    cell, x = GRUCell(I, H, learn_initial_state=True), torch.randn(B, I)
    torch.nn.init.normal_(cell.initial_state)
    start = cell.initial_state.expand(B, H).contiguous()
    assert torch.equal(cell(x), cell(x, start))
    h = torch.randn(B, H)
    resets = torch.tensor([True, False, True])
    assert torch.equal(cell(x, h, resets=resets), cell(x, torch.where(resets[:, None], start, h)))
    cell(x).sum().backward()
    assert cell.initial_state.grad is not None
    assert "learn_initial_state=True" in repr(cell)


def test_exchange_keeps_or_refuses_it() -> None:
    gru = stack(learn_initial_state=True, num_layers=1, batch_first=True)
    torch.nn.init.normal_(gru.initial_state)
    x = torch.randn(B, T, I, dtype=torch.float64)
    loaded = to_module(from_module(gru))
    torch.testing.assert_close(loaded(x)[0], gru(x)[0].detach())
    assert as_stack(gru).initial is not None
    with pytest.raises(OptionError, match="learn_initial_state=True"):
        torch.jit.script(gru)


def test_replaced_modules_have_the_usual_settings() -> None:
    model = torch.nn.Sequential(torch.nn.GRU(I, H))
    gruworks.replace(model)
    gru: Any = model[0]
    assert gru.candidate_activation == "tanh"
    assert not gru.learn_initial_state
    x = torch.randn(T, B, I)
    assert gru(x, resets=torch.ones(T, B))[0].shape == (T, B, H)
