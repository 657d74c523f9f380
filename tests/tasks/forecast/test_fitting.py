"""The losses, against numbers worked out by hand."""

from __future__ import annotations

import pytest
import torch

from gruworks.tasks.forecast.fitting import quantile_loss, segment_loss


class Answers(torch.nn.Module):
    """Gives back one answer, whatever comes in."""

    def __init__(self, answer: torch.Tensor) -> None:
        super().__init__()
        self.answer = answer

    def forward(self, *inputs: torch.Tensor, **known: torch.Tensor) -> torch.Tensor:
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


def test_what_is_missing_has_no_loss_and_no_gradient() -> None:
    answer = torch.zeros(1, 2, 2, 3, requires_grad=True)
    target = torch.tensor([[[1.0, float("nan")], [2.0, 3.0]]])
    loss = quantile_loss(Answers(answer), batch(target, torch.ones(1, 2)))
    loss.backward()
    each = [(0.1 + 0.5 + 0.9) / 3 * y for y in (1.0, 0.0, 2.0, 3.0)]
    assert float(loss.detach()) == pytest.approx(sum(each) / 4)
    assert not answer.grad[0, 0, 1].any()
    assert answer.grad[0, 1].all()


def test_the_segment_loss_is_over_each_window_s_scale() -> None:
    target = torch.tensor([[2.0, 4.0], [20.0, 40.0]])
    given = {"values": target, "channel": torch.zeros(2), "target": target, "scale": torch.tensor([1.0, 10.0])}
    assert float(segment_loss(Answers(torch.zeros(2, 2, 1)), given)) == pytest.approx(0.5 * (2 + 4) / 2)
