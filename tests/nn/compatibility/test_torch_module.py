"""torch.jit.script compiles an equivalent torch module over the same parameters, or raises."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import gruworks
from gruworks import GRU, GRUCell
from gruworks.errors import OptionError
from gruworks.nn.compatibility.torch_module import as_torch_module

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # TorchScript's of itself


class Model(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gru, self.cell = torch.nn.GRU(3, 4, 2, bidirectional=True), torch.nn.GRUCell(8, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.cell(self.gru(x)[0][-1])


def test_a_model_with_ours_is_scripted() -> None:
    model, x = gruworks.replace(Model()).model, torch.randn(5, 2, 3)
    expected, keys = model(x), list(model.state_dict())
    script = torch.jit.script(model)
    torch.testing.assert_close(script(x), expected)
    assert list(script.state_dict()) == keys
    assert torch.jit.script(GRUCell(3, 4))(x[0]).shape == (2, 4)


@pytest.mark.parametrize("given", [{"reset": "before"}, {"layer_norm": True}, {"zoneout": 0.1}])
def test_another_function_is_refused_in_one_line(given: Any) -> None:
    with pytest.raises(OptionError, match=r"^torch.jit.script supports torch's GRU only, and this one [^\n]*$"):
        torch.jit.script(torch.nn.Sequential(GRU(3, 4, **given)))


def test_the_torch_module_shares_parameters_and_hooks() -> None:
    gru, calls = GRU(3, 4, recompute=True), list[int]()
    gru.register_forward_hook(lambda *_: calls.append(1))
    theirs = as_torch_module(gru, "a test")
    assert type(theirs) is torch.nn.GRU
    assert type(gru) is GRU
    assert theirs.weight_hh_l0 is gru.weight_hh_l0
    assert vars(theirs).keys() == vars(torch.nn.GRU(3, 4)).keys()
    theirs(torch.randn(5, 2, 3))
    assert calls == [1]
