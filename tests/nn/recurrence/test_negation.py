"""Lazily negated tensors and views of unusual strides as operands and gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from gruworks import GRU, GRUCell
from gruworks.nn import conditioned, functional
from gruworks.nn.recurrence import fallback, linear_scan
from gruworks.ops.activations import Unit
from gruworks.ops.operands import Operands
from gruworks.ops.weights import GRUWeights
from tests import tolerances

T, B, I, H = 5, 3, 2, 4  # noqa: E741 (the field's letter)
DOUBLE: dict[str, Any] = {"dtype": torch.float64}


def part(t: Tensor) -> Tensor:
    """A lazily negated tensor with these values: the imaginary part of a conjugate."""
    return torch.complex(torch.zeros_like(t), -t).conj().imag


def along(t: Tensor) -> Tensor:
    """The same, with a contiguous last axis."""
    return part(t.transpose(0, -1)).transpose(0, -1) if t.dim() > 1 else part(t)


VIEWS: dict[str, Callable[[Tensor], Tensor]] = {
    "negated": lambda t: torch._neg_view(-t),
    "part of a conjugate": part,
    "transposed": along,
    "expanded": lambda t: torch._neg_view(-t[:1]).expand_as(t),
    "overlapping": lambda t: torch._neg_view(-t).as_strided(t.shape, (1,) * t.dim()),
    "without strides": lambda t: torch._neg_view(-t).as_strided(t.shape, (0,) * t.dim()),
}


def drawn(*shape: int) -> Tensor:
    return torch.rand(*shape, **DOUBLE) - 0.5


def close(mine: Any, theirs: Any) -> None:
    for one, other in zip(mine, theirs, strict=True):
        torch.testing.assert_close(one, other, atol=tolerances.FLOAT64, rtol=0)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("options", [{}, {"reset": "before"}, {"num_layers": 2, "bidirectional": True},
                                     {"batch_first": True}, {"recompute": 2}], ids=str)  # fmt: skip
@pytest.mark.parametrize("lengths", [None, [5, 0, 3]])
def test_operands_and_gradients_of_the_layer(view: str, options: dict[str, Any], lengths: Any) -> None:
    torch.manual_seed(0)
    gru = GRU(I, H, **options, **DOUBLE)
    shape = (B, T, I) if gru.batch_first else (T, B, I)
    lead = gru.num_layers * gru.directions
    x, hx = (VIEWS[view](drawn(*size)) for size in (shape, (lead, B, H)))
    assert x.is_neg()
    assert hx.is_neg()
    results = []
    for given in ((x, hx), (x.resolve_neg().contiguous(), hx.resolve_neg().contiguous())):
        leaves = [t.detach().requires_grad_() for t in given]
        output, final = gru(*leaves, lengths=lengths)
        torch.manual_seed(1)
        grads = [VIEWS[view](drawn(*t.shape)) for t in (output, final)]
        if given[0] is not x:
            grads = [g.resolve_neg().contiguous() for g in grads]
        found = torch.autograd.grad([output, final], [*leaves, *gru.parameters()], grads, create_graph=True)
        again = torch.autograd.grad([output, final], [*leaves, *gru.parameters()], grads)
        with torch.no_grad():
            plain, _ = gru(*given, lengths=lengths)
        results.append([output, final, plain, *found, *again])
    close(*results)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("reset", ["after", "before"])
def test_the_cell(view: str, reset: Any) -> None:
    cell = GRUCell(I, H, reset=reset, **DOUBLE)
    x, h, grad = VIEWS[view](drawn(B, I)), VIEWS[view](drawn(B, H)), VIEWS[view](drawn(B, H))
    results = []
    for change in (lambda t: t, lambda t: t.resolve_neg().contiguous()):
        leaves = [change(t).detach().requires_grad_() for t in (x, h)]
        state = cell(*leaves)
        row = cell(change(x)[0], change(h)[0])
        results.append([state, row, *torch.autograd.grad(state, [*leaves, *cell.parameters()], change(grad))])
    close(*results)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("place", ["x", "gi", "h0", "w_ih", "w_hh", "b_ih", "b_hh", "decay", "replacement", "lengths"])
def test_every_operand_of_the_function(view: str, place: str) -> None:
    shapes = {"x": (T, B, I), "gi": (T, B, 3 * H), "h0": (B, H), "w_ih": (3 * H, I), "w_hh": (3 * H, H),
              "b_ih": (3 * H,), "b_hh": (3 * H,), "decay": (T, B, H), "replacement": (B, H)}  # fmt: skip
    given: dict[str, Any] = {name: drawn(*shape) for name, shape in shapes.items()}
    given["lengths"] = torch.tensor([5, 2, 3])
    del given["x" if place == "gi" else "gi"]
    if place not in ("decay", "replacement", "lengths"):
        del given["decay"], given["replacement"], given["lengths"]
    odd = VIEWS["negated" if place == "lengths" else view](given[place])
    results = []
    for change in (lambda t: t, lambda t: t.resolve_neg().contiguous()):
        named = {**given, place: change(odd)}
        leaves = [t.detach().requires_grad_() if t.is_floating_point() else t for t in named.values()]
        o = dict(zip(named, leaves, strict=True))
        weights = GRUWeights(o.pop("w_ih"), o.pop("w_hh"), o.pop("b_ih"), o.pop("b_hh"))
        output, final = functional.gru_layer(o.pop("x", None), o.pop("h0"), weights, **o)
        wanted = [t for t in leaves if t.requires_grad]
        found = torch.autograd.grad(output.sin().sum() + final.cos().sum(), wanted, allow_unused=True)
        results.append([output, final, *(g for g in found if g is not None)])
    close(*results)


@pytest.mark.parametrize("view", VIEWS)
def test_gates_scans_steps_and_conditioned_layers(view: str) -> None:
    calls: list[tuple[Any, tuple[Tensor, ...]]] = [
        (functional.new_state, (drawn(B, 3 * H), drawn(B, 3 * H), drawn(B, H))),
        (lambda a, b, h: linear_scan.log_scan(-a.abs(), b, h), (drawn(T, B, H), drawn(T, B, H), drawn(B, H))),
        (conditioned.conditioned_layer, (drawn(T, B, 3 * H), drawn(B, H), drawn(3 * H, H), drawn(B, 3 * H))),
    ]
    for call, operands in calls:
        odd = [VIEWS[view](t) for t in operands]
        results = []
        for change in (lambda t: t, lambda t: t.resolve_neg().contiguous()):
            leaves = [change(t).detach().requires_grad_() for t in odd]
            found = call(*leaves)
            torch.manual_seed(2)
            grad = change(VIEWS[view](drawn(*found.shape)))
            results.append([found, *torch.autograd.grad(found, leaves, grad)])
        close(*results)


def test_a_gradient_of_zeros_without_memory() -> None:
    gru, x = GRU(I, H, **DOUBLE), drawn(T, B, I)
    output, final = gru(x)
    zeros = torch._efficientzerotensor(output.shape, dtype=torch.float64)
    found = torch.autograd.grad([output, final], gru.weight_hh_l0, [zeros, torch.ones_like(final)])
    expected = torch.autograd.grad(gru(x)[1].sum(), gru.weight_hh_l0)
    close(found, expected)


def test_a_parametrised_weight() -> None:
    class Negated(torch.nn.Module):
        def forward(self, w: Tensor) -> Tensor:
            return torch._neg_view(w)

    gru, x = GRU(I, H, **DOUBLE), drawn(T, B, I)
    other = GRU(I, H, **DOUBLE)
    other.load_state_dict({name: -p if name == "weight_hh_l0" else p for name, p in gru.state_dict().items()})
    torch.nn.utils.parametrize.register_parametrization(gru, "weight_hh_l0", Negated())
    close(gru(x), other(x))
    gru(x)[0].sum().backward()
    other(x)[0].sum().backward()
    close([gru.parametrizations.weight_hh_l0.original.grad], [-other.weight_hh_l0.grad])


def test_the_direct_way_sees_a_weight_that_turns_its_sign() -> None:
    gru, x = GRU(I, H, **DOUBLE), drawn(T, B, I)
    gru(x)
    gru.bias_hh_l0.data = torch._neg_view(gru.bias_hh_l0.data)
    w = gru.weights()
    expected = fallback.by_equations(Operands(x, None, None, *w.arrays()), Unit(), False)
    close(gru(x), (expected[0], expected[1][None]))
