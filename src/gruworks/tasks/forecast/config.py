"""Settings of a forecaster, from which command-line flags and forms of the page are generated."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import ClassVar, Literal

from gruworks.errors import OptionError
from gruworks.settings import Settings, setting
from gruworks.training.settings import FitSettings

__all__ = ["QUANTILES", "Combine", "Config", "Every", "Options", "Reading", "column_names"]

Every = Literal["row", "hour", "day", "week", "month", "quarter", "year"]
Combine = Literal["sum", "mean", "count", "min", "max", "last"]
QUANTILES = (0.1, 0.5, 0.9)  # outputs of the network: median and 80 % interval; other levels are calibrated


@dataclass(frozen=True)
class Reading(Settings):
    """Format of a table, where it isn't found in the table itself, and the treatment of what is missing in it."""

    panel: ClassVar[str] = "Data"

    separator: str = setting("auto", "separator of the columns of a text file, such as ; or tab")
    encoding: str | None = setting(None, "encoding of a text file that is not Unicode, for example cp1252 or gb18030")
    comment: str = setting("#", "first characters of comment lines")
    skip: int | None = setting(None, "number of lines before the header; found if not given", low=0)
    sheet: str | None = setting(None, "sheet of a workbook; the first if not given")
    decimal: Literal["auto", ".", ","] = setting("auto", "decimal mark of numbers in text")
    missing: tuple[str, ...] = setting((), "further marks of missing values, besides empty, NA, N/A, ?, - and .")
    fill: Literal["missing", "last", "0"] = setting(
        "missing", "rows and values that are missing between others: missing, the last value, or 0 (days without sales)"
    )
    every: Every = setting(
        "row", "combine the rows of each hour, day, week, month, quarter or year into one; row: as they are"
    )
    combine: Combine = setting(
        "sum", "with every: the rows of a period as their sum, mean, number, least, greatest or last value"
    )
    strict: bool = setting(False, "refuse data with a series that can't be used, instead of leaving the series out")


