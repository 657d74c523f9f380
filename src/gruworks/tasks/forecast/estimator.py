"""Forecaster: time-series forecasts with prediction intervals, from a file, a data frame or plain numbers."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy
import torch
from numpy.typing import NDArray

from gruworks.errors import DataError, OptionError
from gruworks.settings import Settings
from gruworks.tasks.estimator import Estimator, data_facts
from gruworks.tasks.forecast.backtesting import Backtest, backtest, held_out
from gruworks.tasks.forecast.combination.blending import AUTOREGRESSION, NETWORK_ALONE, Blend
from gruworks.tasks.forecast.combination.bounds import Bounds
from gruworks.tasks.forecast.combination.conformal import Calibration, normal
from gruworks.tasks.forecast.combination.predictor import ENGINES, Key, Member, Predictor
from gruworks.tasks.forecast.combination.selection import fit_combination
from gruworks.tasks.forecast.config import Config, Options
from gruworks.tasks.forecast.data import FEWEST_ORIGINS, with_seasonal_lag
from gruworks.tasks.forecast.decomposition import Decomposition, decompose
from gruworks.tasks.forecast.evaluation import Evaluation, origin_rows
from gruworks.tasks.forecast.features.encoding import Codec
from gruworks.tasks.forecast.features.naive import naive_forecasts
from gruworks.tasks.forecast.frames import MEAN_SHARES, forecast_frame, levels, with_future, with_mean
from gruworks.tasks.forecast.persistence import CODEC, check_codec, pack, pack_members, unpack, unpack_members
from gruworks.tasks.forecast.series.alignment import Fitted
from gruworks.tasks.forecast.series.columns import Formats, FrameTypes
from gruworks.tasks.forecast.series.frequency import Frequency
from gruworks.tasks.forecast.series.joining import continues, join
from gruworks.tasks.forecast.series.panel import Panel, Series
from gruworks.tasks.forecast.series.reading import read
from gruworks.tasks.forecast.streaming import Observed, Streams
from gruworks.tasks.signatures import takes
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

    Raises:
        OptionError: an unknown setting, or a value that it can't have.
    """

    task: ClassVar[str] = "forecast"
    config_class: ClassVar[type[Settings]] = Config
    codec_check: ClassVar[Check] = staticmethod(CODEC)

    def __init__(self, config: Settings | None = None, **settings: Any) -> None:
        super().__init__(config, **settings)
        self.codec: Codec | None = None
        self.blend: Blend = NETWORK_ALONE
        self.calibration: Calibration = normal(self.config.horizon)
        self.members: dict[Key, Member] = {}
        self.bounds = Bounds(self.config.min, self.config.max)
        self.backend, self.formats, self.types = "pandas", Formats(), FrameTypes()
        self.fit_warnings: list[str] = []
        self.streams = Streams([])

    @property
    def fitted(self) -> bool:
        return self.codec is not None

    @property
    def history(self) -> list[Series]:
        """The fitted series, with the values observed since."""
        return self.streams.history

    @property
    def frequency(self) -> Frequency:
        """The frequency inferred from the fitted timestamps."""
        return self._codec.frequency

    @property
    def combination(self) -> str:
        """The weights of the forecast in words."""
        if self.model is None and self.blend.weight < 1:
            return self.blend.parts(AUTOREGRESSION)
        return str(self.blend) if self.model is not None else "autoregression on differences alone"

    @property
    def predictor(self) -> Predictor:
        """The network, the blend with a naive forecast and the calibration of the prediction intervals."""
        engine = ENGINES[self.config.model](self.config, self._codec, len(self.streams.series))
        return Predictor(
            engine, self.config, self._codec, self.model, self.blend, self.calibration, self.members, self.bounds
        )

    def fit(  # type: ignore[override]
        self, data: Any, *, out: Path | str | None = None, resume: bool = False, quiet: bool | None = None
    ) -> Self:
        """Fit to `data`: the path of a file, a frame in long format, or a sequence of numbers.

        Args:
            data: the path, the frame or the numbers; of several series, the column `series` has the names.
            out: the run folder to write; without it everything stays in memory (see `save`).
            resume: continue from the last checkpoint in `out`, with the settings and data of that run.
            quiet: True for no progress bar; by default there is one on a terminal.

        Returns:
            This object, fitted.

        Raises:
            DataError, TooShortError: what is wrong with the data and where.
            RunError: `out` is taken, or there is nothing to resume.
        """
        return super().fit(data, out=out, resume=resume, quiet=quiet)

    def continue_fit(  # type: ignore[override]
        self, data: Any, *, out: Path | str | None = None, quiet: bool | None = None
    ) -> Self:
        """Continue training from the present weights, on the fitted rows and those of `data` after them.

        Seasons, words of covariates and scales stay those of the first fit; blend and calibration are computed anew.
        """
        panel = self.read(data)
        new = {(one.name, one.target) for one in panel.series}
        kept = [one for one in self.history if (one.name, one.target) not in new]
        trial = type(self)(self.config)
        if self.model is not None:
            trial.codec, trial.model = self.codec, self.model
        return self._fit(trial, replace(panel, series=kept + panel.series), None, out, False, quiet)

    def predict(
        self, data: Any = None, *, level: Sequence[float] = (80,), future: Any = None, mean: bool = False
    ) -> Any:
        """Forecast the rows after the last one of `data`, or after the fitted ones: a frame of the caller's type.

        Columns: unique_id, ds, y_hat (the median), and for each level y_hat-lo-80 and y_hat-hi-80. With several
        targets, NAME_hat in the place of y_hat.

        Args:
            data: as in `fit`, or the result of `read`: one row or more. Rows that begin within the fitted ones or
                after them are joined to these by their timestamps, see `update`; other rows are a history of their own.
            level: levels of the prediction intervals in percent.
            future: covariates of the rows to forecast, where `data` has no rows for them.
            mean: True for a further column y_hat-mean, the mean of the forecast distribution: above the median for
                intermittent demand, and additive over series.

        Returns:
            A frame of the type given to `fit`, or to `predict`, with `horizon` rows for each series.

        Raises:
            DataError, TooShortError: what is wrong with the data and where.
            OptionError: a level that is not between 0 and 100.
            NotFittedError: called before `fit` or `load`.
        """
        self._need_fit()
        panel = None if data is None else self._warned(self._panel(data), data)
        series = self.history if panel is None else panel.series
        series = with_future(series, future, self.config, self._codec, self.formats)
        shares, carried = levels(level) + (list(MEAN_SHARES) if mean else []), panel is None and future is None
        found = [self._last(one, shares, carried) for one in series]
        backend: Any = self.backend if panel is None else panel.backend
        types = self.types if panel is None else panel.types
        if mean:
            found = [with_mean(one, len(MEAN_SHARES)) for one in found]
        return forecast_frame(series, found, level, self.config, self.frequency, backend, types)

    def update(self, data: Any, run: Path | str | None = None) -> Self:
        """Join new rows to the fitted series, so that forecasts begin after them. Nothing is trained.

        Rows are joined by their timestamps: a value of a time that is there already replaces it, with a warning where
        the two differ; rows that are skipped are missing. One row is enough.

        Args:
            data: as in `fit`, of series of the fit.
            run: the run folder of this forecaster, to store the result in.

        Returns:
            This object, with the rows joined.

        Raises:
            DataError: rows that are off the frequency, or of no series of the fit.
            NotFittedError: called before `fit` or `load`.
        """
        self._need_fit()
        panel = self._warned(self._read(data, whole=True), data)
        new = {(one.name, one.target): one for one in panel.series}
        unknown = sorted({name for name, target in new if (name, target) not in self.streams.numbers})
        if unknown:
            told = f"the fit has no series {', '.join(unknown[:5])}: fit anew with their rows"
            if self.config.reading.strict or not new.keys() & self.streams.numbers.keys():
                raise DataError(told)
            warnings.warn(told, stacklevel=2)
        series = [new.get((one.name, one.target), one) for one in self.history]
        self.streams = Streams(series, self.frequency)
        if run is not None:
            self._write(RunFolder.open(run, self.task, resume=True))
        return self

    def observe(self, value: float, series: str | None = None) -> Observed:
        """Append a value to a series and return the forecast after it, without encoding the history again.

        The cost doesn't depend on the length of the history, and the forecast equals that of `predict` on all rows. NaN
        is a missing value. The models "segment" and "sampler" encode their last window anew, and so does the encoder
        with covariates, several targets or irregular timestamps: see `Observed.carried`.

        Args:
            value: the next value, in the unit of the series.
            series: its name; None if there is one series only.

        Returns:
            Median and 80 % interval of each step ahead.

        Raises:
            DataError: an infinite value, or an unknown series.
            NotFittedError: called before `fit` or `load`.
        """
        self._need_fit()
        return self.streams.observe(value, series, lambda: self.predictor)

    def sample(self, paths: int = 100, data: Any = None) -> NDArray[numpy.float64]:
        """Sample paths [series, paths, horizon] after the last row, of model="sampler" only."""
        self._need_fit()
        if self.config.model != "sampler" or self.model is None:
            raise OptionError('sample paths need a fitted Forecaster(model="sampler")')
        from gruworks.tasks.forecast.models.deepar_data import sampled_paths

        series = self.history if data is None else self.read(data).series
        net: Any = self.model
        drawn = [sampled_paths(net, s, self._codec, self.config, numpy.array([len(s) - 1]), paths) for s in series]
        return numpy.concatenate(drawn)

    @takes(Options)
    def evaluate(self, data: Any, *, quiet: bool | None = None, **options: Any) -> Evaluation:
        """Rolling-origin errors beside those of the naive forecasts; see `backtest`.

        Args:
            data: as in `fit`.
            quiet: True for no progress bar.

        Returns:
            MAE and MASE of the model and of each naive forecast, best first, and the coverage of the interval.

        Raises:
            DataError, TooShortError: as `backtest`.
        """
        return self.backtest(data, quiet=quiet, **options).evaluation()

    @takes(Options)
    def backtest(self, data: Any, *, quiet: bool | None = None, **options: Any) -> Backtest:
        """Forecasts at rolling origins, a horizon apart, beside the true values and the naive forecasts.

        An unfitted forecaster is fitted to the rows before the first origin, and again before every `refit`-th one. A
        fitted one stays as it is, and is tested on rows after those of its fit.

        Args:
            data: as in `fit`.
            quiet: True for no progress bar.

        Returns:
            Forecasts and true values at each origin; `evaluation()` scores them.

        Raises:
            TooShortError: too few rows for the origins, or none that the fit has not seen.
        """
        chosen, fresh, panel = Options.from_flat(options), not self.fitted, self._panel(data)
        rows = [
            origin_rows(len(one), self.config.horizon, chosen.origins, None if fresh else self._seen(one))
            for one in panel.series
        ]

        def predictor(before: Panel) -> Predictor:
            return (self.fit(before, quiet=quiet) if fresh else self).predictor

        return backtest(panel, rows, predictor, lambda one: self.streams.number(one), chosen.refit if fresh else 0)

    def held_out(self) -> Evaluation | None:
        """Errors on the validation rows of the fit: slightly optimistic, since blend and intervals were set by them."""
        self._need_fit()
        return held_out(self.predictor, self.history)

    def read(self, data: Any) -> Panel:
        """The checked series of `data`, after the fitted rows where they continue these.

        Raises:
            DataError: a frequency other than that of the fit.
        """
        return self._read(data)

    def _read(self, data: Any, whole: bool = False) -> Panel:
        self._need_fit()
        if isinstance(data, Panel):
            return self.joined(data, whole)
        fitted = Fitted(self.frequency, frozenset(one.name for one in self.streams.series))
        return self.joined(read(data, self.config, self.formats, fitted), whole)

    def joined(self, panel: Panel, whole: bool = False) -> Panel:
        """`panel` with the fitted rows before those that continue them; with `whole` also those after them."""
        series, changed = [], 0
        for one in panel.series:
            known = self.streams.known(one)
            if known is not None and (whole or continues(one, known, self.frequency)):
                one, count = join(known, one, self.frequency, whole)
                changed += count
            series.append(one)
        if not changed:
            return replace(panel, series=series)
        told = f"{changed} values differ from those that the fit has for the same times: they replace them"
        return replace(panel, series=series, notes=(*panel.notes, told), warnings=(*panel.warnings, told))

    def _warned(self, panel: Panel, data: Any) -> Panel:
        """The panel, after warnings about values that were left out or replaced; a caller of `read` has them."""
        if not isinstance(data, Panel):
            for told in panel.warnings:
                warnings.warn(told, stacklevel=3)
        return panel

    def naive(self, series: Series) -> dict[str, NDArray[numpy.float64]]:
        """Naive forecasts [1, horizon] by name after the last row of a series."""
        last = numpy.array([len(series) - 1])
        return naive_forecasts(series, self._codec, last, self.config.horizon, self.config.periods)

    def explain(self, series: str | None = None, step: int | None = None) -> Any:
        """Attribution of a forecast to inputs, lags and components; see `explaining.explain`."""
        from gruworks.tasks.forecast.explaining import explain

        self._need_fit()
        return explain(self.predictor, self.streams.find(series), step)

    def decompose(self, series: str | None = None, last: int | None = None) -> Decomposition:
        """Trend, seasons, holiday effect and remainder of a fitted series; see `decomposition.decompose`."""
        self._need_fit()
        return decompose(self.streams.find(series)[0], self._codec, self.config.holidays, last)

    def _read_data(self, data: Any, validation: Any) -> tuple[Panel, dict[str, Any]]:
        panel = self._panel(data)
        self.config = panel.config or self.config
        return panel, data_facts(panel.digest(), sum(map(len, panel.series)))

    def _prepare(self, read: Panel) -> None:
        """Set codec and history; the codec of a fit that is continued is kept."""
        self.codec = self.codec or with_seasonal_lag(Codec.of(read, self.config), read, self.config)
        self.streams = Streams(read.series, read.frequency)
        self.backend, self.fit_warnings = read.backend, list(read.notes)
        self.formats, self.types = read.formats, read.types

    def _learn(self, prepared: None, run: RunFolder, quiet: bool, resume: bool) -> None:
        first, self.model, self.metrics = self.model, None, {"trained": False}
        self.blend, self.members = NETWORK_ALONE, {}
        engine = self.predictor.engine
        windows = engine.windows(self.history)
        learnable = round(float(sum(windows.learnable)))
        if learnable < FEWEST_ORIGINS:
            self.codec = replace(self._codec, lag=0)  # the autoregression alone is that of the differences
            self._judge()
            rows = sum(map(len, self.history))
            alone = not self.blend.naive or self.blend.weight == 1
            instead = "an autoregression on differences alone" if alone else self.blend.parts(AUTOREGRESSION)
            self.fit_warnings.append(
                f"{learnable} of {rows} rows can be trained on at horizon {self.config.horizon}, too few "
                f"({FEWEST_ORIGINS} are needed): the forecast is {instead}"
            )
            return
        from gruworks.tasks.forecast.fitting import fit_all_rows, fit_windows

        model = self._network()
        if first is not None:
            model.load_state_dict(first.state_dict())
        fitted = fit_windows(model, windows, self.config, run, quiet, resume, first is None)
        self.model = model
        self._judge()
        if self.config.refit:
            self.model = self._network()
            whole = engine.windows(self.history, whole=True)
            fit_all_rows(self.model, whole, self.config, run, quiet, fitted.best_step)
        self.metrics = {"trained": True, **vars(fitted), "blend": self.blend.to_dict()}

    def _judge(self) -> None:
        """Compute combination, calibration and bounds from rolling origins."""
        predictor = self.predictor
        fit_combination(predictor, self.history)
        self.blend, self.calibration = predictor.blend, predictor.calibration
        self.members, self.bounds = predictor.members, predictor.bounds
        if self.model is not None and self.config.blend and self.blend.naive:
            self.fit_warnings.append(str(self.blend))

    def _network(self) -> torch.nn.Module:
        with torch.random.fork_rng():
            torch.manual_seed(self.config.training.seed)
            return self.predictor.engine.network()

    def _last(self, series: Series, shares: list[float], carried: bool) -> NDArray[numpy.float64]:
        """Quantiles [K, S] after the last row."""
        found = self.streams.quantiles(series, self.predictor) if carried else None
        if found is not None:
            return self.bounds.clipped(self.calibration.quantiles(found, shares))
        at = numpy.array([len(series) - 1])
        answer: NDArray[numpy.float64] = self.predictor.quantiles(series, at, shares, self.streams.number(series))[0]
        return answer

    def _panel(self, data: Any) -> Panel:
        if isinstance(data, Panel):
            return data
        return self.read(data) if self.fitted else read(data, self.config)

    def _seen(self, series: Series) -> int | None:
        """Number of rows of `series` up to the last fitted timestamp; None for a series that the fit doesn't have."""
        known = self.streams.known(series)
        return None if known is None else int(numpy.searchsorted(series.timestamps, known.timestamps[-1], "right"))

    @property
    def _codec(self) -> Codec:
        self._need_fit()
        assert self.codec is not None
        return self.codec

    def _new_model(self) -> torch.nn.Module | None:
        return self._network() if self.metrics.get("trained") else None

    def _give(self) -> tuple[dict[str, Any], dict[str, Any]]:
        facts, context = pack(self.history, self.calibration)
        of_members, arrays = pack_members(self.history, self.members)
        facts, context = facts | of_members | {"bounds": self.bounds.to_dict()}, context | arrays
        told = {"backend": self.backend, "fit_warnings": self.fit_warnings, "blend": self.blend.to_dict()}
        told["reading"] = asdict(self.formats) | asdict(self.types)
        return self._codec.to_dict() | facts | told | {"trained": self.model is not None}, context

    def _take(self, codec: dict[str, Any], context: dict[str, Any]) -> None:
        self.codec = Codec.from_dict(codec)
        check_codec(self.codec, self.config)
        series, self.calibration = unpack(codec, context, self.codec, self.config)
        self.streams, self.blend = Streams(series, self.codec.frequency), Blend(**codec["blend"])
        self.members = unpack_members(codec, context, series)
        self.bounds = Bounds(**codec.get("bounds", {"low": self.config.min, "high": self.config.max}))
        self.backend = codec["backend"] if importlib.util.find_spec(codec["backend"]) else "pandas"
        reading = dict(codec.get("reading", {}))
        self.formats = Formats(reading.pop("decimal", None), reading.pop("dates", None))
        self.types = FrameTypes(**reading)
        self.fit_warnings = codec["fit_warnings"]
        self.metrics = {"trained": codec["trained"]}
