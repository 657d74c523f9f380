"""Common interface of the three models: batches, loss, network, and quantiles in the units of the series."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy
import torch
from numpy.typing import NDArray

from gruworks.tasks.forecast.config import QUANTILES, Config
from gruworks.tasks.forecast.data import Windows, encode
from gruworks.tasks.forecast.decoding import difference_ar_quantiles, network_quantiles
from gruworks.tasks.forecast.features.encoding import Codec
from gruworks.tasks.forecast.models.deepar import SamplerNet
from gruworks.tasks.forecast.models.deepar_data import SamplerWindows, sampled_quantiles
from gruworks.tasks.forecast.models.encoder import ForecastNet
from gruworks.tasks.forecast.models.segrnn import SegmentNet
from gruworks.tasks.forecast.models.segrnn_data import SegmentWindows, cut
from gruworks.tasks.forecast.series.panel import Series

__all__ = ["Engine", "engine"]

Floats = NDArray[numpy.float64]
PIECE = 4_096  # windows answered at once


class Engine(Protocol):
    """One model of the three."""

    @property
    def loss(self) -> Callable[..., Any]:
        """loss(network, batch)."""
        ...

    def network(self) -> torch.nn.Module:
        """An unfitted network."""
        ...

    def windows(self, series: list[Series], whole: bool = False) -> Any:
        """Batches: `enough`, `learnable`, `draw(epoch, index)`, `validation()`; `whole` holds nothing out."""
        ...

    def quantiles(self, model: torch.nn.Module | None, series: Series, origins: NDArray[Any], which: int) -> Floats:
        """Low, median and high [O, K, 3] after the rows `origins`; `which` is the number of the series in the fit."""
        ...


class EncoderEngine:
    """The causal encoder; without a network, the autoregression on differences alone."""

    def __init__(self, config: Config, codec: Codec, series: int) -> None:
        self.config, self.codec = config, codec

    @property
    def loss(self) -> Callable[..., Any]:
        from gruworks.tasks.forecast.fitting import quantile_loss

        return quantile_loss

    def network(self) -> ForecastNet:
        c = self.config
        return ForecastNet(
            self.codec.inputs, c.horizon, len(QUANTILES), c.hidden_size, c.num_layers, c.dropout, c.reset,
            self.codec.ahead, self.codec.irregular,
        )  # fmt: skip

    def windows(self, series: list[Series], whole: bool = False) -> Windows:
        return Windows((encode(one, self.codec, self.config.horizon) for one in series), self.config, whole)

    def quantiles(self, model: torch.nn.Module | None, series: Series, origins: NDArray[Any], which: int) -> Floats:
        encoded = encode(series, self.codec, self.config.horizon)
        if model is None:
            return difference_ar_quantiles(encoded, origins)
        assert isinstance(model, ForecastNet)
        return network_quantiles(model, encoded, origins)


class SegmentEngine:
    """SegRNN over the last `window` rows; every forecast encodes one window afresh."""

    def __init__(self, config: Config, codec: Codec, series: int) -> None:
        self.config, self.codec, self.series = config, codec, series

    @property
    def loss(self) -> Callable[..., Any]:
        from gruworks.tasks.forecast.fitting import segment_loss

        return segment_loss

    def network(self) -> SegmentNet:
        c = self.config
        own = self.series if 1 < self.series <= c.hidden_size else 1  # channels of one system; not thousands of series
        return SegmentNet(
            c.window, c.horizon, c.segment, c.hidden_size, len(QUANTILES), c.dropout, c.norm, own, c.linear
        )

    def windows(self, series: list[Series], whole: bool = False) -> SegmentWindows:
        return SegmentWindows(series, self.config, whole)

    @torch.no_grad()
    def quantiles(self, model: torch.nn.Module | None, series: Series, origins: NDArray[Any], which: int) -> Floats:
        if model is None:
            return difference_ar_quantiles(encode(series, self.codec, self.config.horizon), origins)
        y, parts = series.filled(), []
        for at in numpy.array_split(origins, -(-len(origins) // PIECE)):
            values = torch.from_numpy(cut(y, 0, at, self.config.window))
            level = values[:, -1:].clone()  # float32 keeps the moves, not a level far from zero
            answer = model(_moved(values, level, self.config.norm), torch.full((len(at),), which))
            parts.append(answer.double().numpy() + (level.numpy()[..., None] if self.config.norm != "mean" else 0))
        return numpy.concatenate(parts)


def _moved(values: torch.Tensor, level: torch.Tensor, norm: str) -> torch.Tensor:
    return (values if norm == "mean" else values - level).float()


class SamplerEngine:
    """DeepAR's sampler: quantiles of sample paths."""

    def __init__(self, config: Config, codec: Codec, series: int) -> None:
        self.config, self.codec = config, codec

    @property
    def loss(self) -> Callable[..., Any]:
        from gruworks.tasks.forecast.models.deepar_data import sampler_loss

        return sampler_loss

    def network(self) -> SamplerNet:
        c = self.config
        lags = tuple(self.codec.lags(c.window, c.periods).values())
        return SamplerNet(self.codec.seasons, lags, c.hidden_size, c.num_layers, c.dropout, c.distribution, c.reset)

    def windows(self, series: list[Series], whole: bool = False) -> SamplerWindows:
        return SamplerWindows(series, self.codec, self.config, whole)

    def quantiles(self, model: torch.nn.Module | None, series: Series, origins: NDArray[Any], which: int) -> Floats:
        if model is None:
            return difference_ar_quantiles(encode(series, self.codec, self.config.horizon), origins)
        assert isinstance(model, SamplerNet)
        return sampled_quantiles(model, series, self.codec, self.config, origins)


ENGINES: dict[str, Any] = {"encoder": EncoderEngine, "segment": SegmentEngine, "sampler": SamplerEngine}


def engine(config: Config, codec: Codec, series: int) -> Engine:
    """The engine that the configuration names, for a fit on so many series."""
    made: Engine = ENGINES[config.model](config, codec, series)
    return made
