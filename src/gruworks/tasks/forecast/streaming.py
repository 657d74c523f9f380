"""Streaming forecasts: each value updates running sums and the state of the GRU.

The cost of a step doesn't depend on the length of the history. The carried state of a series is the last value, the
sums of |d|, d·d' and d² of the differences d, the normal equations of the climatology, the states of the GRU, and the
last values that the blended naive forecast is computed from.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy
from numpy.typing import NDArray

from gruworks.errors import DataError, OptionError
from gruworks.ops.stream import GRUStream
from gruworks.tasks.forecast.combination.predictor import Predictor
from gruworks.tasks.forecast.data import encode
from gruworks.tasks.forecast.decoding import encoder_states
from gruworks.tasks.forecast.features.naive import CLIMATOLOGIES, anomaly_slope, naive_lag, yearly_season
from gruworks.tasks.forecast.features.seasonality import RunningClimatology, seasons_ahead
from gruworks.tasks.forecast.models.encoder import ForecastNet
from gruworks.tasks.forecast.series.frequency import IRREGULAR, Frequency, Season
from gruworks.tasks.forecast.series.panel import Series

__all__ = ["Observed", "Streams"]

Floats = NDArray[numpy.float64]
SHARES_80 = [0.1, 0.5, 0.9]


class Observed(NamedTuple):
    """The forecast after an observation: median and 80 % interval, [K] each; `carried` if from a carried state."""

    y_hat: Floats
    low: Floats
    high: Floats
    carried: bool


class Streams:
    """The series of a forecaster, with the carried states of those that were observed or forecast."""

    def __init__(self, series: list[Series], frequency: Frequency | None = None) -> None:
        self.series, self.frequency = series, frequency
        self.numbers = {(one.name, one.target): i for i, one in enumerate(series)}
        self.carried: dict[int, Carried] = {}
        self.added: dict[int, list[float]] = {}

    def __getstate__(self) -> dict[str, Any]:
        """State for copies and pickles, without carried states, which hold addresses of the kernel."""
        return self.__dict__ | {"series": list(self.history), "carried": {}}

    @property
    def history(self) -> list[Series]:
        """All series, with observed values after the fitted ones."""
        for i, values in self.added.items():
            self.series[i] = self._grown(self.series[i], values)
        self.added.clear()
        return self.series

    def number(self, series: Series) -> int:
        """Number of the fitted series of this name and target; 0 if there is none."""
        return self.numbers.get((series.name, series.target), 0)

    def known(self, series: Series) -> Series | None:
        """The fitted series of this name and target; None if there is none."""
        at = self.numbers.get((series.name, series.target))
        return None if at is None else self.history[at]

    def find(self, name: str | None) -> tuple[Series, int]:
        """A series and its number, by its name; without one, the only series.

        Raises:
            OptionError: no name, and several series.
            DataError: an unknown name.
        """
        at = self._at(name)
        return self.history[at], at

    def _at(self, name: str | None) -> int:
        if name is None and len(self.series) > 1:
            raise OptionError(f"there are {len(self.series)} series: name one, such as {self.series[0].name!r}")
        at = 0 if name is None else self.numbers.get((name, 0))
        if at is None:
            raise DataError(
                f"there is no series {name!r} in the fit; there are: {', '.join(s.name for s in self.series[:5])}"
            )
        return at

    def quantiles(self, series: Series, predictor: Predictor) -> Floats | None:
        """Low, median and high [K, 3] of a fitted series from its carried state; None where none can be carried."""
        at = self.number(series)
        if at not in self.carried:
            if not Carried.serves(predictor) or numpy.isnan(series.y).any():
                return None
            self.carried[at] = Carried(series, predictor)
        return self.carried[at].quantiles()

    def observe(self, value: float, name: str | None, predictor: Callable[[], Predictor]) -> Observed:
        """Append a value to a series and forecast; `predictor` is called where no state is carried yet.

        Raises:
            DataError: an infinite value, or an unknown series.
        """
        value = float(value)
        if math.isinf(value):
            raise DataError("an observation is a number, or NaN where it is missing, not infinite")
        at = 0 if name is None and len(self.series) == 1 else self._at(name)
        carried = self.carried.get(at)
        if carried is None and Carried.serves(predictor()) and not numpy.isnan(self.history[at].y).any():
            carried = self.carried[at] = Carried(self.history[at], predictor())
        self.added.setdefault(at, []).append(value)
        if carried is not None:
            carried.step(value)
            return carried.observed()
        series = self.history[at]
        low, middle, high = predictor().quantiles(series, numpy.array([len(series) - 1]), SHARES_80, at)[0].T
        return Observed(middle, low, high, False)

    def _grown(self, series: Series, values: list[float]) -> Series:
        if series.past or series.future or series.others.shape[1]:
            raise DataError(
                "a series with covariates or several targets grows by predict(frame), not by observe(value)"
            )
        assert self.frequency is not None
        timestamps = self.frequency.future(series.timestamps[-1], len(values))
        y = numpy.concatenate([series.y, values])
        return replace(
            series, timestamps=numpy.concatenate([series.timestamps, timestamps]), y=y, others=numpy.zeros((len(y), 0))
        )


class Carried:
    """Carried state of one series: `step` updates it with a value, `quantiles` forecasts from it."""

    @staticmethod
    def serves(predictor: Predictor) -> bool:
        """True for an encoder of one target without covariates, missing values in the fit or irregular timestamps."""
        codec = predictor.codec
        plain = not any(codec.covariates.values()) and codec.targets == 1 and not codec.missing
        plain = plain and not predictor.bounds.lag
        return isinstance(predictor.model, ForecastNet) and plain and codec.frequency.code != IRREGULAR

    def __init__(self, series: Series, predictor: Predictor) -> None:
        model, codec, y = predictor.model, predictor.codec, series.y
        assert isinstance(model, ForecastNet)
        K = predictor.config.horizon
        self.horizon, self.ahead = K, numpy.arange(1.0, K + 1)
        self.count, self.seen, self.first, self.last = len(y), len(y), float(y[0]), float(y[-1])
        d = numpy.diff(y)
        self.moved, self.move = float(numpy.abs(d).sum()), float(d[-1])
        self.products, self.squares = float(d[1:] @ d[:-1]), float(d[:-1] @ d[:-1])
        self.position = float(codec.frequency.positions(series.timestamps)[-1])
        self.begun = self.position - (len(y) - 1)
        self.season = self._climatology(list(codec.seasons), series, codec.frequency)
        self._network(model, encode(series, codec, K))
        self._naive_state(series, predictor)
        widths = predictor.calibration.at([0.1, 0.9])
        self.scores, self.bounds = (-widths[:, 0], widths[:, 1]), predictor.bounds

    def _climatology(
        self, seasons: list[Season], series: Series, frequency: Frequency, anomalies: bool = False
    ) -> RunningClimatology | None:
        if not seasons:
            return None
        return RunningClimatology(seasons, series.y, frequency.positions(series.timestamps), self.horizon, anomalies)

    def _network(self, model: ForecastNet, encoded: Any) -> None:
        weights = [model.gru.weights(layer).map(lambda w: w.detach().numpy()) for layer in range(model.gru.num_layers)]
        self.layers = [GRUStream(w, threads=1) for w in weights]
        states = encoder_states(model, encoded)
        if len(self.layers) == 1:
            self.layers[0].state = states[-1:].numpy()
        else:  # deeper layers' states aren't outputs: step once through the rows
            for row in encoded.features.astype(numpy.float32)[:, None]:
                self._through(row)
        self.state = self.layers[-1].state[0]
        order = numpy.arange(3 * self.horizon).reshape(self.horizon, 3).T[[1, 0, 2]].ravel()  # medians, below, above
        self.head = model.head.weight.detach().numpy()[order], model.head.bias.detach().numpy()[order]
        self.gains = (
            model.difference_ar_weight.detach().double().numpy(),
            model.seasonal_weight.detach().double().numpy(),
        )
        self.row = numpy.zeros((1, model.gru.input_size), dtype=numpy.float32)

    def _naive_state(self, series: Series, predictor: Predictor) -> None:
        blend, config, codec = predictor.blend_of(series), predictor.config, predictor.codec
        self.blend = blend
        self.smoothed = {one.name: one.start() for one in predictor.smoothers(series, blend)}
        for state in self.smoothed.values():
            for value in series.y[state.smoother.begin :]:
                state.observe(None if math.isnan(value) else float(value))
        lags = codec.lags(len(series), config.periods)
        self.lag = naive_lag(blend.naive)
        reach = max([self.horizon, *lags.values()]) if blend.weight < 1 else 1
        reach, self.season_lag = max(reach, codec.lag + 1), codec.lag
        self.seasons = seasons_ahead(self.horizon, codec.lag) if codec.lag else numpy.zeros(0)
        self.ring, self.at = numpy.resize(series.y[-reach:], reach), 0
        if len(series) < reach:
            self.ring = numpy.concatenate([numpy.full(reach - len(series), numpy.nan), series.y])
        year = yearly_season(codec.frequency) if blend.naive in CLIMATOLOGIES and blend.weight < 1 else []
        self.anomalies = blend.naive == CLIMATOLOGIES[1]
        shared = year == list(codec.seasons) and not self.anomalies
        self.year = self.season if shared else self._climatology(year, series, codec.frequency, self.anomalies)
        self.total = float((series.y - series.y[0]).sum())
        self.climatologies = [one for one in {id(c): c for c in (self.season, self.year)}.values() if one is not None]

    def step(self, value: float) -> None:
        """Update the state with a value; NaN is a missing one."""
        missing = math.isnan(value)
        for state in self.smoothed.values():
            state.observe(None if missing else value)
        if missing:
            value = self.last
        d = value - self.last
        self.products += d * self.move
        self.squares += self.move * self.move
        self.moved += abs(d)
        self.move, self.last = d, value
        self.count += 1
        self.total += value - self.first
        self.seen += not missing
        self.position += 1
        self.ring[self.at] = value
        self.at = (self.at + 1) % len(self.ring)
        scale = self.scale
        self.row[0, 0] = d / scale if scale > 0 else 0.0
        for climatology in self.climatologies:
            climatology.step(value, missing)
        if self.season is not None:
            self._write_season(value, scale)
        if self.season_lag:
            self.row[0, -1] = self._since_a_season() / scale if scale > 0 else 0.0
        self.state = self._through(self.row)[0]

    def _write_season(self, value: float, scale: float) -> None:
        """Write the seasonal features after the difference."""
        assert self.season is not None
        known, wave = self.known, self.season.wave
        self.row[0, 1] = (value - self.season.here) / scale if known and scale > 0 else 0.0
        self.row[0, 2] = known
        self.row[0, 3 : 2 + len(wave)] = wave[1:]

    def _through(self, row: NDArray[Any]) -> NDArray[Any]:
        for layer in self.layers:
            row = layer.step(row)
        return row

    @property
    def scale(self) -> float:
        return self.moved / max(1, self.seen - 1)

    @property
    def known(self) -> bool:
        return self.season is not None and self.position - self.begun >= self.season.longest

    def quantiles(self) -> Floats:
        """Low, median and high after the last row, [K, 3]."""
        middle, below, above = self.parts()
        return numpy.stack([middle - below, middle, middle + above], 1)

    def observed(self) -> Observed:
        """Median and 80 % interval after the last row, within the bounds."""
        middle, below, above = self.parts()
        low, high = middle - self.scores[0] * below, middle + self.scores[1] * above
        clipped = self.bounds.clipped
        return Observed(clipped(middle), clipped(low), clipped(high), True)

    def parts(self) -> tuple[Floats, Floats, Floats]:
        """Median after the last row, and widths of the interval before calibration below and above it, [K] each."""
        K, scale = self.horizon, self.scale
        ahead: Floats | None = None
        raw = (self.head[0].dot(self.state) + self.head[1]).astype(numpy.float64)
        middle = self.last + self.gains[0] * self._difference_ar() + scale * raw[:K]
        if self.season_lag:
            if self.count > self.season_lag:
                middle += self.gains[1] * (self._season_ago(self.season_lag) - self.last)
        elif self.season is not None and self.known:
            ahead = self.season.ahead()
            middle += self.gains[1] * (ahead - self.last)
        if self.blend.weight < 1:
            naive = ahead if ahead is not None and self.year is self.season else self._naive()
            smoothed = {name: state.ahead(K) for name, state in self.smoothed.items()}
            middle = self.blend.median(middle, naive, smoothed)
        width = self.blend.half_width(scale * numpy.logaddexp(0.0, raw[K:]), scale)
        return middle, width[:K], width[K:]

    def _difference_ar(self) -> Floats:
        if self.season_lag:
            return numpy.asarray(self._since_a_season() * self.seasons)
        slope = min(2.0, max(0.0, self.products / self.squares)) if self.squares > 0 else 0.0
        return self.move * numpy.asarray(slope**self.ahead).cumsum()

    def _since_a_season(self) -> float:
        """Change of the value since one season ago; 0 within the first season."""
        before = self.ring[(self.at - 1 - self.season_lag) % len(self.ring)]
        return float(self.last - before) if self.count > self.season_lag else 0.0

    def _naive(self) -> Floats:
        if self.year is not None:
            expected = self.year.ahead()
            if self.anomalies:
                slope = anomaly_slope(*map(numpy.asarray, self.year.anomaly_moments()))
                expected = expected + (self.last - self.year.here) * slope**self.ahead
            return expected
        if self.blend.naive == "mean":
            return numpy.full(self.horizon, self.first + self.total / self.count)
        if self.blend.naive == "drift":
            return self.last + (self.last - self.first) / max(1, self.count - 1) * self.ahead
        if self.blend.naive.startswith("mean"):
            recent = self.ring[(self.at - 1 - numpy.arange(self.horizon)) % len(self.ring)]
            return numpy.full(self.horizon, numpy.nanmean(recent))
        if self.lag:
            return self._season_ago(self.lag)
        return numpy.full(self.horizon, self.last)

    def _season_ago(self, lag: int) -> Floats:
        back = lag - 1 - (numpy.arange(self.horizon) % lag)
        return numpy.asarray(self.ring[(self.at - 1 - back) % len(self.ring)])
