"""The loss of a forecast and the width of its band, against numbers worked out by hand."""

from __future__ import annotations

import pytest
import torch

from gruworks.tasks.forecast.fitting import quantile_loss, width_gain


class Answers(torch.nn.Module):
    """Gives back one answer, whatever comes in."""

    def __init__(self, answer: torch.Tensor) -> None:
        super().__init__()
        self.answer = answer

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        return self.answer


def batch(target: torch.Tensor, weight: torch.Tensor) -> dict[str, torch.Tensor]:
    nothing = torch.zeros(1)
    return {"features": nothing, "highway": nothing, "season": nothing, "target": target, "weight": weight}


def test_the_loss_is_the_weighted_pinball_loss() -> None:
    answer = torch.tensor([[[[0.0, 1.0, 2.0]], [[0.0, 1.0, 2.0]], [[5.0, 5.0, 5.0]]]])  # [1, 3, 1, 3]
    target = torch.tensor([[[3.0], [-1.0], [99.0]]])
    weight = torch.tensor([[1.0, 2.0, 0.0]])  # the third step counts for nothing
    above = (0.1 * 3 + 0.5 * 2 + 0.9 * 1) / 3
    below = (0.9 * 1 + 0.5 * 2 + 0.1 * 3) / 3
    loss = quantile_loss(Answers(answer), batch(target, weight))
    assert float(loss) == pytest.approx((1 * above + 2 * below) / 2)


def test_a_batch_without_a_usable_step_has_no_loss() -> None:
    loss = quantile_loss(Answers(torch.zeros(1, 2, 1, 3)), batch(torch.ones(1, 2, 1), torch.zeros(1, 2)))
    assert float(loss) == 0


def test_the_gain_makes_the_band_hold_its_share_of_the_validation_part() -> None:
    torch.manual_seed(0)
    target = torch.randn(1, 2000, 1) * 3
    answer = torch.tensor([-0.1, 0.0, 0.2]).expand(1, 2000, 1, 3)  # far too narrow, and lopsided
    gain = width_gain(Answers(answer), [batch(target, torch.ones(1, 2000))])
    inside = ((target > -0.1 * gain) & (target < 0.2 * gain)).float().mean()
    assert float(inside) == pytest.approx(0.8, abs=0.002)


def test_the_gain_leaves_out_steps_without_weight() -> None:
    target = torch.cat([torch.ones(1, 50, 1), torch.full((1, 50, 1), 1000.0)], 1)
    weight = torch.cat([torch.ones(1, 50), torch.zeros(1, 50)], 1)
    answer = torch.tensor([-0.5, 0.0, 0.5]).expand(1, 100, 1, 3)
    assert width_gain(Answers(answer), [batch(target, weight)]) == pytest.approx(2.0)


def test_without_validation_the_band_stays() -> None:
    assert width_gain(Answers(torch.zeros(1)), []) == 1.0
