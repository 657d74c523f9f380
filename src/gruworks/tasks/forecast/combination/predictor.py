"""Predictor of a fitted forecaster: network, combination with statistical baselines, calibrated intervals."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy
import torch
from numpy.typing import NDArray

from gruworks.errors import DataError
from gruworks.tasks.forecast.combination.blending import NETWORK_ALONE, Blend
from gruworks.tasks.forecast.combination.bounds import Bounds
from gruworks.tasks.forecast.combination.conformal import Calibration, normal
from gruworks.tasks.forecast.config import Config
from gruworks.tasks.forecast.decoding import EncoderEngine, Engine, recent_scale
from gruworks.tasks.forecast.features.difference_ar import causal_scale
from gruworks.tasks.forecast.features.encoding import Codec
from gruworks.tasks.forecast.features.naive import naive_forecasts, or_last
from gruworks.tasks.forecast.features.smoothing import Smoother, fit_smoothers
from gruworks.tasks.forecast.models.deepar_data import SamplerEngine
from gruworks.tasks.forecast.models.segrnn_data import SegmentEngine
from gruworks.tasks.forecast.series.panel import Series

__all__ = ["ENGINES", "Member", "Predictor", "smoothers_of"]

Floats = NDArray[numpy.float64]
Key = tuple[str, int]  # name and target of a series
ENGINES: dict[str, type[Engine]] = {"encoder": EncoderEngine, "segment": SegmentEngine, "sampler": SamplerEngine}


@dataclass
class Member:
    """Combination of one series: its blend, and its smoothers with the timestamp of the row that they start from."""

    blend: Blend
    smoothers: list[Smoother] = field(default_factory=list)
    begun: Any = None

    def serves(self, series: Series) -> bool:
        """True where the smoothers were estimated on rows that `series` begins with."""
        at = self.smoothers[0].begin if self.smoothers else 0
        return not self.smoothers or (len(series) > at and series.timestamps[at] == self.begun)


@dataclass
class Predictor:
    """Engine, network (None: the autoregression on differences), combination, calibration, bounds.

    Args:
        blend: the panel's combination, for series that `members` doesn't have.
        members: combinations of the series of the fit.
    """

    engine: Engine
    config: Config
    codec: Codec
    model: torch.nn.Module | None
    blend: Blend = NETWORK_ALONE
    calibration: Calibration = field(default_factory=lambda: normal(1))
    members: dict[Key, Member] = field(default_factory=dict)
    bounds: Bounds = field(default_factory=Bounds)

    def blend_of(self, series: Series) -> Blend:
        """The combination of a series."""
        member = self.members.get((series.name, series.target))
        return self.blend if member is None else member.blend

    def uncalibrated(self, series: Series, origins: NDArray[Any], which: int = 0) -> Floats:
        """Low, median and high [O, K, 3] before calibration; `which` is the number of the series in the fit.

        Raises:
            DataError: a forecast beyond the range of float64.
        """
        blend, K = self.blend_of(series), self.config.horizon
        found = self.own(series, origins, which)
        if blend.weight < 1:
            naive = naive_forecasts(series, self.codec, origins, K, self.config.periods)
            smoothed = self.smoothed(series, origins, blend)
            found = blend.quantiles(found, or_last(naive, blend.naive), smoothed)
        if blend.width_weight < 1:
            scale = causal_scale(series.filled(), series.observed)[origins]
            found = numpy.asarray(blend.with_widths(found, scale[:, None]))
        if not numpy.isfinite(found).all():
            raise DataError(
                f"the forecast of series {series.name!r} is beyond every number {self.config.horizon} steps ahead: "
                "shorten the horizon, or forecast the logarithm of a growth like this",
                "beyond-numbers", series=series.name,
            )  # fmt: skip
        return found

    def own(self, series: Series, origins: NDArray[Any], which: int) -> Floats:
        """Low, median and high [O, K, 3] of the network or, without one, of the autoregression on differences."""
        found = self.engine.quantiles(self.model, series, origins, which)
        if self.model is None and self.blend.naive:
            width = recent_scale(series, origins, self.codec)[:, None]
            found = numpy.stack([found[..., 1] - width, found[..., 1], found[..., 1] + width], -1)
        return found

    def smoothed(self, series: Series, origins: NDArray[Any], blend: Blend) -> dict[str, Floats]:
        """Forecasts [O, K] of the smoothing methods that the blend takes."""
        known = self.smoothers(series, blend, int(origins[0]) + 1)
        return {one.name: one.forecasts(series, origins, self.config.horizon) for one in known}

    def smoothers(self, series: Series, blend: Blend, rows: int | None = None) -> list[Smoother]:
        """The smoothers that a blend takes: those of the fit or, for another history, estimated on its first `rows`."""
        if not blend.smoothing:
            return []
        member = self.members.get((series.name, series.target))
        known = member is not None and member.serves(series)
        found = (
            member.smoothers
            if member is not None and known
            else smoothers_of(series.until(rows or len(series)), self.codec, self.config)
        )
        return [one for one in found if one.name in blend.smoothing]

    def quantiles(self, series: Series, origins: NDArray[Any], shares: list[float], which: int = 0) -> Floats:
        """Calibrated quantiles [O, K, S] for the S probabilities `shares`, within the bounds."""
        with numpy.errstate(over="ignore", invalid="ignore"):
            found = self.calibration.quantiles(self.uncalibrated(series, origins, which), shares)
        return self.bounds.applied(found, series, origins)


def smoothers_of(series: Series, codec: Codec, config: Config) -> list[Smoother]:
    """The smoothers of a series, with the longest clear season of the calendar or of `periods`."""
    return fit_smoothers(series, list(codec.lags(len(series), config.periods).values()))
