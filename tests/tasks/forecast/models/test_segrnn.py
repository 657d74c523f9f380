"""The segment GRU: its decode shortcut is exact, its norms leave and restore level and unit."""

from __future__ import annotations

import pytest
import torch

from gruworks.tasks.forecast.models.segrnn import SegmentNet
from tests.tolerances import FLOAT32_DEEP

R, L, K, W, H = 5, 24, 10, 4, 8


def net(**settings: object) -> SegmentNet:
    torch.manual_seed(0)
    model = SegmentNet(L, K, W, H, **settings).eval()  # type: ignore[arg-type]
    if model.linear is not None:
        torch.nn.init.normal_(model.linear.weight)
    return model


def values() -> torch.Tensor:
    return torch.randn(R, L, generator=torch.Generator().manual_seed(1)).cumsum(1)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_shortcut_is_one_step_of_the_gru_for_each_position(channels: int) -> None:
    """As SegRNN's own text has it: every position is fed to the unit from a copy of the last state."""
    model, h = net(channels=channels), torch.randn(R, H)
    channel = torch.arange(R) % channels
    positions = len(model.positions)
    inputs = model.positions.expand(R, positions, -1)
    if channels > 1:
        inputs = torch.cat([inputs, model.channels[channel][:, None].expand(R, positions, -1)], -1)
    steps = inputs.reshape(R * positions, 1, H)
    states = model.gru(steps, h.repeat_interleave(positions, 0)[None])[0]
    expected = model.head(states[:, 0]).reshape(R, positions * W, 3)[:, :K]
    torch.testing.assert_close(model.decode(h, channel), expected, atol=FLOAT32_DEEP, rtol=0)


@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize(
    ("norm", "level", "unit"), [("last", True, False), ("revin", True, True), ("moves", True, True)]
)
def test_what_the_norm_takes_away_it_gives_back(norm: str, level: bool, unit: bool, linear: bool) -> None:
    model, x = net(norm=norm, linear=linear), values()
    with torch.no_grad():
        answer = model(x)
        assert answer.shape == (R, K, 3)
        torch.testing.assert_close(model(x + 50), answer + 50, atol=1e-3, rtol=0)
        if unit:
            torch.testing.assert_close(model(4 * x), 4 * answer, atol=1e-3, rtol=1e-3)


def test_quantiles_never_cross_and_one_alone_is_left_as_it_is() -> None:
    with torch.no_grad():
        assert (net()(values()).diff(dim=-1) >= 0).all()
        assert net(quantiles=1)(values()).shape == (R, K, 1)


def test_a_window_that_stands_still_is_answered() -> None:
    for norm in ("last", "mean", "revin", "moves"):
        with torch.no_grad():
            assert net(norm=norm)(torch.full((R, L), 3.0)).isfinite().all()
