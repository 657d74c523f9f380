"""What turns a series into inputs: its rhythm, the seasons found usable, and how each covariate becomes numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy
from numpy.typing import NDArray

from gruworks.errors import DataError
from gruworks.tasks.forecast.config import Config
from gruworks.tasks.forecast.features.difference_ar import causal_scale, differences
from gruworks.tasks.forecast.features.seasonality import usable_seasons
from gruworks.tasks.forecast.series.frequency import IRREGULAR, Frequency, Season
from gruworks.tasks.forecast.series.panel import Panel, Series, forward_filled

__all__ = ["Codec", "Covariate"]

Floats = NDArray[numpy.float64]
MOST_WORDS = 64  # different words of one covariate


@dataclass(frozen=True)
class Covariate:
    """How a column becomes numbers: over its mean and deviation, or one entry a word; what is missing is 0."""

    name: str
    mean: float = 0.0
    deviation: float = 1.0
    words: tuple[str, ...] = ()

    @classmethod
    def of(cls, name: str, values: NDArray[Any]) -> Covariate:
        if values.dtype == object:
            words = tuple(sorted(set(values.tolist()) - {""}))
            if len(words) > MOST_WORDS:
                raise DataError(
                    f"the covariate {name} has {len(words)} different words, more than {MOST_WORDS}: "
                    "group them, or leave it out"
                )
            return cls(name, words=words)
        known = values[~numpy.isnan(values)]
        deviation = float(known.std()) if len(known) else 0.0
        return cls(name, float(known.mean()) if len(known) else 0.0, deviation or 1.0)

    @property
    def width(self) -> int:
        return len(self.words) or 2

    def encode(self, values: NDArray[Any], series: str) -> Floats:
        """[N, width]: a number and whether it is there, or an entry a word."""
        if not self.words:
            if values.dtype == object:
                raise DataError(
                    f"the covariate {self.name} of series {series!r} is words now; in the fit it was numbers"
                )
            there = ~numpy.isnan(values)
            number = numpy.where(there, (numpy.nan_to_num(values) - self.mean) / self.deviation, 0.0)
            return numpy.stack([number, ~there], 1).astype(numpy.float64)
        unknown = sorted(set(values.astype(object).tolist()) - set(self.words) - {""}, key=str)
        if unknown:
            raise DataError(
                f"the covariate {self.name} of series {series!r} is {unknown[0]!r}, which the fit has not seen; "
                f"it knows: {', '.join(self.words)}. Leave it empty where none of them fits, or fit anew"
            )
        found = (values.astype(object)[:, None] == numpy.array(self.words, dtype=object)).astype(numpy.float64)
        return numpy.asarray(found)


@dataclass(frozen=True)
class Codec:
    """What turns a series into features. With `lag`, the season path is the values one such season ago."""

    frequency: Frequency
    seasons: tuple[Season, ...] = ()
    targets: int = 1
    missing: bool = False
    covariates: dict[str, tuple[Covariate, ...]] = field(default_factory=dict)
    lag: int = 0

    @classmethod
    def of(cls, panel: Panel, config: Config) -> Codec:
        frequency = panel.frequency
        values = [(series.filled(), frequency.positions(series.stamps)) for series in panel.series]
        known = frequency.seasons() + [Season(f"{p} steps", p, min(4, p // 2)) for p in config.periods]
        return cls(
            frequency,
            tuple(usable_seasons(known, values) if config.season else []),
            1 + panel.series[0].others.shape[1],
            any(not series.observed.all() for series in panel.series),
            {kind: _covariates(panel, kind, getattr(config, kind)) for kind in ("static", "past", "future")},
        )

    @property
    def inputs(self) -> int:
        """I: entries of one step's features."""
        seasons = 2 + 2 * sum(season.harmonics for season in self.seasons) if self.seasons else 0
        own = 2 * (self.targets - 1) + 1 if self.targets > 1 else 0
        side = sum(c.width for found in self.covariates.values() for c in found)
        return 1 + seasons + bool(self.lag) + 2 * self.missing + self.irregular + own + side

    @property
    def ahead(self) -> int:
        """C: entries of what is known of each step ahead; the first is the position where stamps are irregular."""
        return self.irregular + sum(c.width for c in self.covariates.get("future", ()))

    @property
    def irregular(self) -> bool:
        return self.frequency.code == IRREGULAR

    def lags(self, rows: int, periods: tuple[int, ...] = ()) -> dict[str, int]:
        """Steps of each season that `rows` hold whole, by its name, shortest first."""
        found = {season.name: round(season.period) for season in self.frequency.seasons()}
        found |= {f"{period} steps": period for period in periods}
        return {name: lag for name, lag in sorted(found.items(), key=lambda one: one[1]) if lag < rows}

    def side_features(self, series: Series, y: Floats, scale: Floats) -> Floats:
        """All that is read beside the series' own moves and seasons, [N, S]."""
        columns = [numpy.zeros((len(y), 0))]
        if self.lag:
            columns.append(self._moved_since_a_season(y, scale)[:, None])
        if self.missing:
            columns += [
                (~series.observed)[:, None].astype(numpy.float64),
                numpy.log1p(_since(series.observed))[:, None],
            ]
        if self.irregular:
            columns.append(numpy.log(numpy.maximum(self.gaps(series.stamps), 1e-3))[:, None])
        if self.targets > 1:
            columns += [_moves(forward_filled(other))[:, None] for other in series.others.T]
            columns.append(numpy.tile(numpy.eye(self.targets)[series.target], (len(y), 1)))
        for covariate in self.covariates.get("static", ()):
            value = numpy.array([series.static[covariate.name]], dtype=object if covariate.words else numpy.float64)
            columns.append(numpy.repeat(covariate.encode(value, series.name), len(y), 0))
        for covariate in self.covariates.get("past", ()):
            columns.append(covariate.encode(series.past[covariate.name], series.name))
        for covariate in self.covariates.get("future", ()):
            columns.append(covariate.encode(series.future[covariate.name][: len(y)], series.name))
        return numpy.concatenate(columns, 1)

    def _moved_since_a_season(self, y: Floats, scale: Floats) -> Floats:
        moved = numpy.zeros_like(y)
        moved[self.lag :] = y[self.lag :] - y[: -self.lag]
        return numpy.divide(moved, scale, out=numpy.zeros_like(y), where=scale > 0)

    def ahead_features(self, series: Series, horizon: int) -> Floats:
        """What is known of each row and of the horizon after the last one, [N + K, C]; unknown covariates are 0."""
        N = len(series)
        columns = [numpy.zeros((N + horizon, 0))]
        if self.irregular:
            stamps = numpy.concatenate([series.stamps, self.frequency.future(series.stamps[-1], horizon)])
            columns.append(self.frequency.positions(stamps)[:, None] - self.frequency.positions(stamps[:1])[0])
        for covariate in self.covariates.get("future", ()):
            known = covariate.encode(series.future[covariate.name][: N + horizon], series.name)
            columns.append(numpy.pad(known, ((0, N + horizon - len(known)), (0, 0))))
        return numpy.concatenate(columns, 1)

    def gaps(self, stamps: NDArray[Any]) -> Floats:
        """Median steps since the row before, [N]; empty where stamps have a rhythm."""
        if not self.irregular:
            return numpy.zeros(0)
        positions = self.frequency.positions(stamps)
        return numpy.diff(positions, prepend=positions[0] - 1)

    def to_dict(self) -> dict[str, Any]:
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


def _covariates(panel: Panel, kind: str, wanted: tuple[str, ...]) -> tuple[Covariate, ...]:
    return tuple(Covariate.of(name, _column(panel, kind, name)) for name in wanted)


def _column(panel: Panel, kind: str, name: str) -> NDArray[Any]:
    """One covariate over all series, as words where any of them has words."""
    parts = [getattr(series, kind)[name] for series in panel.series]
    if kind == "static":
        return numpy.array(parts, dtype=object if any(isinstance(p, str) for p in parts) else numpy.float64)
    words = any(part.dtype == object for part in parts)
    return numpy.concatenate([part.astype(object) if words else part for part in parts])


def _moves(y: Floats) -> Floats:
    """Differences over their causal scale; 0 before the first value."""
    y = numpy.where(numpy.isnan(y), y[~numpy.isnan(y)][0], y)
    scale = causal_scale(y)
    return numpy.divide(differences(y), scale, out=numpy.zeros_like(y), where=scale > 0)


def _since(observed: NDArray[numpy.bool_]) -> NDArray[numpy.int64]:
    """Rows since the last value that is there, [N]."""
    at = numpy.arange(len(observed))
    return at - numpy.maximum.accumulate(numpy.where(observed, at, 0))
