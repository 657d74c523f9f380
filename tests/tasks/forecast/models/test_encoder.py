"""The encoder: untrained it is the autoregression, it decodes each step's own state, its quantiles never cross."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gruworks.tasks.forecast.models.encoder import ForecastNet

B, T, K, Q = 2, 9, 4, 3
INPUTS = 3


def inputs(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    return (
        torch.randn(B, T, INPUTS, generator=draw),
        torch.randn(B, T, K, generator=draw),
        torch.randn(B, T, K, generator=draw),
    )


def net(**changes: Any) -> ForecastNet:
    """A network in evaluation mode, of 5 hidden units, one layer and no dropout unless changed."""
    return ForecastNet(INPUTS, K, Q, 5, **({"layers": 1, "dropout": 0.0, "reset": "after"} | changes)).eval()


def shaken(seed: int = 0, **settings: float) -> ForecastNet:
    """A network whose every weight is random, as after a fit."""
    torch.manual_seed(seed)
    model = net(**settings)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 1)
    return model


def test_an_untrained_network_forecasts_as_the_autoregression() -> None:
    features, difference_ar, seasonal = inputs()
    model = net()
    assert not model.head.weight.any()
    assert not model.head.bias.any()
    assert torch.equal(model(features, difference_ar, seasonal)[..., 1], difference_ar)


@given(st.integers(0, 1000))
def test_quantiles_never_cross(seed: int) -> None:
    with torch.no_grad():
        answer = shaken(seed)(*inputs(seed))
    assert answer.shape == (B, T, K, Q)
    assert (answer.diff(dim=-1) > 0).all()


def test_the_median_adds_both_paths_to_the_head() -> None:
    features, difference_ar, seasonal = inputs()
    model = shaken()
    with torch.no_grad():
        raw = model.head(model.gru(features)[0]).unflatten(-1, (K, Q))[..., 1]
        expected = model.difference_ar_weight * difference_ar + model.seasonal_weight * seasonal + raw
        torch.testing.assert_close(model(features, difference_ar, seasonal)[..., 1], expected)


def test_covariates_known_ahead_start_silent_and_act_at_their_own_step() -> None:
    torch.manual_seed(0)
    model = net(ahead=2)
    ahead = torch.randn(B, T, K + 1, 2)
    with torch.no_grad():
        assert torch.equal(model(*inputs(), ahead)[..., 1], inputs()[1])
        for parameter in model.known.parameters():
            parameter.normal_()
        before = model(*inputs(), ahead)
        ahead[:, :, 3] += 1
        moved = (model(*inputs(), ahead) != before).any(-1)
    assert moved[..., 2].all()
    assert not moved[..., [0, 1, 3]].any()


def test_a_longer_gap_leaves_less_of_the_state() -> None:
    torch.manual_seed(0)
    model = net(irregular=True)
    features = inputs()[0]
    with torch.no_grad():
        none, short, endless = (model.states(features, torch.full((B, T), gap)) for gap in (0.0, 1.0, 1e6))
        torch.testing.assert_close(none, model.gru(features)[0])
        alone = model.gru(features[:, -1:])[0]  # a state that has decayed to nothing: the last row alone
    torch.testing.assert_close(endless[:, -1:], alone)
    assert not torch.equal(short, none)


@pytest.mark.parametrize("reset", ["after", "before"])
def test_every_horizon_is_decoded_from_the_step_s_own_state(reset: str) -> None:
    features, difference_ar, seasonal = inputs()
    torch.manual_seed(0)
    model = net(reset=reset)
    torch.nn.init.normal_(model.head.weight)
    changed = features.clone()
    changed[:, 6] += 1
    with torch.no_grad():
        moved = (model(features, difference_ar, seasonal) != model(changed, difference_ar, seasonal)).all(-1)
    assert moved[:, 6].all()  # every horizon, the first among them, sees the last observation
    assert not moved[:, :6].any()  # and no step sees what comes later


def test_dropout_acts_in_training_alone() -> None:
    model = shaken(dropout=0.5)
    with torch.no_grad():
        assert torch.equal(model(*inputs()), model(*inputs()))
        model.train()
        assert not torch.equal(model(*inputs()), model(*inputs()))
