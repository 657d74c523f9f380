"""Libraries that look up exact types support gruworks' modules: quantization, per-sample gradients, Opacus."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn.utils._per_sample_grad import call_for_per_sample_grads

import gruworks
from gruworks import GRU, GRUCell
from gruworks.errors import OptionError

THEIRS, OURS = {torch.nn.GRU, torch.nn.GRUCell}, {GRU, GRUCell}


class Model(torch.nn.Module):
    def __init__(self, **given: Any) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.gru, self.cell = torch.nn.GRU(3, 4, 2, bidirectional=True), torch.nn.GRUCell(8, 4)
        self.paper, self.head = GRU(3, 4, reset="before"), torch.nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.cell(self.gru(x)[0][-1]))


def _quantise(model: torch.nn.Module, spec: Any) -> Any:
    return torch.ao.quantization.quantize_dynamic(model, spec)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("spec", [THEIRS, OURS, None, {torch.nn.GRU: torch.ao.quantization.float16_dynamic_qconfig}])
def test_quantize_dynamic_makes_of_ours_what_it_makes_of_torchs(spec: Any) -> None:
    x = torch.randn(5, 2, 3)
    expected = _quantise(Model(), THEIRS if spec is OURS else spec)
    found = _quantise(gruworks.replace(Model()).model, spec)
    assert [type(one) for one in found.children()] == [
        GRUCell if type(one) is torch.nn.GRUCell else type(one) for one in expected.children()
    ]
    torch.testing.assert_close(found(x), expected(x))


@pytest.mark.filterwarnings("ignore")
def test_what_was_not_asked_for_stays_float() -> None:
    found = _quantise(gruworks.replace(Model()).model, {torch.nn.Linear})
    assert type(found.gru) is GRU
    assert type(found.head) is not torch.nn.Linear


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:torch.quantize")
@pytest.mark.parametrize("spec", [{torch.nn.GRU}, {GRU}])
def test_the_other_form_is_left_with_a_word(spec: Any) -> None:
    with pytest.warns(UserWarning, match="^paper is not quantised: this GRU is reset='before', another function$"):
        found = _quantise(Model(), spec)
    assert type(found.paper) is GRU


def _per_sample(gru: torch.nn.Module, *args: Any) -> torch.Tensor:
    call_for_per_sample_grads(gru, batch_size=2)(*args)[0].sum().backward()
    found: torch.Tensor = gru.weight_hh_l0.grad_sample
    return found


@pytest.mark.parametrize("given", [{}, {"num_layers": 2, "bidirectional": True}])
def test_expanded_weights_give_per_sample_gradients(given: Any) -> None:
    theirs, x = torch.nn.GRU(3, 4, batch_first=True, **given), torch.randn(2, 5, 3)
    ours = GRU(3, 4, batch_first=True, **given)
    ours.load_state_dict(theirs.state_dict())
    torch.testing.assert_close(_per_sample(ours, x), _per_sample(theirs, x))


def test_what_expanded_weights_cant_follow_vmap_can() -> None:
    gru, x = GRU(3, 4, reset="before", batch_first=True), torch.randn(2, 5, 3)
    with pytest.raises(OptionError, match=r"ExpandedWeights can't follow this call; torch.func.vmap"):
        _per_sample(gru, x)
    parameters = dict(gru.named_parameters())

    def loss(given: Any, row: torch.Tensor) -> torch.Tensor:
        output: torch.Tensor = torch.func.functional_call(gru, given, (row[None],))[0]
        return output.sum()

    found = torch.func.vmap(torch.func.grad(loss), (None, 0))(parameters, x)["weight_hh_l0"]
    expected = torch.stack([torch.autograd.grad(gru(row[None])[0].sum(), gru.weight_hh_l0)[0] for row in x])
    torch.testing.assert_close(found, expected)
