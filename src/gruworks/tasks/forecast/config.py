"""Settings of a forecaster. The command line's flags and the page's forms are made from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gruworks.errors import OptionError
from gruworks.settings import Settings, setting
from gruworks.training.settings import FitSettings

__all__ = ["QUANTILES", "Config", "Options"]

QUANTILES = (0.1, 0.5, 0.9)  # what the network learns: an 80 % band around the median; other levels are calibrated


@dataclass(frozen=True)
class Config(Settings):
    """What is fitted and saved."""

    horizon: int = setting(14, "steps ahead to forecast", low=1, high=10_000)
    time: str = setting("ds", "name of the time column")
    target: str = setting("y", "name of the column to forecast; several with commas between")
    series: str = setting("unique_id", "name of the column that tells series apart, if there is one")
    date_format: str | None = setting(None, "how the dates are written, for example %d.%m.%Y, where not ISO 8601")
    static: tuple[str, ...] = setting((), "columns that are the same in all rows of a series, numbers or words")
    past: tuple[str, ...] = setting((), "columns known up to the last row only, numbers or words")
    future: tuple[str, ...] = setting((), "columns known for the rows to forecast too, numbers or words")
    model: Literal["encoder", "segment", "sampler"] = setting(
        "encoder", "encoder: GRU over all rows; segment: SegRNN over the last rows; sampler: DeepAR's sample paths"
    )
    season: bool = setting(True, "learn the calendar's seasons where dates and two whole seasons are there")
    periods: tuple[int, ...] = setting((), "seasons in steps, such as 24,168, where no calendar tells them")
    hidden_size: int = setting(32, "entries of the GRU's state", low=1, high=4096)
    layers: int = setting(1, "GRU layers", low=1, high=16)
    dropout: float = setting(0.2, "share of state entries zeroed in training", low=0.0, high=0.9)
    window: int = setting(
        256, "steps of one training window; all that the segment model looks back on", low=8, high=100_000, local=True
    )
    segment: int = setting(24, "steps of one segment of the segment model", low=1, high=10_000)
    norm: Literal["last", "mean", "revin", "moves"] = setting(
        "moves", "segment model: the last value taken off a window, or its mean size, RevIN, or its mean move"
    )
    linear: bool = setting(False, "segment model: a linear map of the look-back beside the GRU")
    distribution: Literal["student", "normal", "negative_binomial"] = setting(
        "student", "sampler: what a next value is drawn from; negative_binomial is for counts"
    )
    paths: int = setting(200, "sampler: paths drawn for one forecast", low=20, high=100_000, local=True)
    reset: Literal["after", "before"] = setting("after", "the GRU's reset form")
    validation: float = setting(
        0.15, "share of each series' last rows that is held out to choose on", low=0.01, high=0.5
    )
    refit: bool = setting(False, "fit once more on all rows, for as many steps as the held-out ones chose")
    gate: bool = setting(True, "mix the network with the best naive forecast, as far as validation shows skill")
    training: FitSettings = setting(FitSettings(), "the fit")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.model == "segment" and self.window % self.segment:
            raise OptionError(
                f"the segment model cuts its window into segments: window {self.window} is no multiple of segment "
                f"{self.segment}"
            )
        if self.model == "segment" and self.reset != "after":
            raise OptionError('the segment model\'s decoder is exact in the form reset="after" only')
        if self.model != "encoder" and self.covariates:
            raise OptionError(f"the {self.model} model reads the target alone, not {', '.join(self.covariates)}")
        if any(period < 2 for period in self.periods):
            raise OptionError(f"a season has two steps at least: periods {self.periods}")

    @property
    def targets(self) -> tuple[str, ...]:
        """The names of the target columns."""
        return tuple(name.strip() for name in self.target.split(","))

    @property
    def covariates(self) -> tuple[str, ...]:
        """The names of all covariates."""
        return self.static + self.past + self.future


@dataclass(frozen=True)
class Options(Settings):
    """What one evaluation or forecast may vary."""

    origins: int | None = setting(None, "rolling origins; as many as fit in the last quarter, at most 26", low=1)
    refit: int = setting(0, "fit anew before every so many origins; 0 fits once, before the first", low=0)
