"""Chunked linear cross-entropy and its gradients against torch's."""

from __future__ import annotations

import pytest
import torch

from gruworks.errors import ShapeError
from gruworks.nn import cross_entropy
from gruworks.nn.cross_entropy import linear_cross_entropy


def operands(N: int = 11, H: int = 5, V: int = 7) -> tuple[torch.Tensor, ...]:
    torch.manual_seed(0)
    x, weight, bias = torch.randn(N, H), torch.randn(V, H), torch.randn(V)
    targets = torch.randint(0, V, (N,))
    targets[3] = -1
    return (*(t.double().requires_grad_() for t in (x, weight, bias)), targets)


def by_torch(
    x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, targets: torch.Tensor, smoothing: float
) -> torch.Tensor:
    scores = torch.nn.functional.linear(x, weight, bias)
    how = {"ignore_index": -1, "reduction": "none", "label_smoothing": smoothing}
    return torch.nn.functional.cross_entropy(scores, targets, **how)  # type: ignore[arg-type]


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("entries", [1, 21, 10_000])
def test_losses_and_gradients_are_torch_s(entries: int, smoothing: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cross_entropy, "CHUNK_ENTRIES", entries)
    *inputs, targets = operands()
    ours, theirs = linear_cross_entropy(*inputs, targets, smoothing), by_torch(*inputs, targets, smoothing)
    torch.testing.assert_close(ours, theirs)
    found = torch.autograd.grad(ours.sum() / 10, inputs)
    torch.testing.assert_close(found, torch.autograd.grad(theirs.sum() / 10, inputs))


def test_without_grad_only_the_losses_are_formed() -> None:
    *inputs, targets = operands()
    with torch.no_grad():
        losses = linear_cross_entropy(*inputs, targets, 0.1)
    assert not losses.requires_grad
    torch.testing.assert_close(losses, by_torch(*inputs, targets, 0.1).detach())


def test_nothing_to_predict_has_no_gradient() -> None:
    *inputs, targets = operands()
    found = torch.autograd.grad(linear_cross_entropy(*inputs, torch.full_like(targets, -1)).sum(), inputs)
    assert all(not one.any() for one in found)


def test_rows_that_are_weighed_differently_are_refused() -> None:
    *inputs, targets = operands()
    losses = linear_cross_entropy(*inputs, targets)
    with pytest.raises(ShapeError, match="their gradients differ"):
        (losses * torch.arange(len(losses))).sum().backward()


def test_operands_that_do_not_fit_are_refused() -> None:
    x, weight, bias, targets = operands()
    with pytest.raises(ShapeError, match=r"weight \[V, H\]"):
        linear_cross_entropy(x, weight[:, 1:], bias, targets)
