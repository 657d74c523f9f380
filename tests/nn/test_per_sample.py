"""Per-sample gradients and their norms: against a loop over the rows of a batch."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.utils.rnn import pack_padded_sequence

from gruworks import GRU
from gruworks.errors import OptionError, ShapeError
from gruworks.nn import per_sample as module
from gruworks.nn.per_sample import per_sample
from gruworks.ops.backend import backend

if backend().name == "torch":
    pytest.skip(backend().reason, allow_module_level=True)

B, FLOAT64 = 3, {"rtol": 1e-9, "atol": 1e-9}


class Case:
    """A layer, a batch and a loss that reads output and final state."""

    def __init__(self, T: int, H: int, ragged: bool, **form: Any) -> None:
        torch.manual_seed(0)
        self.gru = GRU(4, H, dtype=torch.float64, **form)
        D = self.gru.directions
        self.x, self.w = (torch.randn(T, B, n, dtype=torch.float64) for n in (4, D * H))
        self.h0, self.v = (torch.randn(self.gru.num_layers * D, B, H, dtype=torch.float64) for _ in range(2))
        self.lengths = [T, 2, 0] if ragged else None
        if ragged:
            self.x[2:, 1] = float("nan")

    def loss(self, rows: slice = slice(None)) -> Tensor:
        lengths = None if self.lengths is None else self.lengths[rows]
        output, h_n = self.gru(self.x[:, rows], self.h0[:, rows].contiguous(), lengths)
        return (output * self.w[:, rows]).sum() + (h_n * self.v[:, rows]).sum()

    def row(self, b: int) -> dict[str, Tensor]:
        self.gru.zero_grad()
        self.loss(slice(b, b + 1)).backward()
        return {name: p.grad for name, p in self.gru.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize(("T", "H"), [(5, 16), (60, 7)])  # by Gram matrices, and directly
@pytest.mark.parametrize(
    "form",
    [{}, {"reset": "before"}, {"bias": False}, {"num_layers": 2, "bidirectional": True, "reset": "before"},
     {"num_layers": 2, "bidirectional": True}],
)  # fmt: skip
def test_norms_and_gradients_are_the_loops(form: Any, T: int, H: int, ragged: bool) -> None:
    case = Case(T, H, ragged, **form)
    with per_sample(case.gru) as norms:
        case.loss().backward()
    assert all(p.grad is None for p in case.gru.parameters())
    with per_sample(case.gru, "gradients") as gradients:
        case.loss().backward()
    whole = {name: p.grad.clone() for name, p in case.gru.named_parameters() if p.grad is not None}
    for b in range(B):
        for name, true in case.row(b).items():
            torch.testing.assert_close(norms.squared_norms[name][b], true.square().sum(), **FLOAT64)
            torch.testing.assert_close(gradients.gradients[name][b], true, **FLOAT64)
    for name, found in gradients.gradients.items():
        torch.testing.assert_close(found.sum(0), whole[name], **FLOAT64)
    torch.testing.assert_close(norms.norms(), gradients.norms(), **FLOAT64)


def test_the_gradient_of_the_input_is_the_ordinary_one() -> None:
    case = Case(5, 7, False)
    case.x.requires_grad_()
    case.loss().backward()
    true, case.x.grad = case.x.grad, None
    with per_sample(case.gru):
        case.loss().backward()
    torch.testing.assert_close(case.x.grad, true)


def test_a_second_backward_and_frozen_parameters() -> None:
    case = Case(5, 7, False)
    case.gru.bias_ih_l0.requires_grad_(False)
    switch = [True]
    found: list[Any] = []
    with module.recorded(case.gru, "norms", found.append, lambda: switch[0]):
        loss = case.loss()
        loss.backward(retain_graph=True)
        switch[0] = False
        loss.backward()
    assert len(found) == 1
    assert set(found[0]) == {"weight_ih_l0", "weight_hh_l0", "bias_hh_l0"}
    second = case.gru.weight_hh_l0.grad.clone()
    case.gru.zero_grad()
    case.loss().backward()
    torch.testing.assert_close(second, case.gru.weight_hh_l0.grad, **FLOAT64)


def test_packed_rows_count_in_the_callers_order() -> None:
    torch.manual_seed(0)
    gru, x, lengths = GRU(4, 7, batch_first=True), torch.randn(B, 6, 4), [2, 6, 3]
    with per_sample(gru) as packed:
        output, h_n = gru(pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False))
        (output.data.square().sum() + h_n.sum()).backward()
    with per_sample(gru) as padded:
        output, h_n = gru(x, lengths=lengths)
        (output.square().sum() + h_n.sum()).backward()
    torch.testing.assert_close(packed.norms(), padded.norms())


def test_names_are_those_of_the_model() -> None:
    model = torch.nn.ModuleDict({"a": GRU(3, 4), "b": torch.nn.Linear(4, 2)})
    with per_sample(model) as found:
        model["b"](model["a"](torch.ones(5, 2, 3))[0]).sum().backward()
    assert set(found.squared_norms) == {f"a.{name}" for name, _ in model["a"].named_parameters()}
    assert model["b"].weight.grad is not None
    assert "forward" not in vars(model["a"])


def test_what_isnt_supported_is_named() -> None:
    with pytest.raises(OptionError, match=r"contains no gruworks\.GRU"), per_sample(torch.nn.GRU(2, 3)):
        pass
    with pytest.raises(OptionError, match="regularized"), per_sample(GRU(2, 3, layer_norm=True)):
        pass
    with pytest.raises(OptionError, match="bfloat16"), per_sample(GRU(2, 3, dtype=torch.bfloat16)):
        pass
    normed = torch.nn.utils.parametrizations.weight_norm(GRU(2, 3), "weight_hh_l0")
    with pytest.raises(OptionError, match="parametrised"), per_sample(normed):
        pass
    gru, x = GRU(2, 3), torch.ones(4, 2, 2)
    with per_sample(gru) as found:
        with pytest.raises(OptionError, match="no gradients are recorded"):
            found.norms()
        with pytest.raises(ShapeError, match="need a batch"):
            gru(x[0])
        with pytest.raises(OptionError, match="first derivatives"):
            gru(x)[0].sum().backward(create_graph=True)
        with pytest.raises(OptionError, match="more than once"):
            (gru(x)[0].sum() + gru(x)[0].sum()).backward()
        with torch.no_grad():
            assert gru(x)[0].shape == (4, 2, 3)


def test_options_that_arent_supported_are_named() -> None:
    options: dict[str, Any] = {"candidate_activation": "relu", "gate_activation": "hard_sigmoid"}
    for name, value in options.items():
        with pytest.raises(OptionError, match=value), per_sample(GRU(2, 3, **{name: value})):
            pass
    with pytest.raises(OptionError, match="initial state is learnt"), per_sample(GRU(2, 3, learn_initial_state=True)):
        pass
    gru, x, resets = GRU(2, 3), torch.ones(4, 2, 2), torch.ones(4, 2)
    with per_sample(gru):
        with pytest.raises(OptionError, match="resets="):
            gru(x, resets=resets)
        with torch.no_grad():
            assert torch.equal(gru(x, resets=resets)[0][0], gru(x, resets=resets)[0][3])
        gru.candidate_activation = "relu"
        with pytest.raises(OptionError, match="relu"):
            gru(x)


def test_the_loss_may_read_all_layers() -> None:
    torch.manual_seed(0)
    gru, x = GRU(2, 3, 2, batch_first=True, return_all_layers=True), torch.randn(B, 4, 2)
    with per_sample(gru) as found:
        gru(x)[0].square().sum().backward()
        with pytest.raises(OptionError, match="no axis of layers"):
            gru(pack_padded_sequence(x, [4] * B, batch_first=True))
    for b in range(B):
        gru.zero_grad()
        gru(x[b : b + 1])[0].square().sum().backward()
        true = torch.cat([p.grad.flatten() for p in gru.parameters() if p.grad is not None]).norm()
        torch.testing.assert_close(found.norms()[b], true)
