"""Newton's method against the kernel: states, gradients, fallback."""

from __future__ import annotations

import pytest
import torch

from gruworks import GRU
from gruworks.errors import OptionError
from gruworks.nn.newton import METHODS, _damped_step, evaluate
from tests import tolerances


def data(reset: str, T: int = 37) -> tuple[GRU, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    gru = GRU(3, 5, reset=reset, dtype=torch.float64)
    return gru, torch.randn(T, 2, 3).double(), torch.randn(2, 5).double()


@pytest.mark.parametrize("reset", ["after", "before"])
@pytest.mark.parametrize("method", METHODS)
def test_states_and_gradients_are_the_kernels(method: str, reset: str) -> None:
    gru, x, h0 = data(reset)
    x.requires_grad_()
    h0.requires_grad_()
    found = evaluate(gru, x, h0, method, 1e-14)
    exact = gru(x, h0[None])[0]
    assert not found.fell_back
    assert found.iterations < 37
    torch.testing.assert_close(found.states, exact, atol=tolerances.FLOAT64, rtol=0)
    wanted = [x, h0, *gru.parameters()]
    weight = torch.randn_like(exact)
    ours = torch.autograd.grad((found.states * weight).sum(), wanted)
    theirs = torch.autograd.grad((exact * weight).sum(), wanted)
    for got, right in zip(ours, theirs, strict=True):
        torch.testing.assert_close(got, right, atol=1e2 * tolerances.FLOAT64, rtol=0)


@pytest.mark.parametrize("method", METHODS)
def test_large_weights_fall_back_to_the_kernel(method: str) -> None:
    gru, x, h0 = data("after", 200)
    with torch.no_grad():
        gru.weight_hh_l0.mul_(60)
        found = evaluate(gru, x, h0, method, 1e-10, iterations=3)
        assert found.fell_back
        assert not found.residual <= 1e-10
        assert torch.equal(found.states, gru(x, h0[None])[0])


@pytest.mark.parametrize("steps", [1, 2, 3, 8, 13])
@pytest.mark.parametrize("dense", [True, False])
def test_the_damped_step_solves_its_equations(dense: bool, steps: int) -> None:
    torch.manual_seed(0)
    jacobian = 2 * torch.randn(steps, 1, 3, 3).double()
    if not dense:
        jacobian = torch.diag_embed(jacobian.diagonal(dim1=-2, dim2=-1))
    miss = torch.randn(steps, 1, 3).double()
    whole = torch.eye(3 * steps).double()
    for t in range(1, steps):
        whole[3 * t : 3 * t + 3, 3 * t - 3 : 3 * t] = -jacobian[t, 0]
    true = torch.linalg.solve(whole.T @ whole + 0.3 * torch.eye(3 * steps), whole.T @ miss.flatten())
    found = _damped_step(jacobian if dense else jacobian.diagonal(dim1=-2, dim2=-1), miss, 0.3)
    torch.testing.assert_close(found.flatten(), true)


def test_elk_stays_near_where_newton_runs_away() -> None:
    gru, x, h0 = data("after", 300)
    with torch.no_grad():
        gru.weight_hh_l0.mul_(16)  # chaotic: no iteration over all steps gets there
        far = evaluate(gru, x, h0, "deer", 1e-10, iterations=20)
        held = evaluate(gru, x, h0, "elk", 1e-10, iterations=20)
    assert far.fell_back
    assert held.fell_back
    assert held.residual < 2  # states lie between -1 and 1
    assert not far.residual < 2
    torch.testing.assert_close(held.states, far.states)


def test_what_it_cannot_take_is_refused() -> None:
    with pytest.raises(OptionError, match="one layer"):
        evaluate(GRU(3, 5, num_layers=2), torch.zeros(4, 1, 3))
    with pytest.raises(OptionError, match="deer"):
        evaluate(GRU(3, 5), torch.zeros(4, 1, 3), method="newton")
