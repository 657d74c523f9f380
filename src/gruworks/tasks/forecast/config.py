"""Settings of a forecaster. The command line's flags and the page's forms are made from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gruworks.settings import Settings, setting
from gruworks.training.settings import FitSettings

__all__ = ["QUANTILES", "Config", "Options"]

QUANTILES = (0.1, 0.5, 0.9)  # an 80 % band around the median


@dataclass(frozen=True)
class Config(Settings):
    """What is fitted and saved."""

    horizon: int = setting(14, "steps ahead to forecast", low=1, high=10_000)
    time: str = setting("ds", "name of the time column")
    target: str = setting("y", "name of the column to forecast")
    series: str = setting("unique_id", "name of the column that tells series apart, if there is one")
    date_format: str | None = setting(None, "how the dates are written, for example %d.%m.%Y, where not ISO 8601")
    season: bool = setting(True, "learn the calendar's seasons where dates and two whole seasons are there")
    hidden_size: int = setting(32, "entries of the GRU's state", low=1, high=4096)
    layers: int = setting(1, "GRU layers", low=1, high=16)
    dropout: float = setting(0.2, "share of state entries zeroed in training", low=0.0, high=0.9)
    window: int = setting(256, "steps of one training window", low=8, high=100_000)
    reset: Literal["after", "before"] = setting("after", "the GRU's reset form")
    training: FitSettings = setting(FitSettings(), "the fit")


@dataclass(frozen=True)
class Options(Settings):
    """What one evaluation may vary."""

    origins: int | None = setting(None, "rolling origins; as many as fit in the last quarter, at most 26", low=1)
