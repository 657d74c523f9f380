"""Forecaster: learns from a file, a data frame or plain numbers, and forecasts with intervals."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy
import torch
from numpy.typing import NDArray

from gruworks.errors import DataError, OptionError
from gruworks.settings import Settings
from gruworks.tasks.estimator import Estimator, data_facts
from gruworks.tasks.forecast.backtesting import Backtest, backtest, held_out
from gruworks.tasks.forecast.combination.blending import NETWORK_ALONE, Blend
from gruworks.tasks.forecast.combination.conformal import Calibration, normal
from gruworks.tasks.forecast.combination.predictor import Predictor, fit_combination
from gruworks.tasks.forecast.config import Config, Options
from gruworks.tasks.forecast.data import FEWEST_ORIGINS
from gruworks.tasks.forecast.evaluation import Evaluation, origin_rows
from gruworks.tasks.forecast.features.encoding import Codec
from gruworks.tasks.forecast.features.naive import naive_forecasts
from gruworks.tasks.forecast.frames import forecast_frame, levels, with_future
from gruworks.tasks.forecast.models.engines import engine
from gruworks.tasks.forecast.persistence import CODEC, check_codec, pack, unpack
from gruworks.tasks.forecast.season_selection import with_seasonal_lag
from gruworks.tasks.forecast.series.frequency import Frequency
from gruworks.tasks.forecast.series.panel import Panel, Series
from gruworks.tasks.forecast.series.reading import read
from gruworks.tasks.forecast.streaming import Observed, Streams
from gruworks.training.checked import Check
from gruworks.training.runs import RunFolder

__all__ = ["Forecaster"]


class Forecaster(Estimator):
    """Forecasts of one or many time series by a GRU, with prediction intervals calibrated for any level.

    >>> Forecaster(horizon=2).fit([1, 2, 3, 4, 5]).predict()["y_hat"].tolist()
    [6.0, 7.0]

    `Forecaster(horizon=14, time="date", target="temp_max").fit(frame).predict()` takes and gives pandas, polars or
    other frames that narwhals knows; `fit("file.csv")` reads a CSV or Parquet file. The network sees differences over
    a causal scale, so f(a·y + b) = a·f(y) + b for a > 0. What is fitted is mixed with the best naive forecast as far
    as held-out rows show skill (`gate`). Where there are too few rows to learn from, an AR(1) on differences answers
    alone; `fit_warnings` says so, and what was found in the data.

    Raises:
        OptionError: a setting that isn't there or can't have that value.
    """

    task: ClassVar[str] = "forecast"
    config_class: ClassVar[type[Settings]] = Config
    codec_check: ClassVar[Check] = staticmethod(CODEC)

    def __init__(self, config: Settings | None = None, **settings: Any) -> None:
        super().__init__(config, **settings)
        self.codec: Codec | None = None
        self.blend: Blend = NETWORK_ALONE
        self.calibration: Calibration = normal(self.config.horizon)
        self.backend = "pandas"
        self.fit_warnings: list[str] = []
        self.streams = Streams([])

    @property
    def fitted(self) -> bool:
        return self.codec is not None

    @property
    def history(self) -> list[Series]:
        """The series as they were fitted, and what was observed since."""
        return self.streams.history

    @property
    def frequency(self) -> Frequency:
        """The frequency of the fitted series, as found in the data."""
        return self._codec.frequency

    @property
    def predictor(self) -> Predictor:
        """The network, the blend with a naive forecast and the calibration of the prediction intervals."""
        made = engine(self.config, self._codec, len(self.streams.series))
        return Predictor(made, self.config, self._codec, self.model, self.blend, self.calibration)

    def fit(  # type: ignore[override]
        self, data: Any, *, out: Path | str | None = None, resume: bool = False, quiet: bool | None = None
    ) -> Self:
        """Learn from `data`: a file's path, a frame (long format) or a sequence of numbers.

        Args:
            out: the run folder to write; without it everything stays in memory (see `save`).
            resume: go on from the last checkpoint in `out`; settings and data must be those of the run.
            quiet: no progress bar; by default there is one on a terminal.

        Raises:
            DataError, TooShortError: what is wrong with the data and where.
            RunError: `out` is taken, or there is nothing to resume.
        """
        return super().fit(data, out=out, resume=resume, quiet=quiet)

    def continue_fit(self, data: Any, *, out: Path | str | None = None, quiet: bool | None = None) -> Self:
        """Go on learning from where the weights are: on the rows fitted before and those of `data` behind them.

        Seasons, covariates' words and scales stay those of the first fit; blend and calibration are set anew.
        """
        panel = self._read_like_fit(data)
        met = {(one.name, one.target) for one in panel.series}
        kept = [one for one in self.history if (one.name, one.target) not in met]
        trial = type(self)(self.config)
        if self.model is not None:
            trial.codec, trial.model = self.codec, self.model
        return self._fit(trial, replace(panel, series=kept + panel.series), None, out, False, quiet)

    def predict(self, data: Any = None, *, level: Sequence[float] = (80,), future: Any = None) -> Any:
        """The forecast after the last row of `data`, or of what was fitted: a frame of the caller's type.

        `data` is as in `fit`, or what `read` gave. Where it goes on where the fitted rows end, they are read before it;
        else it is a history of its own.
        Columns: unique_id, ds, y_hat (the median), and for each `level` in percent y_hat-lo-80 and y_hat-hi-80.
        With several targets, NAME_hat in y_hat's place. `future` holds the covariates of the rows to forecast, where
        `data` has none after its last value.
        """
        self._need_fit()
        panel = None if data is None else self._panel(data)
        series = self.history if panel is None else panel.series
        series = with_future(series, future, self.config, self._codec)
        shares = levels(level)
        carried = panel is None and future is None
        found = [self._last(one, shares, carried) for one in series]
        backend: Any = self.backend if panel is None else panel.backend
        return forecast_frame(series, found, level, self.config, self.frequency, backend)

    def observe(self, value: float, series: str | None = None) -> Observed:
        """Take in the next value of a series and give the forecast after it, without encoding its history again.

        The state that is carried costs the same however long the history is; the answer is that of `predict` on the
        whole history. A NaN is a missing value. A model normalised by window (segment, sampler) encodes its last
        window anew, and so does whatever covariates, several targets or irregular timestamps do not let carry:
        `Observed.carried` says which it was.

        Raises:
            DataError: an infinite value, or no such series.
        """
        self._need_fit()
        return self.streams.observe(value, series, lambda: self.predictor)

    def sample(self, paths: int = 100, data: Any = None) -> NDArray[numpy.float64]:
        """Sample paths [series, paths, horizon] after the last row; of a model="sampler" only."""
        self._need_fit()
        if self.config.model != "sampler" or self.model is None:
            raise OptionError('sample paths come from a fitted model="sampler"')
        from gruworks.tasks.forecast.models.deepar_data import sampled_paths

        series = self.history if data is None else self._read_like_fit(data).series
        net: Any = self.model
        drawn = [sampled_paths(net, s, self._codec, self.config, numpy.array([len(s) - 1]), paths) for s in series]
        return numpy.concatenate(drawn)

    def evaluate(
        self, data: Any, *, origins: int | None = None, refit: int = Options.refit, quiet: bool | None = None
    ) -> Evaluation:
        """Rolling-origin errors beside the naive forecasts'; see `backtest`."""
        return self.backtest(data, origins=origins, refit=refit, quiet=quiet).evaluation()

    def backtest(
        self, data: Any, *, origins: int | None = None, refit: int = Options.refit, quiet: bool | None = None
    ) -> Backtest:
        """Forecasts at rolling origins, a horizon apart, beside what came and what naive forecasts said.

        Unfitted, it fits once on the rows before the first origin, and anew before every `refit`-th origin if that is
        above 0. Fitted, it uses that fit, and only rows after those that the fit has seen.

        Raises:
            TooShortError: too few rows for the origins, or none that the fit has not seen.
        """
        fresh = not self.fitted
        panel = self._panel(data)
        rows = [
            origin_rows(len(one), self.config.horizon, origins, None if fresh else self._seen(one))
            for one in panel.series
        ]

        def predictor(before: Panel) -> Predictor:
            return (self.fit(before, quiet=quiet) if fresh else self).predictor

        return backtest(panel, rows, predictor, lambda one: self.streams.number(one), refit if fresh else 0)

    def held_out(self) -> Evaluation | None:
        """Errors on the rows that the fit held out: what blend and intervals were set by, so a little too kind."""
        self._need_fit()
        return held_out(self.predictor, self.history)

    def read(self, data: Any) -> Panel:
        """`data` as `predict` reads it: checked, with the fitted rows before it where it goes on where they end."""
        return self._read_like_fit(data)

    def naive(self, series: Series) -> dict[str, NDArray[numpy.float64]]:
        """Naive forecasts after the last row of a series: [1, horizon] by name."""
        last = numpy.array([len(series) - 1])
        return naive_forecasts(series, self._codec, last, self.config.horizon, self.config.periods)

    def explain(self, series: str | None = None, step: int | None = None) -> Any:
        """Contributions to the forecast of a series: inputs, lags, components; see `explaining.explain`."""
        from gruworks.tasks.forecast.explaining import explain

        self._need_fit()
        return explain(self.predictor, self.streams.find(series), step)

    def _read_data(self, data: Any, validation: Any) -> tuple[Panel, dict[str, Any]]:
        panel = self._panel(data)
        return panel, data_facts(panel.digest(), sum(map(len, panel.series)))

    def _prepare(self, read: Panel) -> None:
        """A codec that is there already stays: that of the fit that is gone on with."""
        self.codec = self.codec or with_seasonal_lag(Codec.of(read, self.config), read, self.config)
        self.streams, self.backend, self.fit_warnings = (
            Streams(read.series, read.frequency),
            read.backend,
            list(read.notes),
        )

    def _learn(self, prepared: None, run: RunFolder, quiet: bool, resume: bool) -> None:
        first, self.model, self.metrics = self.model, None, {"trained": False}
        predictor = self.predictor
        windows = predictor.engine.windows(self.history)
        if not windows.enough:
            self.codec = replace(self._codec, lag=0)  # the autoregression alone is that of the differences
            rows, learnable = sum(map(len, self.history)), round(float(sum(windows.learnable)))
            self.fit_warnings.append(
                f"{learnable} of {rows} rows can be trained on at horizon {self.config.horizon}, too few "
                f"({FEWEST_ORIGINS} are needed): the forecast is an autoregression on differences alone"
            )
            return
        from gruworks.tasks.forecast.fitting import fit_all_rows, fit_windows

        model = self._network()
        if first is not None:
            model.load_state_dict(first.state_dict())
        fitted = fit_windows(model, predictor.engine.loss, windows, self.config, run, quiet, resume, first is None)
        self.model = model
        self._judge()
        if self.config.refit:
            self.model = self._network()
            whole = predictor.engine.windows(self.history, whole=True)
            fit_all_rows(self.model, predictor.engine.loss, whole, self.config, run, quiet, fitted.best_step)
        self.metrics = {"trained": True, **vars(fitted), "blend": self.blend.to_dict()}

    def _judge(self) -> None:
        """Set blend and intervals by the rows that were held out of the fit."""
        predictor = self.predictor
        fit_combination(predictor, self.history)
        self.blend, self.calibration = predictor.blend, predictor.calibration
        if self.config.blend and self.blend.naive:
            self.fit_warnings.append(str(self.blend))

    def _network(self) -> torch.nn.Module:
        with torch.random.fork_rng():
            torch.manual_seed(self.config.training.seed)
            return self.predictor.engine.network()

    def _last(self, series: Series, shares: list[float], carried: bool) -> NDArray[numpy.float64]:
        """Quantiles [K, shares] after the last row."""
        found = self.streams.quantiles(series, self.predictor) if carried else None
        if found is not None:
            return self.calibration.quantiles(found, shares)
        at = numpy.array([len(series) - 1])
        answer: NDArray[numpy.float64] = self.predictor.quantiles(series, at, shares, self.streams.number(series))[0]
        return answer

    def _panel(self, data: Any) -> Panel:
        if isinstance(data, Panel):
            return data
        return self._read_like_fit(data) if self.fitted else read(data, self.config)

    def _read_like_fit(self, data: Any) -> Panel:
        self._need_fit()
        panel = read(data, self.config)
        if panel.frequency != self.frequency and not (self._codec.irregular and panel.frequency.code != "steps"):
            raise DataError(f"the data is {panel.frequency} and the fit was on {self.frequency}: they must agree")
        return replace(panel, series=[self._continued(one) for one in panel.series])

    def _continued(self, series: Series) -> Series:
        """`series` with the fitted history before it, where it goes on where that ends."""
        known = self.streams.known(series)
        if known is None:
            return series
        follows = self.frequency.future(known.timestamps[-1], 1)[0] == series.timestamps[0]
        later = self._codec.irregular and series.timestamps[0] > known.timestamps[-1]
        return series.after(known) if follows or later else series

    def _seen(self, series: Series) -> int | None:
        """Number of rows of `series` that the fit has seen; None where nothing is fitted or the series is a new one."""
        known = self.streams.known(series)
        if known is None:
            return None
        return int(numpy.searchsorted(series.timestamps, known.timestamps[-1], side="right"))

    @property
    def _codec(self) -> Codec:
        self._need_fit()
        assert self.codec is not None
        return self.codec

    def _new_model(self) -> torch.nn.Module | None:
        return self._network() if self.metrics.get("trained") else None

    def _give(self) -> tuple[dict[str, Any], dict[str, Any]]:
        facts, context = pack(self.history, self.calibration)
        told = {"backend": self.backend, "fit_warnings": self.fit_warnings, "blend": self.blend.to_dict()}
        return self._codec.to_dict() | facts | told | {"trained": self.model is not None}, context

    def _take(self, codec: dict[str, Any], context: dict[str, Any]) -> None:
        self.codec = Codec.from_dict(codec)
        check_codec(self.codec, self.config)
        series, self.calibration = unpack(codec, context, self.codec, self.config)
        self.streams, self.blend = Streams(series, self.codec.frequency), Blend(**codec["blend"])
        self.backend = codec["backend"] if importlib.util.find_spec(codec["backend"]) else "pandas"
        self.fit_warnings = codec["fit_warnings"]
        self.metrics = {"trained": codec["trained"]}