@dataclass(frozen=True)
class Config(Settings):
    """Hyperparameters of a forecaster and names of the columns, saved with a fit."""

    panels: ClassVar[dict[str, str]] = dict.fromkeys(
        ("horizon", "time", "target", "series", "date_format", "static", "past", "future", "season", "periods",
         "validation", "min", "max", "holidays"), "Data"
    )  # fmt: skip

    horizon: int = setting(14, "forecast horizon in steps", low=1, high=10_000)
    time: str = setting("ds", "name of the time column; several, such as year,month or date,time, with commas between")
    target: str = setting("y", "name of the target column; several with commas between")
    series: str = setting(
        "unique_id", "name of the column that identifies the series, if there is one; several with commas between"
    )
    date_format: str | None = setting(
        None, "format of the dates, for example %d.%m.%Y or DD/MM/YYYY, seconds, serial, numbers; found if not given"
    )
    static: tuple[str, ...] = setting(
        (), "static covariates: columns with one value for all rows of a series, numbers or words"
    )
    past: tuple[str, ...] = setting((), "past covariates: columns known up to the last row only, numbers or words")
    future: tuple[str, ...] = setting(
        (), "future covariates: columns known for the rows to forecast too, numbers or words"
    )
    holidays: str | None = setting(
        None, "country whose public holidays are a covariate of days and hours, such as DE or US-CA"
    )
    model: Literal["encoder", "segment", "sampler"] = setting(
        "encoder",
        "encoder: GRU over all rows; segment: SegRNN over a look-back window; sampler: DeepAR, by sample paths",
    )
    season: bool = setting(True, "model the seasons of the calendar where there are dates and two whole seasons")
    periods: tuple[int, ...] = setting(
        (), "seasonal periods in steps, such as 24,168, in addition to those of the calendar"
    )
    hidden_size: int = setting(32, "hidden size of the GRU", low=1, high=4096)
    num_layers: int = setting(1, "number of GRU layers", low=1, high=16)
    dropout: float = setting(0.2, "dropout probability", low=0.0, high=0.9)
    window: int = setting(
        256, "steps of a training window; the look-back window of the segment model", low=8, high=100_000, local=True
    )
    segment: int = setting(24, "segment model: steps of a segment", low=1, high=10_000)
    norm: Literal["last", "mean", "revin", "moves"] = setting(
        "moves", "segment model, normalization of a window: by its last value, mean size, RevIN, or mean move"
    )
    linear: bool = setting(False, "segment model: a linear map of the look-back window beside the GRU")
    distribution: Literal["student", "normal", "negative_binomial"] = setting(
        "student", "sampler: distribution of the next value; negative_binomial is for counts"
    )
    paths: int = setting(200, "sampler: sample paths drawn for one forecast", low=20, high=100_000, local=True)
    reset: Literal["after", "before"] = setting("after", "reset form of the GRU")
    validation: float = setting(
        0.15, "fraction of the rows of each series, the last ones, held out for validation", low=0.01, high=0.5
    )
    refit: bool = setting(False, "fit again on all rows, for the number of steps that early stopping chose")
    blend: bool = setting(
        True, "combine the network with statistical baselines, weighted by their errors at rolling origins"
    )
    smoothing: bool = setting(True, "let exponential smoothing and Theta be members of the combination")
    min: float | None = setting(
        None, "floor of all forecasts; by default 0 where no value is below 0 and several are 0"
    )
    max: float | None = setting(None, "cap of all forecasts")
    reading: Reading = setting(Reading(), "the format of the data")
    training: FitSettings = setting(FitSettings(), "the fit")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.model == "segment" and self.window < self.segment:
            raise OptionError(
                f"the segment model cuts its window into segments: expected a window of {self.segment} steps (segment) "
                f"at least, got {self.window}"
            )
        if self.model == "segment" and self.reset != "after":
            raise OptionError('the segment model\'s decoder is exact in the form reset="after" only')
        if self.model != "encoder" and self.covariates:
            raise OptionError(f"the {self.model} model reads the target alone, not {', '.join(self.covariates)}")
        if self.model != "encoder" and self.holidays:
            raise OptionError(f"the {self.model} model reads the target alone, without holidays: use model=encoder")
        self._check_roles()
        if self.min is not None and self.max is not None and self.min > self.max:
            raise OptionError(f"min must be at most max, not {self.min:g} beside {self.max:g}")
        if any(period < 2 for period in self.periods):
            raise OptionError(f"a season has two steps at least: periods {self.periods}")

    def _check_roles(self) -> None:
        """Refuse a column with two roles."""
        taken = dict.fromkeys(self.targets, "target") | {self.time: "time", self.series: "series"}
        for role in ("static", "past", "future"):
            for name in getattr(self, role):
                if name in taken:
                    raise OptionError(f"expected one role for each column, but {name!r} is {taken[name]} and {role}")
                taken[name] = role

    @property
    def look_back(self) -> int:
        """Steps of a window; of the segment model the largest multiple of `segment` in it."""
        return self.window // self.segment * self.segment if self.model == "segment" else self.window

    @property
    def targets(self) -> tuple[str, ...]:
        """The names of the target columns."""
        return column_names(self.target)

    @property
    def covariates(self) -> tuple[str, ...]:
        """Column names of all covariates: known in the future, known in the past only, and static."""
        return self.static + self.past + self.future


def column_names(text: str) -> tuple[str, ...]:
    """Names of columns separated by commas; one that has a comma itself is quoted.

    >>> column_names('year, month'), column_names('"load, MW",price')
    (('year', 'month'), ('load, MW', 'price'))
    """
    plain = " ".join(text.split())
    return tuple(name.strip() for name in next(csv.reader([plain], skipinitialspace=True), [plain]))


@dataclass(frozen=True)
class Options(Settings):
    """Options of one evaluation or backtest."""

    panel: ClassVar[str] = "Output"

    origins: int | None = setting(
        None, "number of rolling origins; by default as many as fit in the last quarter, at most 26", low=1
    )
    refit: int = setting(0, "number of origins between fits; 0 fits once, before the first origin", low=0)
