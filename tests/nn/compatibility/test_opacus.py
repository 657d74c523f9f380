"""Opacus trains gruworks.GRU: per-sample gradients and norms in its hooks, a DP-SGD fit, its validator."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

opacus = pytest.importorskip("opacus")

from opacus.grad_sample import GradSampleModule  # noqa: E402
from opacus.grad_sample.grad_sample_module_fast_gradient_clipping import (  # noqa: E402
    GradSampleModuleFastGradientClipping,
)
from opacus.layers import DPGRU  # noqa: E402
from opacus.validators import ModuleValidator  # noqa: E402

from gruworks import GRU  # noqa: E402
from gruworks.errors import OptionError  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")
B, T = 6, 5


class Classifier(torch.nn.Module):
    """Reads the final state alone, which Opacus' hooks do not see."""

    def __init__(self, gru: torch.nn.Module) -> None:
        super().__init__()
        self.gru, self.head = gru, torch.nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.head(self.gru(x)[1][-1])
        return found


def classifier(**form: Any) -> Classifier:
    torch.manual_seed(0)
    return Classifier(GRU(4, 8, batch_first=True, **form))


def batch() -> tuple[Tensor, Tensor]:
    torch.manual_seed(1)
    return torch.randn(B, T, 4), torch.arange(B) % 3


def by_rows(model: torch.nn.Module, x: Tensor, y: Tensor) -> list[list[Tensor]]:
    found = []
    for b in range(len(x)):
        loss = torch.nn.functional.cross_entropy(model(x[b : b + 1]), y[b : b + 1])
        found.append(list(torch.autograd.grad(loss, list(model.parameters()))))
    return [list(column) for column in zip(*found, strict=True)]


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("form", [{}, {"reset": "before"}, {"num_layers": 2, "bidirectional": True}])
def test_gradients_and_norms_are_the_loops(form: Any, reduction: str) -> None:
    model, (x, y) = classifier(**form), batch()
    true = [torch.stack(column) for column in by_rows(model, x, y)]
    loss = torch.nn.CrossEntropyLoss(reduction=reduction)
    plain = GradSampleModule(model, loss_reduction=reduction)
    loss(plain(x), y).backward()
    for parameter, expected in zip(model.parameters(), true, strict=True):
        torch.testing.assert_close(parameter.grad_sample, expected)
    plain.remove_hooks()
    assert "forward" not in vars(model.gru)
    ghost = GradSampleModuleFastGradientClipping(classifier(**form), loss_reduction=reduction, max_grad_norm=1)
    loss(ghost(x), y).backward()
    torch.testing.assert_close(ghost.get_norm_sample(), torch.cat([t.flatten(1) for t in true], 1).norm(dim=1))


def test_gradients_are_those_of_opacus_own_gru() -> None:
    x, y = batch()
    theirs = DPGRU(4, 8, batch_first=True)
    ours = GRU(4, 8, batch_first=True)
    ours.load_state_dict(theirs.state_dict())
    models = [GradSampleModule(Classifier(gru)) for gru in (theirs, ours)]
    models[1]._module.head.load_state_dict(models[0]._module.head.state_dict())
    for model in models:
        torch.nn.functional.cross_entropy(model(x), y).backward()
    w_ih, b_ih, w_hh, b_hh = (p.grad_sample for p in theirs.parameters())
    for parameter, expected in zip(ours.parameters(), (w_ih, w_hh, b_ih, b_hh), strict=True):
        torch.testing.assert_close(parameter.grad_sample, expected)


@pytest.mark.parametrize("mode", ["hooks", "ghost"])
def test_a_model_is_trained_under_differential_privacy(mode: str) -> None:
    torch.manual_seed(0)
    x = torch.randn(256, T, 4)
    y = (x.sum((1, 2)) > 0).long()
    model = classifier()
    assert ModuleValidator.validate(model) == []
    optimizer = torch.optim.Adam(model.parameters(), 0.02)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=64)
    engine, loss = opacus.PrivacyEngine(), torch.nn.CrossEntropyLoss()
    made = engine.make_private(
        module=model, optimizer=optimizer, data_loader=loader, noise_multiplier=0.5, max_grad_norm=1.0,
        grad_sample_mode=mode, criterion=loss,
    )  # fmt: skip
    private, optimizer, *criterion, loader = made
    loss = criterion[0] if criterion else loss
    for _ in range(25):
        for rows, labels in loader:
            optimizer.zero_grad()
            loss(private(rows), labels).backward()
            optimizer.step()
    private.eval()
    assert (private(x).argmax(1) == y).float().mean() > 0.85
    assert 0 < engine.get_epsilon(1e-3) < 100


def test_a_batch_may_be_empty() -> None:
    for kind in (GradSampleModule, GradSampleModuleFastGradientClipping):
        model = kind(classifier())
        model(torch.zeros(0, T, 4)).sum().backward()
        weight = model._module.gru.weight_hh_l0
        assert len(weight.grad_sample if kind is GradSampleModule else model.get_norm_sample()) == 0


def test_lengths_and_the_initial_state_may_be_given_by_place() -> None:
    x, _ = batch()
    gru = GRU(4, 8)
    wrapped = GradSampleModule(gru, batch_first=False, loss_reduction="sum")
    wrapped(x.transpose(0, 1), None, [1, 5, 2, 3, 4, 5])[0].sum().backward()
    single = GRU(4, 8)
    single.load_state_dict(gru.state_dict())
    single(x[:1, :1].transpose(0, 1))[0].sum().backward()
    torch.testing.assert_close(gru.weight_ih_l0.grad_sample[0], single.weight_ih_l0.grad)
    with pytest.raises(OptionError, match="PackedSequence"):
        wrapped(torch.nn.utils.rnn.pack_sequence([x[0], x[1]]))


def test_what_opacus_cant_train_is_reported_and_converted() -> None:
    model = torch.nn.Sequential(GRU(3, 4, dtype=torch.float64))
    assert ModuleValidator.validate(model) == []
    assert type(ModuleValidator.fix(model)[0]) is GRU
    half = torch.nn.Sequential(GRU(3, 4, dtype=torch.bfloat16))
    assert [type(e).__name__ for e in ModuleValidator.validate(half)] == ["ShouldReplaceModuleError"]
    assert type(ModuleValidator.fix(half)[0]).__name__ == "DPGRU"
    assert [type(e).__name__ for e in ModuleValidator.validate(torch.nn.Sequential(torch.nn.GRU(3, 4)))] == [
        "ShouldReplaceModuleError"
    ]
    with pytest.raises(OptionError, match="Opacus supports torch's GRU only"):
        ModuleValidator.fix(torch.nn.Sequential(GRU(3, 4, layer_norm=True)))
