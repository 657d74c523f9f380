"""Quantiles in the units of the series, by the encoder or by the autoregression on differences alone."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy
import torch
from numpy.typing import NDArray

from gruworks.tasks.forecast.config import QUANTILES
from gruworks.tasks.forecast.data import Encoded
from gruworks.tasks.forecast.features.difference_ar import differences, to_levels
from gruworks.tasks.forecast.models.encoder import ForecastNet

__all__ = ["difference_ar_quantiles", "encoder_states", "network_quantiles"]

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
        ahead = None
        if encoded.ahead.size:
            rows = at[:, None] + numpy.arange(K + 1)
            ahead = torch.from_numpy(encoded.ahead[rows].astype(numpy.float32))
        parts.append(model.decode(states[at], None, ahead).double().numpy())
    # The components are added in float64: a doubling far ahead would not fit into float32.
    change = model.weighted(*map(torch.from_numpy, encoded.components(origins))).numpy()
    levels = to_levels(encoded.y[origins], encoded.scale[origins], change[..., None] + numpy.concatenate(parts))
    return numpy.asarray(levels)


def difference_ar_quantiles(encoded: Encoded, origins: NDArray[Any]) -> Floats:
    """The autoregression alone, [O, K, Q], with normal intervals from its own one-step errors, widening as √k."""
    d, K = differences(encoded.y), encoded.horizon
    factors = numpy.array([NormalDist().inv_cdf(level) for level in QUANTILES])
    spread = numpy.array([_spread(d[: t + 1], encoded.slope[t]) for t in origins])[:, None]
    middle = encoded.y[origins][:, None] + encoded.scale[origins][:, None] * encoded.components(origins)[0]
    widths = spread * numpy.sqrt(numpy.arange(1, K + 1))
    return numpy.asarray(middle[..., None] + widths[..., None] * factors)


def _spread(d: Floats, slope: float) -> float:
    """Root mean square of the errors of d_t ≈ φ d_{t-1}."""
    errors = d[2:] - slope * d[1:-1]
    return float(numpy.sqrt(numpy.mean(errors**2))) if len(errors) else 0.0
