"""torch.func transforms on the native kernel: grad, vjp, vmap of grad, ensembles; against plain autograd."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.func import functional_call, grad, hessian, jacrev, vmap

import gruworks.nn.recurrence.fallback as equations
from gruworks import GRU
from gruworks.errors import ShapeError
from gruworks.nn.recurrence import functorch
from gruworks.ops.backend import backend

if backend().name == "torch":
    pytest.skip(backend().reason, allow_module_level=True)

N, T, I, H = 3, 5, 4, 6  # noqa: E741 (the field's letters)
FORMS: list[Any] = [
    {}, {"reset": "before"}, {"bias": False}, {"num_layers": 2, "bidirectional": True, "reset": "before"},
    {"num_layers": 2, "bidirectional": True},
]  # fmt: skip


class Case:
    def __init__(self, **form: Any) -> None:
        torch.manual_seed(0)
        self.gru = GRU(I, H, dtype=torch.float64, **form)
        self.parameters = dict(self.gru.named_parameters())
        D = self.gru.num_layers * self.gru.directions
        self.x, self.w = torch.randn(N, T, 2, I).double(), torch.randn(T, 2, H * self.gru.directions).double()
        self.h0, self.lengths = torch.randn(N, D, 2, H).double(), torch.tensor([[5, 2], [0, 5], [1, 4]])

    def loss(self, parameters: Any, x: Tensor, h0: Tensor | None = None, lengths: Tensor | None = None) -> Tensor:
        output, h_n = functional_call(self.gru, parameters, (x, h0, lengths))
        return (output * self.w).square().sum() + h_n.sum()


@pytest.fixture
def without_equations(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> Any:
        raise AssertionError("computed by the equations")

    monkeypatch.setattr(equations.equations, "sequence", refuse)


@pytest.mark.usefixtures("without_equations")
@pytest.mark.parametrize("more", [0, 1, 2])
@pytest.mark.parametrize("form", FORMS)
def test_vmap_of_grad_is_the_loop_over_samples(form: Any, more: int) -> None:
    case = Case(**form)
    given = (case.x, case.h0, case.lengths)[: 1 + more]
    found = vmap(grad(case.loss), (None, *(0 for _ in given)))(case.parameters, *given)
    of_x = vmap(grad(case.loss, 1), (None, *(0 for _ in given)))(case.parameters, *given)
    for n in range(N):
        own = [t[n] for t in given]
        own[0] = own[0].clone().requires_grad_()
        *true, true_x = torch.autograd.grad(case.loss(case.parameters, *own), [*case.parameters.values(), own[0]])
        torch.testing.assert_close(of_x[n], true_x)
        for name, expected in zip(case.parameters, true, strict=True):
            torch.testing.assert_close(found[name][n], expected)


@pytest.mark.usefixtures("without_equations")
@pytest.mark.parametrize("form", FORMS)
def test_grad_vmap_inside_grad_and_jacrev(form: Any) -> None:
    case = Case(**form)
    true = torch.autograd.grad(sum(case.loss(case.parameters, x) for x in case.x), list(case.parameters.values()))
    inside = grad(lambda p: vmap(case.loss, (None, 0))(p, case.x).sum())(case.parameters)
    plain = grad(lambda p: case.loss(p, case.x[0]) + case.loss(p, case.x[1]) + case.loss(p, case.x[2]))(case.parameters)
    for name, expected in zip(case.parameters, true, strict=True):
        torch.testing.assert_close(inside[name], expected)
        torch.testing.assert_close(plain[name], expected)
    rows = jacrev(lambda p: vmap(case.loss, (None, 0))(p, case.x))(case.parameters)
    each = vmap(grad(case.loss), (None, 0))(case.parameters, case.x)
    for name, found in rows.items():
        torch.testing.assert_close(found, each[name])


@pytest.mark.usefixtures("without_equations")
def test_ensembles_and_two_mapped_axes() -> None:
    case = Case()
    many = {name: torch.stack([p, 2 * p]) for name, p in case.parameters.items()}
    found = vmap(vmap(grad(case.loss), (None, 0)), (0, None))(many, case.x)
    for m in range(2):
        own = {name: p[m] for name, p in many.items()}
        expected = vmap(grad(case.loss), (None, 0))(own, case.x)
        for name, value in expected.items():
            torch.testing.assert_close(found[name][m], value)
    twice = vmap(vmap(grad(case.loss), (None, 0)), (None, 0))(
        case.parameters, case.x[:, None].expand(-1, 2, -1, -1, -1)
    )
    for name, value in vmap(grad(case.loss), (None, 0))(case.parameters, case.x).items():
        torch.testing.assert_close(twice[name], torch.stack([value, value], 1))


@pytest.mark.parametrize("form", FORMS)
def test_derivatives_of_per_sample_gradients(form: Any) -> None:
    case = Case(**form)
    (found,) = torch.autograd.grad(
        sum(g.square().sum() for g in vmap(grad(case.loss), (None, 0))(case.parameters, case.x).values()),
        [case.gru.weight_hh_l0],
    )
    total = 0
    for x in case.x:
        first = torch.autograd.grad(case.loss(case.parameters, x), list(case.parameters.values()), create_graph=True)
        total = total + sum(g.square().sum() for g in first)
    (true,) = torch.autograd.grad(total, [case.gru.weight_hh_l0])
    torch.testing.assert_close(found, true)


@pytest.mark.parametrize("form", [{"candidate_activation": "relu"}, {"gate_activation": "hard_sigmoid"}, {}])
@pytest.mark.parametrize("reset", ["before", "after"])
def test_other_activations_and_resets_are_left_to_the_equations(
    form: Any, reset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(functorch, "_Recurrence")
    case = Case(reset=reset, **form)
    resets = None if form else torch.rand(N, T, 2) < 0.5

    def loss(parameters: Any, x: Tensor, marks: Tensor | None) -> Tensor:
        return (functional_call(case.gru, parameters, (x,), {"resets": marks})[0] * case.w).square().sum()

    found = vmap(grad(loss), (None, 0, None if resets is None else 0))(case.parameters, case.x, resets)
    for n in range(N):
        own = loss(case.parameters, case.x[n], None if resets is None else resets[n])
        for name, true in zip(case.parameters, torch.autograd.grad(own, [*case.parameters.values()]), strict=True):
            torch.testing.assert_close(found[name][n], true)


@pytest.mark.usefixtures("without_equations")
def test_gradients_of_the_learnt_initial_state() -> None:
    case = Case(learn_initial_state=True)
    found = vmap(grad(case.loss), (None, 0))(case.parameters, case.x)
    for n in range(N):
        true = torch.autograd.grad(case.loss(case.parameters, case.x[n]), [*case.parameters.values()])
        for name, expected in zip(case.parameters, true, strict=True):
            torch.testing.assert_close(found[name][n], expected)


def test_lengths_are_checked_below_the_transforms() -> None:
    case = Case()
    with pytest.raises(ShapeError, match="between 0 and T = 5"):
        vmap(grad(case.loss), (None, 0, 0, 0))(case.parameters, case.x, case.h0, case.lengths + 1)


def test_transforms_of_transforms_are_left_to_the_equations() -> None:
    case = Case()
    assert hessian(lambda x: case.loss(case.parameters, x))(case.x[0]).shape == (T, 2, I, T, 2, I)
