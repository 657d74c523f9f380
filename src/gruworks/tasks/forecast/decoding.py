"""From the network's answers to forecasts in the units of the series."""

from __future__ import annotations

from statistics import NormalDist

import numpy
import torch
from numpy.typing import NDArray

from gruworks.tasks.forecast.config import QUANTILES
from gruworks.tasks.forecast.data import Encoded
from gruworks.tasks.forecast.highway import causal_slope, differences
from gruworks.tasks.forecast.model import ForecastNet

__all__ = ["highway_quantiles", "network_quantiles"]

Floats = NDArray[numpy.float64]


@torch.no_grad()
def network_quantiles(model: ForecastNet, encoded: Encoded, origins: Floats) -> Floats:
    """Forecasts [O, K, Q] made at the rows `origins` [O]: one causal pass over the series serves them all."""
    features = torch.from_numpy(encoded.features.astype(numpy.float32))
    states = model.gru(features[None])[0][0, origins]
    K = encoded.highway.shape[1]
    nothing = torch.zeros(len(origins), K)
    learnt = model.decode(states, nothing, nothing).double().numpy()
    # The two paths are added in float64: a doubling far ahead would not fit into float32.
    highway = model.highway_gain.double().numpy() * encoded.highway[origins]
    season = model.season_gain.double().numpy() * encoded.season[origins]
    moved = (highway + season)[..., None] + learnt
    answer: Floats = encoded.y[origins][:, None, None] + encoded.scale[origins][:, None, None] * moved
    return answer


def highway_quantiles(encoded: Encoded, origins: Floats) -> Floats:
    """The highway alone, [O, K, Q]: its band is a normal one from its own one-step errors, widening as √k."""
    slope, d = causal_slope(encoded.y), differences(encoded.y)
    K = encoded.highway.shape[1]
    factors = numpy.array([NormalDist().inv_cdf(level) for level in QUANTILES])
    rows = []
    for t in origins:
        errors = d[2 : t + 1] - slope[t] * d[1:t]
        spread = numpy.sqrt(numpy.mean(errors**2)) if len(errors) else 0.0
        middle = encoded.y[t] + encoded.scale[t] * encoded.highway[t]
        rows.append(middle[:, None] + spread * numpy.sqrt(numpy.arange(1, K + 1))[:, None] * factors)
    return numpy.stack(rows)
