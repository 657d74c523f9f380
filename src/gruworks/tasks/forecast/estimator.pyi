# Types of gruworks.tasks.forecast.estimator with every setting: written by docs/make_signatures.py
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy
import torch
from numpy.typing import NDArray

from gruworks.settings import Settings
from gruworks.tasks.estimator import Estimator
from gruworks.tasks.forecast.backtesting import Backtest
from gruworks.tasks.forecast.combination.blending import Blend
from gruworks.tasks.forecast.combination.bounds import Bounds
from gruworks.tasks.forecast.combination.conformal import Calibration
from gruworks.tasks.forecast.combination.predictor import Key, Member, Predictor
from gruworks.tasks.forecast.config import Config
from gruworks.tasks.forecast.decomposition import Decomposition
from gruworks.tasks.forecast.evaluation import Evaluation
from gruworks.tasks.forecast.features.encoding import Codec
from gruworks.tasks.forecast.series.frequency import Frequency
from gruworks.tasks.forecast.series.panel import Panel, Series
from gruworks.tasks.forecast.streaming import Observed, Streams
from gruworks.training.checked import Check
from gruworks.training.runs import RunFolder

__all__ = ["Forecaster"]

class Forecaster(Estimator):
    """Forecasts of one or many time series by a GRU, with calibrated prediction intervals of any level.

    >>> Forecaster(horizon=2).fit([1, 2, 3, 4, 5]).predict()["y_hat"].tolist()
    [6.0, 7.0]

    `Forecaster(horizon=14, time="date", target="temp_max").fit(frame).predict()` takes and returns frames of pandas,
    polars or another library that narwhals supports; `fit("file.csv")` reads a CSV, Parquet, Arrow or Excel file, and
    the first of `fit_warnings` tells what was guessed about its format. The inputs of the network are differences over
    a causal scale, so f(a·y + b) = a·f(y) + b for a > 0. The network is blended with the best naive forecast, with a
    weight chosen on held-out rows (`blend`). Where there are too few rows to train on, the forecast is an
    autoregression on differences; `fit_warnings` tells so, and what was found in the data.

    Args:
        config: all settings in one object, instead of single ones.
        horizon (int, default 14): forecast horizon in steps; between 1 and 10000
        time (str, default 'ds'): name of the time column; several, such as year,month or date,time, with commas
            between
        target (str, default 'y'): name of the target column; several with commas between
        series (str, default 'unique_id'): name of the column that identifies the series, if there is one; several
            with commas between
        date_format (str | None, default None): format of the dates, for example %d.%m.%Y or DD/MM/YYYY, seconds,
            serial, numbers; found if not given
        static (tuple[str, ...], default ()): static covariates: columns with one value for all rows of a series,
            numbers or words
        past (tuple[str, ...], default ()): past covariates: columns known up to the last row only, numbers or words
        future (tuple[str, ...], default ()): future covariates: columns known for the rows to forecast too, numbers
            or words
        holidays (str | None, default None): country whose public holidays are a covariate of days and hours, such
            as DE or US-CA
        model (Literal['encoder', 'segment', 'sampler'], default 'encoder'): encoder: GRU over all rows; segment:
            SegRNN over a look-back window; sampler: DeepAR, by sample paths
        season (bool, default True): model the seasons of the calendar where there are dates and two whole seasons
        periods (tuple[int, ...], default ()): seasonal periods in steps, such as 24,168, in addition to those of
            the calendar
        hidden_size (int, default 32): hidden size of the GRU; between 1 and 4096
        num_layers (int, default 1): number of GRU layers; between 1 and 16
        dropout (float, default 0.2): dropout probability; between 0.0 and 0.9
        window (int, default 256): steps of a training window; the look-back window of the segment model; between 8
            and 100000
        segment (int, default 24): segment model: steps of a segment; between 1 and 10000
        norm (Literal['last', 'mean', 'revin', 'moves'], default 'moves'): segment model, normalization of a window:
            by its last value, mean size, RevIN, or mean move
        linear (bool, default False): segment model: a linear map of the look-back window beside the GRU
        distribution (Literal['student', 'normal', 'negative_binomial'], default 'student'): sampler: distribution
            of the next value; negative_binomial is for counts
        paths (int, default 200): sampler: sample paths drawn for one forecast; between 20 and 100000
        reset (Literal['after', 'before'], default 'after'): reset form of the GRU
        validation (float, default 0.15): fraction of the rows of each series, the last ones, held out for
            validation; between 0.01 and 0.5
        refit (bool, default False): fit again on all rows, for the number of steps that early stopping chose
        blend (bool, default True): combine the network with statistical baselines, weighted by their errors at
            rolling origins
        smoothing (bool, default True): let exponential smoothing and Theta be members of the combination
        min (float | None, default None): floor of all forecasts; by default 0 where no value is below 0 and several
            are 0
        max (float | None, default None): cap of all forecasts
        separator (str, default 'auto'): separator of the columns of a text file, such as ; or tab
        encoding (str | None, default None): encoding of a text file that is not Unicode, for example cp1252 or
            gb18030
        comment (str, default '#'): first characters of comment lines
        skip (int | None, default None): number of lines before the header; found if not given; at least 0
        sheet (str | None, default None): sheet of a workbook; the first if not given
        decimal (Literal['auto', '.', ','], default 'auto'): decimal mark of numbers in text
        missing (tuple[str, ...], default ()): further marks of missing values, besides empty, NA, N/A, ?, - and .
        fill (Literal['missing', 'last', '0'], default 'missing'): rows and values that are missing between others:
            missing, the last value, or 0 (days without sales)
        every (Literal['row', 'hour', 'day', 'week', 'month', 'quarter', 'year'], default 'row'): combine the rows
            of each hour, day, week, month, quarter or year into one; row: as they are
        combine (Literal['sum', 'mean', 'count', 'min', 'max', 'last'], default 'sum'): with every: the rows of a
            period as their sum, mean, number, least, greatest or last value
        strict (bool, default False): refuse data with a series that can't be used, instead of leaving the series
            out
        steps (int, default 600): maximum number of optimizer steps; 0: as many as fit into minutes; at least 0
        minutes (float, default 20.0): maximum duration in minutes; between 0.01 and 600.0
        patience (int, default 8): early stopping: validations without improvement before the fit ends; at least 1
        validate_every (int, default 20): optimizer steps between validations; each validation writes a checkpoint;
            at least 1
        batch_size (int, default 8): batch size; at least 1
        learning_rate (float, default 0.003): learning rate after warm-up; between 1e-08 and 10.0
        optimizer (Literal['adamw', 'adadelta'], default 'adamw'): optimizer; adadelta has rho 0.95 and eps 1e-6
        schedule (Literal['cosine', 'inverse_square_root', 'constant'], default 'cosine'): learning rate schedule
            after warm-up
        rate_floor (float, default 0.05): lowest learning rate of the schedule, as a fraction of the highest;
            between 0 and 1
        warm_up (int, default 20): warm-up steps, in which the learning rate rises linearly; at least 0
        weight_decay (float, default 0.01): decoupled weight decay; at least 0.0
        clip (float, default 1.0): gradient clipping: largest norm of the gradient; at least 1e-06
        averaged_steps (int, default 50): steps over which the weights are averaged; 1 turns averaging off; at least
            1
        threads (int, default 1): threads; 0 takes torch's default, for large models; between 0 and 1024
        devices (int, default 1): processes or GPUs of data-parallel training; between 1 and 1024
        seed (int, default 0): seed of the random number generators; at least 0

    Raises:
        OptionError: an unknown setting, or a value that it can't have.
    """

    config: Config
    codec: Codec | None
    blend: Blend
    calibration: Calibration
    members: dict[Key, Member]
    bounds: Bounds
    fit_warnings: list[str]
    streams: Streams
    task: ClassVar[str]
    config_class: ClassVar[type[Settings]]
    codec_check: ClassVar[Check]

    def __init__(
        self,
        config: Config | None = None,
        *,
        horizon: int = 14,
        time: str = "ds",
        target: str = "y",
        series: str = "unique_id",
        date_format: str | None = None,
        static: tuple[str, ...] = (),
        past: tuple[str, ...] = (),
        future: tuple[str, ...] = (),
        holidays: str | None = None,
        model: Literal["encoder", "segment", "sampler"] = "encoder",
        season: bool = True,
        periods: tuple[int, ...] = (),
        hidden_size: int = 32,
        num_layers: int = 1,
        dropout: float = 0.2,
        window: int = 256,
        segment: int = 24,
        norm: Literal["last", "mean", "revin", "moves"] = "moves",
        linear: bool = False,
        distribution: Literal["student", "normal", "negative_binomial"] = "student",
        paths: int = 200,
        reset: Literal["after", "before"] = "after",
        validation: float = 0.15,
        refit: bool = False,
        blend: bool = True,
        smoothing: bool = True,
        min: float | None = None,
        max: float | None = None,
        separator: str = "auto",
        encoding: str | None = None,
        comment: str = "#",
        skip: int | None = None,
        sheet: str | None = None,
        decimal: Literal["auto", ".", ","] = "auto",
        missing: tuple[str, ...] = (),
        fill: Literal["missing", "last", "0"] = "missing",
        every: Literal["row", "hour", "day", "week", "month", "quarter", "year"] = "row",
        combine: Literal["sum", "mean", "count", "min", "max", "last"] = "sum",
        strict: bool = False,
        steps: int = 600,
        minutes: float = 20.0,
        patience: int = 8,
        validate_every: int = 20,
        batch_size: int = 8,
        learning_rate: float = 0.003,
        optimizer: Literal["adamw", "adadelta"] = "adamw",
        schedule: Literal["cosine", "inverse_square_root", "constant"] = "cosine",
        rate_floor: float = 0.05,
        warm_up: int = 20,
        weight_decay: float = 0.01,
        clip: float = 1.0,
        averaged_steps: int = 50,
        threads: int = 1,
        devices: int = 1,
        seed: int = 0,
    ) -> None: ...
    @property
    def fitted(self) -> bool: ...
    @property
    def history(self) -> list[Series]: ...
    @property
    def frequency(self) -> Frequency: ...
    @property
    def combination(self) -> str: ...
    @property
    def predictor(self) -> Predictor: ...
    def fit(  # type: ignore[override]
        self, data: Any, *, out: Path | str | None = None, resume: bool = False, quiet: bool | None = None
    ) -> Self: ...
    def continue_fit(  # type: ignore[override]
        self, data: Any, *, out: Path | str | None = None, quiet: bool | None = None
    ) -> Self: ...
    def predict(
        self, data: Any = None, *, level: Sequence[float] = (80,), future: Any = None, mean: bool = False
    ) -> Any: ...
    def update(self, data: Any, run: Path | str | None = None) -> Self: ...
    def observe(self, value: float, series: str | None = None) -> Observed: ...
    def sample(self, paths: int = 100, data: Any = None) -> NDArray[numpy.float64]: ...
    def evaluate(
        self, data: Any, *, quiet: bool | None = None, origins: int | None = None, refit: int = 0
    ) -> Evaluation:
        """Rolling-origin errors beside those of the naive forecasts; see `backtest`.

        Args:
            data: as in `fit`.
            quiet: True for no progress bar.
            origins (int | None, default None): number of rolling origins; by default as many as fit in the last
                quarter, at most 26; at least 1
            refit (int, default 0): number of origins between fits; 0 fits once, before the first origin; at least 0

        Returns:
            MAE and MASE of the model and of each naive forecast, best first, and the coverage of the interval.

        Raises:
            DataError, TooShortError: as `backtest`.
        """
        ...

    def backtest(self, data: Any, *, quiet: bool | None = None, origins: int | None = None, refit: int = 0) -> Backtest:
        """Forecasts at rolling origins, a horizon apart, beside the true values and the naive forecasts.

        An unfitted forecaster is fitted to the rows before the first origin, and again before every `refit`-th one. A
        fitted one stays as it is, and is tested on rows after those of its fit.

        Args:
            data: as in `fit`.
            quiet: True for no progress bar.
            origins (int | None, default None): number of rolling origins; by default as many as fit in the last
                quarter, at most 26; at least 1
            refit (int, default 0): number of origins between fits; 0 fits once, before the first origin; at least 0

        Returns:
            Forecasts and true values at each origin; `evaluation()` scores them.

        Raises:
            TooShortError: too few rows for the origins, or none that the fit has not seen.
        """
        ...

    def held_out(self) -> Evaluation | None: ...
    def read(self, data: Any) -> Panel: ...
    def joined(self, panel: Panel, whole: bool = False) -> Panel: ...
    def naive(self, series: Series) -> dict[str, NDArray[numpy.float64]]: ...
    def explain(self, series: str | None = None, step: int | None = None) -> Any: ...
    def decompose(self, series: str | None = None, last: int | None = None) -> Decomposition: ...
    def _read_data(self, data: Any, validation: Any) -> tuple[Panel, dict[str, Any]]: ...
    def _prepare(self, read: Panel) -> None: ...
    def _learn(self, prepared: None, run: RunFolder, quiet: bool, resume: bool) -> None: ...
    def _new_model(self) -> torch.nn.Module | None: ...
    def _give(self) -> tuple[dict[str, Any], dict[str, Any]]: ...
    def _take(self, codec: dict[str, Any], context: dict[str, Any]) -> None: ...
