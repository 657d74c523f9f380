"""The conditioned layer and its gradients against a loop over steps."""

from __future__ import annotations

import pytest
import torch

from gruworks.nn import conditioned
from gruworks.nn.conditioned import conditioned_layer
from gruworks.nn.recurrence.fallback import new_state


def operands(T: int = 5, B: int = 3, H: int = 18) -> list[torch.Tensor]:
    torch.manual_seed(0)
    shapes = (T, B, 3 * H), (B, H), (3 * H, H), (B, 3 * H)
    return [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]


def by_steps(gi: torch.Tensor, h0: torch.Tensor, w_hh: torch.Tensor, feed: torch.Tensor) -> torch.Tensor:
    states = [h0]
    for terms in gi:
        states.append(new_state(terms, states[-1] @ w_hh.t() + feed, states[-1]))
    return torch.stack(states[1:])


@pytest.mark.parametrize(("T", "B", "H"), [(5, 3, 18), (1, 1, 1), (4, 2, 16)])
def test_states_and_gradients_are_those_of_the_steps(T: int, B: int, H: int) -> None:
    given = operands(T, B, H)
    found, expected = conditioned_layer(*given), by_steps(*given)
    torch.testing.assert_close(found, expected)
    grad = torch.randn(T, B, 2 * H, dtype=torch.float64)[..., :H]
    torch.testing.assert_close(torch.autograd.grad(found, given, grad), torch.autograd.grad(expected, given, grad))


def test_the_plain_loop_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    given = operands()
    quick = conditioned_layer(*given)
    monkeypatch.setattr(conditioned.fast_path, "new_state_fits", lambda *terms: False)
    torch.testing.assert_close(conditioned_layer(*given), quick)
    with torch.no_grad():
        torch.testing.assert_close(conditioned_layer(*given), quick)


def test_no_step_gives_no_state() -> None:
    assert conditioned_layer(*operands(T=0)).shape == (0, 3, 18)
