"""Forecaster: learns from a CSV, a data frame or plain numbers, and forecasts with intervals."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Self

import narwhals as nw
import numpy
import torch
from numpy.typing import NDArray

from gruworks.errors import DataError
from gruworks.settings import Settings
from gruworks.tasks.estimator import Estimator
from gruworks.tasks.forecast.calendar import STEPS, Frequency
from gruworks.tasks.forecast.config import QUANTILES, Config
from gruworks.tasks.forecast.data import FEWEST_ORIGINS, Codec, Encoded, Windows, encode
from gruworks.tasks.forecast.decoding import highway_quantiles, network_quantiles
from gruworks.tasks.forecast.evaluation import Evaluation, origin_rows, score
from gruworks.tasks.forecast.model import ForecastNet
from gruworks.tasks.forecast.reading import Panel, Series, read
from gruworks.tasks.forecast.season import fourier
from gruworks.training.runs import RunFolder

__all__ = ["Forecaster"]


class Forecaster(Estimator):
    """Forecasts of a time series by a GRU on its differences, with an 80 % band.

    >>> Forecaster(horizon=2).fit([1, 2, 3, 4, 5]).predict()["y_hat"].tolist()
    [6.0, 7.0]

    `Forecaster(horizon=14, time="date", target="temp_max").fit(frame).predict()` takes and gives pandas, polars or
    other frames that narwhals knows; `fit("file.csv")` reads a CSV. The network sees differences over a causal scale,
    so f(a·y + b) = a·f(y) + b for a > 0. Where there are too few rows to learn from, an AR(1) on differences answers
    alone, and `remarks` says so.

    Args:
        horizon: steps ahead.
        time, target, series: column names; `series` may be missing from the data, which is then one series.
        **settings: the other fields of `Config` and of `FitSettings` (steps, seed, learning_rate ...).

    Raises:
        OptionError: a setting that isn't there or can't have that value.
    """

    task: ClassVar[str] = "forecast"
    config_class: ClassVar[type[Settings]] = Config

    def __init__(self, config: Settings | None = None, **settings: Any) -> None:
        super().__init__(config, **settings)
        self.codec: Codec | None = None
        self.history: list[Series] = []
        self.backend = "pandas"
        self.remarks: list[str] = []

    @property
    def fitted(self) -> bool:
        return self.codec is not None

    @property
    def frequency(self) -> Frequency:
        """The rhythm of the fitted series, as found in the data."""
        self._need_fit()
        assert self.codec is not None
        return self.codec.frequency

    def fit(self, data: Any, *, out: Path | str | None = None, resume: bool = False, quiet: bool | None = None) -> Self:
        """Learn from `data`: a CSV's path, a frame (long format) or a sequence of numbers.

        Args:
            out: the run folder to write; without it everything stays in memory (see `save`).
            resume: go on from the last checkpoint in `out`; settings and data must be those of the run.
            quiet: no progress bar; by default there is one on a terminal.

        Raises:
            DataError, TooShortError: what is wrong with the data and where.
            RunError: `out` is taken, or there is nothing to resume.
        """
        return self._fit(read(data, self.config), out, resume, quiet)

    def predict(self, data: Any = None) -> Any:
        """The forecast after the last row of `data`, or of what was fitted: a frame of the caller's type.

        Where `data` goes on where the fitted rows end, they are read before it; else it is a history of its own.
        Columns: unique_id, ds, y_hat (the median), y_hat-lo-80 and y_hat-hi-80.
        """
        self._need_fit()
        assert self.codec is not None
        panel = None if data is None else self._read_like_fit(data)
        series = self.history if panel is None else panel.series
        columns: dict[str, list[Any]] = {"unique_id": [], "ds": [], "y_hat": [], "y_hat-lo-80": [], "y_hat-hi-80": []}
        for one in series:
            low, middle, high = self._quantiles(one, numpy.array([len(one) - 1]))[0].T
            stamps = self.codec.frequency.future(one.stamps[-1], self.config.horizon)
            values = ([one.name] * len(stamps), stamps, middle, low, high)
            for column, value in zip(columns.values(), values, strict=True):
                column.extend(value)
        typed = {name: numpy.asarray(value) for name, value in columns.items()}
        typed["unique_id"] = columns["unique_id"]  # type: ignore[assignment]
        backend: Any = self.backend if panel is None else panel.backend
        return nw.from_dict(typed, backend=backend).to_native()

    def evaluate(self, data: Any, *, origins: int | None = None, quiet: bool | None = None) -> Evaluation:
        """Rolling-origin errors beside the naive forecasts'.

        Unfitted, it fits once on the rows before the first origin. Fitted, it uses that fit, and only rows after
        those that the fit has seen.

        Raises:
            TooShortError: too few rows for the origins, or none that the fit has not seen.
        """
        panel = self._read_like_fit(data) if self.fitted else read(data, self.config)
        horizon = self.config.horizon
        rows = [origin_rows(len(one), horizon, origins, self._seen(one)) for one in panel.series]
        if not self.fitted:
            past = [one.until(int(at[0]) + 1) for one, at in zip(panel.series, rows, strict=True)]
            self._fit(Panel(past, panel.frequency, panel.backend), None, False, quiet)
        answers = [self._quantiles(one, at) for one, at in zip(panel.series, rows, strict=True)]
        name = "GRU" if self.model is not None else "highway alone"
        return score(panel.series, panel.frequency, rows, answers, name)

    def _fit(self, panel: Panel, out: Path | str | None, resume: bool, quiet: bool | None) -> Self:
        self.codec, self.history, self.backend = Codec.of(panel, self.config), panel.series, panel.backend
        facts = {"data": {"sha256": panel.digest(), "rows": sum(map(len, panel.series)), "licence": None}}
        try:
            with self._run(out, resume, **facts) as run:
                if resume and run.facts.get("data") != facts["data"]:
                    raise DataError(f"{run.path} was begun on other data: resume needs the same")
                self._learn(run, quiet if quiet is not None else not sys.stderr.isatty(), resume)
                self._write(run)
        except BaseException:
            self.codec, self.history, self.model = None, [], None  # half a fit is none
            raise
        return self

    def _learn(self, run: RunFolder, quiet: bool, resume: bool) -> None:
        self.remarks, self.model, self.metrics = [], None, {"trained": False}
        windows = Windows([self._encode(one) for one in self.history], self.config)
        if not windows.enough:
            rows, learnable = sum(map(len, self.history)), round(sum(windows.learnable))
            self.remarks.append(
                f"{learnable} of {rows} rows can be trained on at horizon {self.config.horizon}, too few "
                f"({FEWEST_ORIGINS} are needed): the highway, an AR(1) on differences, answers alone"
            )
            return
        from gruworks.tasks.forecast.fitting import fit_windows

        model = self._network()
        fitted = fit_windows(model, windows, self.config, run, quiet, resume)
        self.model = model
        self.metrics = {"trained": True, **vars(fitted)}

    def _network(self) -> ForecastNet:
        config = self.config
        assert self.codec is not None
        with torch.random.fork_rng():
            torch.manual_seed(config.training.seed)
            return ForecastNet(
                self.codec.inputs, config.horizon, len(QUANTILES), config.hidden_size, config.layers, config.dropout,
                config.reset,
            )  # fmt: skip

    def _encode(self, series: Series) -> Encoded:
        assert self.codec is not None
        return encode(series, self.codec, self.config.horizon)

    def _quantiles(self, series: Series, origins: NDArray[Any]) -> NDArray[numpy.float64]:
        encoded = self._encode(series)
        with numpy.errstate(over="ignore", invalid="ignore"):
            if self.model is None:
                answer = highway_quantiles(encoded, origins)
            else:
                assert isinstance(self.model, ForecastNet)
                answer = network_quantiles(self.model, encoded, origins)
        if not numpy.isfinite(answer).all():
            raise DataError(
                f"the forecast of series {series.name!r} is beyond every number {self.config.horizon} steps ahead: "
                "shorten the horizon, or forecast the logarithm of a growth like this"
            )
        return answer

    def _read_like_fit(self, data: Any) -> Panel:
        panel = read(data, self.config)
        assert self.codec is not None
        if panel.frequency != self.codec.frequency:
            raise DataError(f"the data is {panel.frequency} and the fit was on {self.codec.frequency}: they must agree")
        return replace(panel, series=[self._continued(one) for one in panel.series])

    def _continued(self, series: Series) -> Series:
        """`series` with the fitted history before it, where it goes on where that ends."""
        known = self._known(series.name)
        if known is None or self.frequency.future(known.stamps[-1], 1)[0] != series.stamps[0]:
            return series
        stamps = numpy.concatenate([known.stamps, series.stamps])
        return Series(series.name, stamps, numpy.concatenate([known.y, series.y]))

    def _known(self, name: str) -> Series | None:
        return next((one for one in self.history if one.name == name), None)

    def _seen(self, series: Series) -> int | None:
        """How many rows of `series` the fit has seen; None where nothing is fitted or the series is a new one."""
        known = self._known(series.name)
        if known is None:
            return None
        return int(numpy.searchsorted(series.stamps, known.stamps[-1], side="right"))

    def _new_model(self) -> ForecastNet | None:
        return self._network() if self.metrics.get("trained") else None

    def _give(self) -> tuple[dict[str, Any], dict[str, Any]]:
        assert self.codec is not None
        context: dict[str, Any] = {}
        for i, one in enumerate(self.history):
            context |= {f"{i}.stamps": one.stamps.astype(numpy.int64), f"{i}.y": one.y}
        names = [one.name for one in self.history]
        codec = self.codec.to_dict() | {"series": names, "backend": self.backend, "remarks": self.remarks}
        return codec | {"trained": self.model is not None}, context

    def _take(self, codec: dict[str, Any], context: dict[str, Any]) -> None:
        self.codec = Codec.from_dict(codec)
        kind = "int64" if self.codec.frequency.code == STEPS else "datetime64[us]"
        self.history = [
            Series(name, context[f"{i}.stamps"].astype(kind), context[f"{i}.y"])
            for i, name in enumerate(codec["series"])
        ]
        self.backend, self.remarks = codec["backend"], list(codec["remarks"])
        self.metrics = {"trained": codec["trained"]}
        self._check_taken()

    def _check_taken(self) -> None:
        """Whether what was read can be used: a ValueError or TypeError now, not at the first forecast."""
        assert self.codec is not None
        backend: Any = self.backend
        if nw.Implementation.from_backend(backend) is nw.Implementation.UNKNOWN:
            raise ValueError(f"there is no frame library {self.backend!r}")
        fourier(numpy.zeros(1), list(self.codec.seasons))
        for one in self.history:
            if len(one.stamps) != len(one.y) or not numpy.isfinite(one.y).all():
                raise ValueError(
                    f"series {one.name!r} has {len(one.stamps)} stamps and {len(one.y)} values, or no numbers"
                )
            self.codec.frequency.future(one.stamps[-1], 1)
