"""Quantile forecasts in the units of the series: interface of the three models, the encoder, the autoregression."""

from __future__ import annotations

import abc
from statistics import NormalDist
from typing import Any

import numpy
import torch
from numpy.typing import NDArray

from gruworks.tasks.forecast.config import QUANTILES, Config
from gruworks.tasks.forecast.data import Encoded, Windows, encode, float32
from gruworks.tasks.forecast.features.difference_ar import (
    causal_scale,
    difference_ar,
    differences,
    robust_slope,
    to_levels,
)
from gruworks.tasks.forecast.features.encoding import Codec
from gruworks.tasks.forecast.models.encoder import ForecastNet
from gruworks.tasks.forecast.series.panel import Series

__all__ = ["EncoderEngine", "Engine", "difference_ar_quantiles", "encoder_states", "network_quantiles", "recent_scale"]

Floats = NDArray[numpy.float64]
RECENT = 24  # differences that the scale of an interval is computed from
AT_ONCE = 1 << 22  # numbers of one decoded piece


class Engine(abc.ABC):
    """Network, batches and quantiles of one of the three models, for a fit on `count` series."""

    def __init__(self, config: Config, codec: Codec, count: int) -> None:
        self.config, self.codec, self.count = config, codec, count

    @abc.abstractmethod
    def network(self) -> torch.nn.Module:
        """A network with initial weights."""

    @abc.abstractmethod
    def windows(self, series: list[Series], whole: bool = False) -> Any:
        """Training and validation batches: `learnable`, `draw(epoch, index)`, `validation()`.

        With `whole`, no rows are held out for validation.
        """

    @abc.abstractmethod
    def network_quantiles(self, model: Any, series: Series, origins: NDArray[Any], which: int) -> Floats:
        """Quantiles by a fitted network; arguments and shapes as those of `quantiles`."""

    def quantiles(self, model: torch.nn.Module | None, series: Series, origins: NDArray[Any], which: int) -> Floats:
        """Low, median and high [O, K, 3] after the rows `origins` [O], uncalibrated.

        Args:
            model: the network; None for the autoregression on differences.
            which: the number of the series in the fit.
        """
        if model is None:
            return difference_ar_quantiles(encode(series, self.codec, self.config.horizon), origins)
        return self.network_quantiles(model, series, origins, which)


class EncoderEngine(Engine):
    """The causal encoder."""

    def network(self) -> ForecastNet:
        c = self.config
        return ForecastNet(
            self.codec.inputs, c.horizon, len(QUANTILES), c.hidden_size, c.num_layers, c.dropout, c.reset,
            self.codec.ahead, self.codec.irregular,
        )  # fmt: skip

    def windows(self, series: list[Series], whole: bool = False) -> Windows:
        return Windows((encode(one, self.codec, self.config.horizon) for one in series), self.config, whole)

    def network_quantiles(self, model: ForecastNet, series: Series, origins: NDArray[Any], which: int) -> Floats:
        return network_quantiles(model, encode(series, self.codec, self.config.horizon), origins)


@torch.no_grad()
def encoder_states(model: ForecastNet, encoded: Encoded) -> torch.Tensor:
    """Hidden states [N, H] after every row, in one causal pass over the series."""
    gaps = float32(encoded.gaps)[None] if len(encoded.gaps) else None
    return model.states(float32(encoded.features)[None], gaps)[0]


@torch.no_grad()
def network_quantiles(model: ForecastNet, encoded: Encoded, origins: NDArray[Any]) -> Floats:
    """Forecasts [O, K, Q] after the rows `origins` [O], all from one causal pass over the series."""
    states, K = encoder_states(model, encoded), encoded.horizon
    piece = max(1, AT_ONCE // (K * max(model.shape[1], encoded.ahead.shape[1])))
    parts = []
    for at in numpy.array_split(origins, max(1, -(-len(origins) // piece))):
        ahead = float32(encoded.ahead[at[:, None] + numpy.arange(K + 1)]) if encoded.ahead.size else None
        parts.append(model.decode(states[at], None, ahead).double().numpy())
    # The components are added in float64: a doubling far ahead would not fit into float32.
    change = model.weighted(*map(torch.from_numpy, encoded.components(origins))).numpy()
    levels = to_levels(encoded.y[origins], encoded.scale[origins], change[..., None] + numpy.concatenate(parts))
    return numpy.asarray(levels)


def difference_ar_quantiles(encoded: Encoded, origins: NDArray[Any]) -> Floats:
    """Quantiles [O, K, Q] of the autoregression on differences alone.

    The intervals are those of a normal distribution: the standard deviation of the one-step errors so far, times √k.
    """
    d, K = differences(encoded.y), encoded.horizon
    factors = numpy.array([NormalDist().inv_cdf(level) for level in QUANTILES])
    slopes = numpy.minimum(encoded.slope, robust_slope(encoded.y))[origins]
    spread = numpy.array([_spread(d[: t + 1], slope) for t, slope in zip(origins, slopes, strict=True)])[:, None]
    middle = encoded.y[origins][:, None] + difference_ar(d[origins], slopes, K)
    widths = spread * numpy.sqrt(numpy.arange(1, K + 1))
    return numpy.asarray(middle[..., None] + widths[..., None] * factors)


def _spread(d: Floats, slope: float) -> float:
    """Root mean square of the errors of d_t ≈ φ d_{t-1}."""
    errors = d[2:] - slope * d[1:-1]
    return float(numpy.sqrt(numpy.mean(errors**2))) if len(errors) else 0.0


def recent_scale(series: Series, origins: NDArray[Any], codec: Codec) -> Floats:
    """Mean size of the last differences [O], over two of the shortest seasons or `RECENT` rows if these are more.

    The scale of the whole past where they are 0.
    """
    y, count = series.filled(), max(RECENT, 2 * min(codec.lags(len(series)).values(), default=0))
    sums = numpy.concatenate([[0.0], numpy.cumsum(numpy.abs(differences(y)))])
    starts = numpy.maximum(origins + 1 - count, 0)
    recent = (sums[origins + 1] - sums[starts]) / numpy.maximum(origins + 1 - numpy.maximum(starts, 1), 1)
    return numpy.asarray(numpy.where(recent > 0, recent, causal_scale(y, series.observed)[origins]))
