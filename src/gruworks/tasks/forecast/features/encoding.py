"""Encoding of a series over NumPy and torch: features of each row, and the components that are added to the network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy
from numpy.typing import NDArray

from gruworks.tasks.forecast.config import Config
from gruworks.tasks.forecast.features.covariates import Covariate, covariates
from gruworks.tasks.forecast.features.difference_ar import causal_scale, causal_slope, difference_ar, differences, ratio
from gruworks.tasks.forecast.features.holidays import holiday_covariate, on_holidays
from gruworks.tasks.forecast.features.seasonality import (
    climatology_state,
    lagged_component,
    moves_since_a_season,
    seasons_ahead,
    usable_seasons,
)
from gruworks.tasks.forecast.series.frequency import IRREGULAR, Frequency, Season
from gruworks.tasks.forecast.series.panel import Panel, Series, forward_filled

__all__ = ["Codec", "Encoding", "components", "encoding"]

Array = Any  # numpy.ndarray or torch.Tensor
Floats = NDArray[numpy.float64]


@dataclass(frozen=True)
class Codec:
    """Description of the features, computed in a fit and kept with it.

    Args:
        seasons: seasons of the climatology.
        targets: number of target columns.
        missing: True where values were missing in the fit.
        covariates: encodings of the covariates by kind; that of "holidays" has the name of the country.
        lag: steps of the season whose last values are the seasonal component; 0 for the climatology.
    """

    frequency: Frequency
    seasons: tuple[Season, ...] = ()
    targets: int = 1
    missing: bool = False
    covariates: dict[str, tuple[Covariate, ...]] = field(default_factory=dict)
    lag: int = 0

    @classmethod
    def of(cls, panel: Panel, config: Config) -> Codec:
        """The codec of the series to fit."""
        frequency = panel.frequency
        values = [(series.filled(), frequency.positions(series.timestamps)) for series in panel.series]
        holidays = {"holidays": (holiday_covariate(panel, config.holidays),)} if config.holidays else {}
        known = frequency.seasons() + [Season(f"{p} steps", p, min(4, p // 2)) for p in config.periods]
        return cls(
            frequency,
            tuple(usable_seasons(known, values) if config.season else []),
            1 + panel.series[0].others.shape[1],
            any(not series.observed.all() for series in panel.series),
            {kind: covariates(panel, kind, getattr(config, kind)) for kind in ("static", "past", "future")} | holidays,
        )

    @property
    def inputs(self) -> int:
        """Number I of features of one row."""
        seasons = 2 + 2 * sum(season.harmonics for season in self.seasons) if self.seasons else 0
        own = 2 * self.targets - 1 if self.targets > 1 else 0
        side = sum(c.width for found in self.covariates.values() for c in found)
        return 1 + seasons + bool(self.lag) + 2 * self.missing + self.irregular + own + side

    @property
    def ahead(self) -> int:
        """Number C of features of each step ahead; the first is the position where timestamps are irregular."""
        return self.irregular + sum(c.width for kind in ("future", "holidays") for c in self.covariates.get(kind, ()))

    @property
    def irregular(self) -> bool:
        """True where timestamps are irregular."""
        return self.frequency.code == IRREGULAR

    def lags(self, rows: int, periods: tuple[int, ...] = ()) -> dict[str, int]:
        """Steps of the seasons shorter than `rows`, by their names, shortest first."""
        found = {season.name: round(season.period) for season in self.frequency.seasons()}
        found |= {f"{period} steps": period for period in periods}
        return {name: lag for name, lag in sorted(found.items(), key=lambda one: one[1]) if lag < rows}

    def side_features(self, series: Series) -> Floats:
        """Features other than the target's own, [N, S]: gaps, other targets, covariates."""
        rows = len(series)
        columns = [numpy.zeros((rows, 0))]
        if self.irregular:
            columns.append(numpy.log(numpy.maximum(self.gaps(series.timestamps), 1e-3))[:, None])
        if self.targets > 1:
            columns += [_moves(forward_filled(other))[:, None] for other in series.others.T]
            columns.append(numpy.tile(numpy.eye(self.targets)[series.target], (rows, 1)))
        for c in self.covariates.get("static", ()):
            value = numpy.array([series.static[c.name]], dtype=object if c.words else numpy.float64)
            columns.append(numpy.repeat(c.encode(value, series.name), rows, 0))
        for kind, known in (("past", series.past), ("future", series.future)):
            columns += [c.encode(known[c.name][:rows], series.name) for c in self.covariates.get(kind, ())]
        columns += self._holidays(series.timestamps)
        return numpy.concatenate(columns, 1)

    def ahead_features(self, series: Series, horizon: int) -> Floats:
        """Future covariates of the rows and of the horizon after the last one, [N + K, C]; 0 where unknown."""
        N = len(series)
        columns = [numpy.zeros((N + horizon, 0))]
        if self.irregular:
            timestamps = numpy.concatenate([series.timestamps, self.frequency.future(series.timestamps[-1], horizon)])
            columns.append(self.frequency.positions(timestamps)[:, None] - self.frequency.positions(timestamps[:1])[0])
        for covariate in self.covariates.get("future", ()):
            known = covariate.encode(series.future[covariate.name][: N + horizon], series.name)
            columns.append(numpy.pad(known, ((0, N + horizon - len(known)), (0, 0))))
        if self.covariates.get("holidays"):
            ahead = self.frequency.future(series.timestamps[-1], horizon)
            columns += self._holidays(numpy.concatenate([series.timestamps, ahead]))
        return numpy.concatenate(columns, 1)

    def _holidays(self, timestamps: NDArray[Any]) -> list[Floats]:
        """Features of the country's holidays, one array [N, 2]; none without a country."""
        return [c.encode(on_holidays(timestamps, c.name), "") for c in self.covariates.get("holidays", ())]

    def gaps(self, timestamps: NDArray[Any]) -> Floats:
        """Time since the last row in median steps, [N]; empty where timestamps are regular."""
        if not self.irregular:
            return numpy.zeros(0)
        positions = self.frequency.positions(timestamps)
        return numpy.diff(positions, prepend=positions[0] - 1)

    def to_dict(self) -> dict[str, Any]:
        """All fields as values that JSON can hold, for `codec.json`."""
        return {
            "frequency": {"code": self.frequency.code, "multiple": self.frequency.multiple},
            "seasons": [season._asdict() for season in self.seasons],
            "targets": self.targets,
            "missing": self.missing,
            "lag": self.lag,
            "covariates": {
                kind: [vars(c) | {"words": list(c.words)} for c in found] for kind, found in self.covariates.items()
            },
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Codec:
        """The codec of the values of `to_dict`."""
        return cls(
            Frequency(**values["frequency"]),
            tuple(Season(**season) for season in values["seasons"]),
            int(values.get("targets", 1)),
            bool(values.get("missing", False)),
            {
                kind: tuple(Covariate(**(one | {"words": tuple(one["words"])})) for one in found)
                for kind, found in values.get("covariates", {}).items()
            },
            int(values.get("lag", 0)),
        )


def _moves(y: Floats) -> Floats:
    """Differences over their causal scale, [N]; 0 before the first value."""
    y = numpy.where(numpy.isnan(y), y[~numpy.isnan(y)][0], y)
    return numpy.asarray(ratio(differences(y), causal_scale(y)))


class Encoding(NamedTuple):
    """Causal quantities of each row of a target.

    features [..., N, I']: differences over the scale, then those of seasons, lag and missing values, if the codec has
    them; scale and slope [..., N]; season_state [..., N, 1 + F], whose product with `season_basis` is the climatology.
    """

    features: Array
    scale: Array
    slope: Array
    season_state: Array


def encoding(
    codec: Codec,
    y: Array,
    positions: Array | None,
    observed: Array | None = None,
    xp: Any = numpy,
    solve: Callable[[Array, Array], Array] | None = None,
) -> Encoding:
    """Encode y [..., N], forward-filled, at positions [..., N].

    Args:
        observed: False where a value was missing, [N]; None if none was.
        solve: as in `seasonality.coefficients`.
    """
    scale = causal_scale(y, observed, xp)
    moves = ratio(differences(y, xp), scale, xp)
    features, state = [moves[..., None]], xp.zeros_like(y)[..., None]
    if codec.seasons:
        state, found = climatology_state(y, scale, positions, list(codec.seasons), observed, xp, solve)
        features += found
    if codec.lag:
        rows = xp.arange(y.shape[-1])
        features.append(moves_since_a_season(lambda at: y[..., at], rows, scale, codec.lag, xp)[..., None])
    if codec.missing:
        nothing = xp.zeros_like(y)
        mark = [nothing, nothing] if observed is None else [~observed + nothing, numpy.log1p(_since(observed))]
        features.append(xp.stack(mark, -1))
    return Encoding(xp.concatenate(features, -1), scale, causal_slope(y, xp), state)


def components(
    found: Encoding, basis: Array, lag: int, values: Callable[[Array], Array], rows: Array, xp: Any = numpy
) -> tuple[Array, Array]:
    """Autoregression on differences and seasonal component, each [..., K], after `rows` [...].

    Both are changes of y in units of the scale. With a lag, the second is the values one season ago, and the first the
    change of level since then.

    Args:
        found: the encoding of the rows.
        basis: as in `season_basis`, [1 + F, K].
        values: function from row numbers to the values of y.
    """
    horizon = basis.shape[-1]
    if lag:
        since = moves_since_a_season(values, rows, found.scale, lag, xp)
        seasonal = lagged_component(values, rows, found.scale, horizon, lag, xp)
        return since[..., None] * seasons_ahead(horizon, lag, xp), seasonal
    return difference_ar(found.features[..., 0], found.slope, horizon, xp), found.season_state @ basis


def _since(observed: NDArray[numpy.bool_]) -> NDArray[numpy.int64]:
    """Rows since the last observed value, [N]."""
    at = numpy.arange(len(observed))
    return at - numpy.maximum.accumulate(numpy.where(observed, at, 0))
