"""Stacks and directions in one native call: torch's numbers, dropout, derivatives, bits on any number of threads."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from torch import Tensor

import gruworks
from gruworks.nn.recurrence import conditions, kernel
from gruworks.nn.recurrence.stack import stack

if not conditions.AVAILABLE:
    pytest.skip("the native kernel does not run here", allow_module_level=True)

STACKS = [(L, D) for L, D in itertools.product((1, 2, 3), (1, 2)) if L * D > 1]


def made(L: int, D: int, H: int, I: int = 3, **options: Any) -> gruworks.GRU:  # noqa: E741 (the field's letter)
    torch.manual_seed(0)
    return gruworks.GRU(I, H, L, bidirectional=D == 2, dtype=torch.float64, **options)


def results(module: torch.nn.Module, x: Tensor, hx: Tensor | None) -> list[Tensor]:
    """Output, final states, and the gradients of x, hx and all parameters."""
    x, hx = x.clone().requires_grad_(), None if hx is None else hx.clone().requires_grad_()
    output, final = module(x, hx)
    draw = torch.Generator().manual_seed(1)
    given = [torch.randn(t.shape, generator=draw, dtype=t.dtype) for t in (output, final)]
    wanted = [x, *([] if hx is None else [hx]), *module.parameters()]
    return [output.detach(), final.detach(), *torch.autograd.grad([output, final], wanted, given)]


@pytest.mark.parametrize(("L", "D"), STACKS)
@pytest.mark.parametrize(("T", "B", "H"), [(1, 1, 5), (17, 1, 7), (100, 1, 64), (33, 3, 16), (8, 9, 20)])
@pytest.mark.parametrize("given", [False, True])
def test_numbers_are_torchs(L: int, D: int, T: int, B: int, H: int, given: bool) -> None:
    ours = made(L, D, H, batch_first=given)
    theirs = torch.nn.GRU(3, H, L, bidirectional=D == 2, batch_first=given, dtype=torch.float64)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(*((B, T) if given else (T, B)), 3, dtype=torch.float64)
    hx = torch.randn(L * D, B, H, dtype=torch.float64) if given else None
    assert type(ours(x, hx)[0].grad_fn).__name__ == "_StackBackward"
    for our, their in zip(results(ours, x, hx), results(theirs, x, hx), strict=True):
        torch.testing.assert_close(our, their, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("L", "D"), STACKS)
def test_the_form_before_is_the_reference(L: int, D: int) -> None:
    ours = made(L, D, 6, reset="before")
    x, hx = torch.randn(9, 2, 3, dtype=torch.float64), torch.randn(L * D, 2, 6, dtype=torch.float64)
    found = results(ours, x, hx)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t):  # layer by layer, by the general path
        expected = results(ours, x, hx)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("reset", ["after", "before"])
@pytest.mark.parametrize(("L", "D"), STACKS)
@pytest.mark.parametrize(("T", "B", "H"), [(97, 1, 64), (40, 3, 33), (203, 1, 129)])
def test_bits_do_not_depend_on_the_number_of_threads(L: int, D: int, T: int, B: int, H: int, reset: Any) -> None:
    module, x = made(L, D, H, reset=reset).float(), torch.randn(T, B, 3)
    used = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        alone = results(module, x, None)
        torch.set_num_threads(2)
        together = results(module, x, None)
    finally:
        torch.set_num_threads(used)
    assert all(torch.equal(one, two) for one, two in zip(alone, together, strict=True))


@pytest.mark.parametrize(("L", "D"), [(2, 1), (3, 1), (2, 2)])
@pytest.mark.parametrize(("T", "B"), [(40, 1), (5, 9)])
def test_dropout_has_one_mask_in_both_passes(L: int, D: int, T: int, B: int, monkeypatch: pytest.MonkeyPatch) -> None:
    masks: list[Tensor] = []
    draw = kernel.bernoulli
    monkeypatch.setattr(kernel, "bernoulli", lambda *given: masks.append(draw(*given)) or masks[-1])
    ours, x = made(L, D, 24, dropout=0.4), torch.randn(T, B, 3, dtype=torch.float64)
    found = results(ours, x, None)
    assert len(masks) == L - 1
    assert all(abs(float((m == 0).double().mean()) - 0.4) < 0.1 and m.max() == 1 / 0.6 for m in masks)

    class Layers(torch.nn.Module):
        def forward(self, x: Tensor, _: None) -> tuple[Tensor, Tensor]:
            finals = []
            for layer in range(L):
                x = x * masks[layer - 1] if layer else x
                sides = [gruworks.nn.functional.gru_layer(x, None, ours.weights(layer, r), reverse=r) for r in RIGHT[D]]
                x = torch.cat([output for output, _ in sides], -1)
                finals += [final for _, final in sides]
            return x, torch.stack(finals)

    RIGHT, layers = {1: (False,), 2: (False, True)}, Layers()
    layers.parameters = ours.parameters  # type: ignore[method-assign]
    for one, other in zip(found, results(layers, x, None), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)
    assert torch.equal(ours.eval()(x)[0], ours(x)[0])


@pytest.mark.parametrize(("L", "D"), STACKS)
def test_first_and_second_derivatives(L: int, D: int) -> None:
    module = made(L, D, 2, I=1)
    x = torch.randn(3, 1, 1, dtype=torch.float64, requires_grad=True)
    hx = torch.randn(L * D, 1, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(module, (x, hx))
    assert torch.autograd.gradgradcheck(module, (x, hx))


def test_a_second_backward_and_an_output_changed_in_place() -> None:
    module, x = made(2, 2, 8), torch.randn(20, 1, 3, dtype=torch.float64, requires_grad=True)
    output, _ = module(x)
    output.sum().backward(retain_graph=True)
    first = [p.grad.clone() for p in module.parameters() if p.grad is not None]
    module.zero_grad()
    output.sum().backward()
    assert all(torch.equal(a, p.grad) for a, p in zip(first, module.parameters(), strict=True) if p.grad is not None)
    module.zero_grad()
    output, _ = module(x)
    total = output.sum()
    with torch.no_grad():
        output.zero_()
    total.backward()
    assert all(torch.equal(a, p.grad) for a, p in zip(first, module.parameters(), strict=True) if p.grad is not None)


def test_gradients_of_some_operands_alone() -> None:
    module, x = made(2, 1, 64), torch.randn(60, 1, 3, dtype=torch.float64)
    everything = results(module, x, None)[3:]
    for keep in range(8):
        for i, p in enumerate(module.parameters()):
            p.requires_grad_(i == keep)
        wanted = list(module.parameters())[keep]
        output, final = module(x)
        draw = torch.Generator().manual_seed(1)
        given = [torch.randn(t.shape, generator=draw, dtype=t.dtype) for t in (output, final)]
        torch.testing.assert_close(torch.autograd.grad([output, final], wanted, given)[0], everything[keep])


def test_calls_that_are_not_taken() -> None:
    module = made(2, 2, 4)
    weights = [module._layer_weights(*place) for place in module._places()]
    x = torch.zeros(5, 1, 3, dtype=torch.float64)
    taken = lambda x, h0=None, dropout=0.0: stack(x, h0, weights, False, 2, False, dropout) is not None  # noqa: E731
    assert taken(x)
    assert taken(x, torch.zeros(4, 1, 4, dtype=torch.float64))
    assert not taken(x[0])
    assert not taken(x[:0])
    assert not taken(x.float())
    assert not taken(x[..., :2])
    assert not taken(x, torch.zeros(4, 2, 4, dtype=torch.float64))
    assert not taken(x, dropout=1.0)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t):
        assert not taken(x)
    weights[3] = tuple(t.detach().float() for t in weights[3] if t is not None)  # type: ignore[assignment]
    assert not taken(x)
