"""Predictor of a fitted forecaster: network, blend with a naive forecast, calibrated prediction intervals."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy
import torch
from numpy.typing import NDArray

from gruworks.errors import DataError
from gruworks.tasks.forecast.combination.blending import NETWORK_ALONE, Blend, fit_blend
from gruworks.tasks.forecast.combination.conformal import Calibration, calibrate, normal
from gruworks.tasks.forecast.config import Config
from gruworks.tasks.forecast.data import split_rows
from gruworks.tasks.forecast.decoding import EncoderEngine, Engine
from gruworks.tasks.forecast.features.difference_ar import causal_scale
from gruworks.tasks.forecast.features.encoding import Codec
from gruworks.tasks.forecast.features.naive import naive_forecasts, or_last
from gruworks.tasks.forecast.models.deepar_data import SamplerEngine
from gruworks.tasks.forecast.models.segrnn_data import SegmentEngine
from gruworks.tasks.forecast.series.panel import Series

__all__ = ["ENGINES", "Predictor", "fit_combination"]

Floats = NDArray[numpy.float64]
ENGINES: dict[str, type[Engine]] = {"encoder": EncoderEngine, "segment": SegmentEngine, "sampler": SamplerEngine}
MOST_JUDGED = 20_000  # validation forecasts that blend and calibration are computed from
FEWEST_JUDGED = 200  # of one series, where it has so many


@dataclass
class Predictor:
    """Engine, network (None: the autoregression on differences), blend, and calibration of the intervals."""

    engine: Engine
    config: Config
    codec: Codec
    model: torch.nn.Module | None
    blend: Blend = NETWORK_ALONE
    calibration: Calibration = field(default_factory=lambda: normal(1))

    def uncalibrated(self, series: Series, origins: NDArray[Any], which: int = 0) -> Floats:
        """Low, median and high [O, K, 3] before calibration; `which` is the number of the series in the fit.

        Raises:
            DataError: a forecast beyond the range of float64.
        """
        found = self.engine.quantiles(self.model, series, origins, which)
        if self.blend.weight < 1:
            naive = naive_forecasts(series, self.codec, origins, self.config.horizon, self.config.periods)
            found = self.blend.quantiles(found, or_last(naive, self.blend.naive))
        if not numpy.isfinite(found).all():
            raise DataError(
                f"the forecast of series {series.name!r} is beyond every number {self.config.horizon} steps ahead: "
                "shorten the horizon, or forecast the logarithm of a growth like this",
                "beyond-numbers", series=series.name,
            )  # fmt: skip
        return found

    def quantiles(self, series: Series, origins: NDArray[Any], shares: list[float], which: int = 0) -> Floats:
        """Calibrated quantiles [O, K, S] for the S probabilities `shares`."""
        with numpy.errstate(over="ignore", invalid="ignore"):
            return self.calibration.quantiles(self.uncalibrated(series, origins, which), shares)


def fit_combination(predictor: Predictor, panel: list[Series]) -> None:
    """Set blend and calibration from forecasts of the held-out rows."""
    config = predictor.config
    each = max(FEWEST_JUDGED, MOST_JUDGED // max(1, len(panel)))
    most = max(1, MOST_JUDGED // min(each, 20))
    chosen = numpy.random.default_rng(config.training.seed).permutation(len(panel))[:most]
    ours, naive, truth, scale = [], [], [], []
    room = MOST_JUDGED
    for which in sorted(map(int, chosen)):
        series = panel[which]
        rows = _held_out(series, config, min(each, max(1, MOST_JUDGED // len(chosen))))
        moved = causal_scale(series.filled(), series.observed)
        if not len(rows) or room <= 0 or not moved[rows[0]] > 0:
            continue
        room -= len(rows)
        ours.append(predictor.engine.quantiles(predictor.model, series, rows, which))
        naive.append(naive_forecasts(series, predictor.codec, rows, config.horizon, config.periods))
        truth.append(series.y[rows[:, None] + numpy.arange(1, config.horizon + 1)])
        scale.append(moved[rows])
    if not truth:
        return
    if config.blend:
        predictor.blend = fit_blend([one[..., 1] for one in ours], naive, truth, scale)
    if predictor.blend.weight < 1:
        ours = [predictor.blend.quantiles(o, n[predictor.blend.naive]) for o, n in zip(ours, naive, strict=True)]
    predictor.calibration = calibrate(ours, truth)


def _held_out(series: Series, config: Config, most: int) -> NDArray[numpy.int64]:
    """Origins of the validation rows [O], evenly spread where there are more than `most`."""
    _, first, last = split_rows(len(series), config.horizon, config.validation)
    rows = numpy.arange(max(first, 2), last)
    if len(rows) <= most:
        return rows
    return rows[numpy.unique(numpy.linspace(0, len(rows) - 1, most).astype(numpy.int64))]
