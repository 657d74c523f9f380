"""The losses, against numbers worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas
import pytest
import torch

from gruworks import Forecaster
from gruworks.tasks.forecast import data
from gruworks.tasks.forecast.fitting import quantile_loss, segment_loss
from tests import tolerances
from tests.tasks.forecast.conftest import wavy


class Answers(torch.nn.Module):
    """Gives back one answer, whatever comes in."""

    def __init__(self, answer: torch.Tensor) -> None:
        super().__init__()
        self.answer = answer

    def forward(self, *inputs: torch.Tensor, **known: torch.Tensor) -> torch.Tensor:
        return self.answer


def batch(target: torch.Tensor, weight: torch.Tensor) -> dict[str, torch.Tensor]:
    nothing = torch.zeros(1)
    return {"features": nothing, "difference_ar": nothing, "seasonal": nothing, "target": target, "weight": weight}


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


def test_two_processes_lose_what_one_with_their_common_batches_loses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings: dict[str, Any] = {
        "horizon": 3, "dropout": 0.0, "hidden_size": 4, "window": 48, "batch_size": 3, "steps": 9, "validate_every": 3,
        "season": False,
    }  # fmt: skip
    frame = pandas.concat([wavy(n, seed=n).assign(unique_id=str(n)) for n in (60, 90, 120)])  # windows of unlike length
    two = Forecaster(devices=2, **settings).fit(frame, out=tmp_path / "two", quiet=True)
    draw = data.Windows.draw

    def pairs(self: data.Windows, epoch: int, index: int) -> Any:
        number = 2 * (3 * epoch + index)
        both = [draw(self, *divmod(number + rank, 3)) for rank in (0, 1)]
        return {name: torch.cat([one[name] for one in both]) for name in both[0]}

    monkeypatch.setattr(data.Windows, "draw", pairs)
    one = Forecaster(**settings).fit(frame, out=tmp_path / "one", quiet=True)
    curves = [json.loads((tmp_path / name / "curve.json").read_text()) for name in ("one", "two")]
    assert curves[0]["step"] == curves[1]["step"] == [3, 6, 9]
    assert curves[1]["val_loss"] == pytest.approx(curves[0]["val_loss"], abs=tolerances.FLOAT32_DEEP)
    assert len(set(curves[0]["val_loss"])) == 3  # something is learnt
    for ours, theirs in zip(one.model.parameters(), two.model.parameters(), strict=True):
        torch.testing.assert_close(theirs, ours, atol=tolerances.FLOAT32_DEEP, rtol=0)
