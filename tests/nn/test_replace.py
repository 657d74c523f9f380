"""In-place replacement of torch GRUs: outputs, report, modules left unchanged."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn.utils import parametrize, prune

import gruworks
from gruworks import GRU, GRUCell
from tests.tolerances import FLOAT32_OUTPUT


class Subclassed(torch.nn.GRU):
    """A user's subclass of GRU."""


class Reader(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = torch.nn.GRU(3, 4, 2, batch_first=True, bidirectional=True)
        self.steps = torch.nn.ModuleList([torch.nn.GRUCell(8, 4), torch.nn.Linear(4, 2)])
        self.shared = self.encoder

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.steps[1](self.steps[0](self.encoder(x)[0][:, -1]))


def test_every_gru_is_swapped_and_outputs_stay() -> None:
    torch.manual_seed(0)
    model = Reader().eval()
    x = torch.randn(2, 5, 3)
    before, names, parameters = model(x), list(model.state_dict()), list(map(id, model.parameters()))
    calls = []
    model.encoder.register_forward_hook(lambda *_: calls.append(1))
    report = gruworks.replace(model)
    assert report.swapped == ["encoder", "steps.0"]
    assert report.left == {}
    assert report.model is model
    assert type(model.encoder) is GRU
    assert model.shared is model.encoder
    assert type(model.steps[0]) is GRUCell
    torch.testing.assert_close(model(x), before, atol=FLOAT32_OUTPUT, rtol=0)
    assert calls == [1]
    assert list(model.state_dict()) == names
    assert list(map(id, model.parameters())) == parameters
    assert not model.encoder.training
    assert model.encoder.reset == "after"


def test_the_model_itself_may_be_the_gru() -> None:
    model = torch.nn.GRU(3, 4)
    report = gruworks.replace(model)
    assert type(model) is GRU
    assert str(report) == "swapped 1, left 0\n  swapped  the model itself"
    assert model(torch.zeros(5, 2, 3), lengths=[5, 2])[0].shape == (5, 2, 4)


def test_what_is_left_is_named_with_its_reason() -> None:
    model = torch.nn.ModuleDict({"own": GRU(3, 4), "sub": Subclassed(3, 4), "lstm": torch.nn.LSTM(3, 4)})
    report = gruworks.replace(model)
    assert report.swapped == []
    assert set(report.left) == {"own", "sub"}
    assert "already" in report.left["own"]
    assert "Subclassed" in report.left["sub"]
    assert type(model["sub"]) is Subclassed
    assert "left     sub: is a subclass" in str(report)


def test_a_second_call_changes_nothing() -> None:
    model = torch.nn.Sequential(torch.nn.GRU(3, 4))
    gruworks.replace(model)
    again = gruworks.replace(model)
    assert again.swapped == []
    assert set(again.left) == {"0"}


def test_training_goes_on_with_the_same_optimiser() -> None:
    model = torch.nn.GRU(3, 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    gruworks.replace(model)
    before = model.weight_hh_l0.detach().clone()
    model(torch.randn(5, 2, 3))[0].sum().backward()
    optimizer.step()
    assert not torch.equal(model.weight_hh_l0, before)


def _named(home: str, inner: torch.nn.Module | None) -> torch.nn.Module:
    module: torch.nn.Module = type("GRU", (torch.nn.Module,), {"__module__": home})()
    if inner is not None:
        module.inner = inner
    return module


def test_a_wrapper_called_gru_is_no_failure() -> None:
    model = torch.nn.ModuleDict({"wrapped": _named("elsewhere", torch.nn.GRU(3, 4)), "own": _named("elsewhere", None)})
    report = gruworks.replace(model)
    assert report.swapped == ["wrapped.inner"]
    assert report.left == {"own": "is another library's module (elsewhere)"}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_torchscript_compiled_is_left_with_true_advice() -> None:
    script, x = torch.jit.script(torch.nn.Sequential(torch.nn.GRU(3, 4))), torch.randn(5, 2, 3)
    traced = torch.jit.trace(torch.nn.GRUCell(3, 4), (x[0],))
    report = gruworks.replace(torch.nn.ModuleDict({"script": script, "traced": traced}))
    assert report.swapped == []
    assert set(report.left) == {"script.0", "traced"}
    assert all("compiled by TorchScript, which runs torch's GRU" in reason for reason in report.left.values())


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:torch.quantize")
def test_what_torch_quantised_is_left_as_such() -> None:
    model = torch.ao.quantization.quantize_dynamic(torch.nn.Sequential(torch.nn.GRU(3, 4)), {torch.nn.GRU})
    assert gruworks.replace(model).left == {"0": "is quantised already: replace does nothing for its int8 weights"}


NORMS: dict[str, Any] = {
    "weight_norm": lambda gru: torch.nn.utils.parametrizations.weight_norm(gru, "weight_hh_l0"),
    "weight_norm, hooks": lambda gru: torch.nn.utils.weight_norm(gru, "weight_hh_l0"),
    "spectral_norm": lambda gru: torch.nn.utils.parametrizations.spectral_norm(gru, "weight_hh_l0"),
    "spectral_norm, hooks": lambda gru: torch.nn.utils.spectral_norm(gru, "weight_hh_l0"),
    "pruning": lambda gru: prune.l1_unstructured(gru, "weight_hh_l0", 0.5),
}


@pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")
@pytest.mark.parametrize("replaced_first", [False, True])
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("layers", [1, 2])
def test_norms_and_pruning_stay_in_effect(layers: int, norm: str, replaced_first: bool) -> None:
    torch.manual_seed(0)
    gru, x = torch.nn.GRU(3, 4, layers), torch.randn(5, 2, 3)
    for act in (gruworks.replace, NORMS[norm]) if replaced_first else (NORMS[norm], gruworks.replace):
        act(gru)
    assert isinstance(gru, GRU)
    assert gruworks.replace(gru).swapped == []
    output = gru(x)[0]
    plain = GRU(3, 4, layers)  # with the effective weights
    plain.load_state_dict({name: getattr(gru, name).detach() for name, _ in plain.named_parameters()})
    torch.testing.assert_close(output, plain(x)[0])
    output.sum().backward()
    assert all(p.grad is not None for p in gru.parameters())
    before = gru.weight_hh_l0.detach().clone()
    torch.optim.SGD(gru.parameters(), 0.1).step()
    gru(x)
    assert not torch.equal(gru.weight_hh_l0, before)
    if "pruning" in norm:
        assert (gru.weight_hh_l0 == 0).float().mean() >= 0.5


def test_parametrizations_are_removed_from_a_replaced_module() -> None:
    gru = torch.nn.utils.parametrizations.weight_norm(torch.nn.GRU(3, 4), "weight_hh_l0")
    gruworks.replace(gru)
    parametrize.remove_parametrizations(gru, "weight_hh_l0")
    assert type(gru) is GRU
