"""GRUCell against torch's and, in the "before" form, against the equations: new states and gradients."""

from __future__ import annotations

import numpy
import pytest
import torch

from gruworks import GRU, GRUCell
from gruworks.errors import DtypeError, ShapeError
from gruworks.ops import equations
from tests.tolerances import FLOAT32_OUTPUT, FLOAT64


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("batched", [False, True])
def test_cells_are_one_step(dtype: torch.dtype, batched: bool) -> None:
    torch.manual_seed(0)
    x, h = torch.randn(2, 3, dtype=dtype), torch.randn(2, 4, dtype=dtype)
    x, h = (x, h) if batched else (x[0], h[0])
    theirs = torch.nn.GRUCell(3, 4, dtype=dtype)
    ours = GRUCell(3, 4, dtype=dtype)
    ours.load_state_dict(theirs.state_dict())
    tolerance = FLOAT64 if dtype == torch.float64 else FLOAT32_OUTPUT
    for hx in (h, None):
        torch.testing.assert_close(ours(x, hx), theirs(x, hx), atol=tolerance, rtol=0)
    before = GRUCell(3, 4, dtype=dtype, reset="before")
    weights = before.weights().map(lambda tensor: tensor.detach().numpy())
    expected = equations.step(equations.input_projections(x.numpy(), weights), h.numpy(), weights)
    numpy.testing.assert_allclose(before(x, h).detach().numpy(), expected, atol=tolerance, rtol=0)


@pytest.mark.parametrize(("B", "I", "H"), [(1, 1, 1), (1, 64, 64), (3, 5, 17), (0, 3, 4)])
@pytest.mark.parametrize("bias", [False, True])
def test_gradients_are_torchs(B: int, I: int, H: int, bias: bool) -> None:  # noqa: E741 (the field's letters)
    torch.manual_seed(0)
    theirs = torch.nn.GRUCell(I, H, bias, dtype=torch.float64)
    ours = GRUCell(I, H, bias, dtype=torch.float64)
    ours.load_state_dict(theirs.state_dict())
    x, h, grad = (torch.randn(B, size, dtype=torch.float64) for size in (I, H, H))
    found = []
    for cell in (theirs, ours):
        operands = x.clone().requires_grad_(), h.clone().requires_grad_()
        found.append(torch.autograd.grad(cell(*operands), [*operands, *cell.parameters()], grad))
    torch.testing.assert_close(found[1], found[0], atol=FLOAT64, rtol=0)


@pytest.mark.parametrize("reset", ["before", "after"])
def test_steps_of_a_cell_are_a_layer(reset: str) -> None:
    torch.manual_seed(0)
    gru, cell, x, state = GRU(3, 4, reset=reset), GRUCell(3, 4, reset=reset), torch.randn(5, 2, 3), torch.randn(2, 4)
    cell.load_state_dict({name.replace("_l0", ""): value for name, value in gru.state_dict().items()})
    output, _ = gru(x, state[None])
    for step, expected in zip(x, output, strict=True):
        state = cell(step, state)
        torch.testing.assert_close(state, expected, atol=FLOAT32_OUTPUT, rtol=0)


def test_operands_that_do_not_match_are_refused() -> None:
    cell = GRUCell(3, 4)
    with pytest.raises(ShapeError, match=r"expected input \[B, 3\], or \[3\] unbatched, got \[2, 5\]"):
        cell(torch.zeros(2, 5))
    with pytest.raises(ShapeError, match=r"expected the initial state hx \[2, 4\], got \[1, 4\]"):
        cell(torch.zeros(2, 3), torch.zeros(1, 4))
    with pytest.raises(DtypeError, match="expected input of the weights' type"):
        cell(torch.zeros(2, 3, dtype=torch.float64))
