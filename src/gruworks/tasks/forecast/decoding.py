"""From the encoder's answers to forecasts in the units of the series."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy
import torch
from numpy.typing import NDArray

from gruworks.tasks.forecast.config import QUANTILES
from gruworks.tasks.forecast.data import Encoded
from gruworks.tasks.forecast.features.difference_ar import causal_slope, differences
from gruworks.tasks.forecast.models.encoder import ForecastNet

__all__ = ["encoder_states", "highway_quantiles", "network_quantiles"]

Floats = NDArray[numpy.float64]
AT_ONCE = 1 << 22  # numbers of one decoded piece


@torch.no_grad()
def encoder_states(model: ForecastNet, encoded: Encoded) -> torch.Tensor:
    """The state after every row, [N, H]: one causal pass over the series."""
    features = torch.from_numpy(encoded.features.astype(numpy.float32))
    gaps = torch.from_numpy(encoded.gaps.astype(numpy.float32))[None] if len(encoded.gaps) else None
    return model.states(features[None], gaps)[0]


@torch.no_grad()
def network_quantiles(model: ForecastNet, encoded: Encoded, origins: NDArray[Any]) -> Floats:
    """Forecasts [O, K, Q] made at the rows `origins` [O]: one causal pass over the series serves them all."""
    states, K = encoder_states(model, encoded), encoded.horizon
    piece = max(1, AT_ONCE // (K * max(model.shape[1], encoded.ahead.shape[1])))
    parts = []
    for at in numpy.array_split(origins, max(1, -(-len(origins) // piece))):
        nothing = torch.zeros(len(at), K)
        ahead = None
        if encoded.ahead.size:
            rows = at[:, None] + numpy.arange(K + 1)
            ahead = torch.from_numpy(encoded.ahead[rows].astype(numpy.float32))
        parts.append(model.decode(states[at], nothing, nothing, ahead).double().numpy())
    # The two paths are added in float64: a doubling far ahead would not fit into float32.
    highway = model.highway_gain.double().numpy() * encoded.highway(origins)
    season = model.season_gain.double().numpy() * encoded.season(origins)
    moved = (highway + season)[..., None] + numpy.concatenate(parts)
    answer: Floats = encoded.y[origins][:, None, None] + encoded.scale[origins][:, None, None] * moved
    return answer


def highway_quantiles(encoded: Encoded, origins: NDArray[Any]) -> Floats:
    """The highway alone, [O, K, Q]: its band is a normal one from its own one-step errors, widening as √k."""
    slope, d = causal_slope(encoded.y), differences(encoded.y)
    K, highway = encoded.horizon, encoded.highway(origins)
    factors = numpy.array([NormalDist().inv_cdf(level) for level in QUANTILES])
    rows = []
    for i, t in enumerate(origins):
        errors = d[2 : t + 1] - slope[t] * d[1:t]
        spread = numpy.sqrt(numpy.mean(errors**2)) if len(errors) else 0.0
        middle = encoded.y[t] + encoded.scale[t] * highway[i]
        rows.append(middle[:, None] + spread * numpy.sqrt(numpy.arange(1, K + 1))[:, None] * factors)
    return numpy.stack(rows)
