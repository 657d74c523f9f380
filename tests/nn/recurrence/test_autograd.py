"""In-place changes before the backward: allowed for outputs, an error for inputs and weights, as in torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from gruworks import GRU, GRUCell
from gruworks.nn.recurrence import conditions
from tests import tolerances

T, B, I, H = 6, 3, 4, 4  # noqa: E741 (the field's letter)
DOUBLE: dict[str, Any] = {"dtype": torch.float64}
OPTIONS: list[dict[str, Any]] = [
    {}, {"reset": "before"}, {"batch_first": True}, {"num_layers": 2}, {"bidirectional": True}, {"recompute": 2},
]  # fmt: skip


def zero_the_end(y: Tensor) -> Tensor:
    y[4:] = 0
    return y


def write_to_the_array(y: Tensor) -> Tensor:
    y.detach().numpy()[1:3] = 7
    return y


def write_to_data(y: Tensor) -> Tensor:
    y.data[::2].mul_(-3)
    return y


def write_to_a_view(y: Tensor) -> Tensor:
    y.transpose(0, 1)[1].add_(1)
    return y


def dropout(y: Tensor) -> Tensor:
    torch.manual_seed(3)
    return torch.nn.functional.dropout(y, 0.5, inplace=True)


CHANGES: dict[str, Callable[[Tensor], Tensor]] = {
    "+=": lambda y: y.add_(torch.ones_like(y)),
    "*=": lambda y: y.mul_(2),
    "relu_": torch.relu_,
    "dropout": dropout,
    "[4:] = 0": zero_the_end,
    "a view": write_to_a_view,
    "array": write_to_the_array,
    "data": write_to_data,
}


def close(mine: Any, theirs: Any) -> None:
    for one, other in zip(mine, theirs, strict=True):
        torch.testing.assert_close(one, other, atol=10 * tolerances.FLOAT64, rtol=0)


def gradients(output: Tensor, final: Tensor, leaves: list[Tensor]) -> list[Tensor]:
    """First derivatives, those with create_graph=True, second ones, and the first again."""
    loss = (output * torch.arange(output.numel(), **DOUBLE).view(output.shape).sin()).sum() + final.cos().sum()
    first = torch.autograd.grad(loss, leaves, retain_graph=True)
    graphed = torch.autograd.grad(loss, leaves, create_graph=True)
    second = torch.autograd.grad(sum(g.square().sum() for g in graphed), leaves, retain_graph=True)
    return [*first, *graphed, *second, *torch.autograd.grad(loss, leaves)]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("lengths", [None, [6, 2, 4]])
def test_gradients_after_a_change_of_the_output(change: str, options: dict[str, Any], lengths: Any) -> None:
    torch.manual_seed(0)
    gru = GRU(I, H, **options, **DOUBLE)
    x = torch.randn(*((B, T) if gru.batch_first else (T, B)), I, **DOUBLE).requires_grad_()
    leaves, results = [x, *gru.parameters()], []
    for copied in (False, True):
        output, final = gru(x, lengths=lengths)
        changed = CHANGES[change](output.clone() if copied else output)
        results.append(gradients(changed, final, leaves))
    close(*results)


@pytest.mark.parametrize("change", CHANGES)
def test_they_are_torchs(change: str) -> None:
    ours, theirs = GRU(I, H, **DOUBLE), torch.nn.GRU(I, H, **DOUBLE)
    theirs.load_state_dict(ours.state_dict())
    x, results = torch.randn(T, B, I, **DOUBLE).requires_grad_(), []
    for gru in (ours, theirs):
        output, final = gru(x)
        results.append(gradients(CHANGES[change](output), final, [x, *gru.parameters()]))
    close(*results)


def test_a_change_between_two_backwards() -> None:
    gru, x = GRU(I, H, **DOUBLE), torch.randn(T, B, I, **DOUBLE)
    output, final = gru(x)
    loss, found = output.sum() + final.sum(), []
    for _ in range(3):
        found.append(torch.autograd.grad(loss, list(gru.parameters()), retain_graph=True))
        with torch.no_grad():
            output.mul_(2)
            final.zero_()
    close(found[0], found[1])
    close(found[0], found[2])


@pytest.mark.parametrize("hooked", [False, True])
def test_a_residual_model_learns_with_and_without_hooks(hooked: bool) -> None:
    def pack(t: Tensor) -> Tensor:
        return t

    results, gru = [], GRU(I, H, num_layers=2, **DOUBLE)
    x = torch.randn(T, B, I, **DOUBLE)
    for copied in (False, True):
        with torch.autograd.graph.saved_tensors_hooks(pack, pack) if hooked else torch.enable_grad():
            output, _ = gru(x)
            output = output.clone() if copied else output
            output += x
            output.relu_()
        results.append(torch.autograd.grad(output.sum(), list(gru.parameters())))
    close(*results)


def test_a_cells_state_and_the_final_state() -> None:
    cell, gru = GRUCell(I, H, **DOUBLE), GRU(I, H, **DOUBLE)
    x, results = torch.randn(T, B, I, **DOUBLE), []
    for copied in (False, True):
        state = cell(x[0])
        state = state.clone() if copied else state
        state *= 2
        _, final = gru(x)
        final = final.clone() if copied else final
        final[0, 1] = 0
        loss = state.sin().sum() + final.sum()
        results.append(torch.autograd.grad(loss, [*cell.parameters(), *gru.parameters()]))
    close(*results)


@pytest.mark.parametrize("which", ["x", "hx", "weight_hh_l0", "bias_ih_l0"])
@pytest.mark.parametrize("recompute", [False, 2])
def test_a_change_of_what_was_read_is_refused(which: str, recompute: Any) -> None:
    gru = GRU(I, H, recompute=recompute)
    x, hx = torch.randn(T, B, I), torch.randn(1, B, H)
    output, _ = gru(x, hx)
    with torch.no_grad():
        {"x": x, "hx": hx}.get(which, gru.get_parameter(which) if "_l0" in which else x).add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        output.sum().backward()


@pytest.mark.skipif(not conditions.AVAILABLE, reason="torch's own kernel")
def test_nothing_is_copied_until_somebody_writes() -> None:
    gru = GRU(I, H, num_layers=2)
    with torch.no_grad():
        x = gru(torch.randn(T, B, I))[0]
    output, _ = gru(x)
    (output @ torch.ones(H, 2)).relu().sum().backward(retain_graph=True)
    assert torch._C._is_cow_tensor(output)
    output.add_(1)
    assert not torch._C._is_cow_tensor(output)
