"""A fitted forecaster in plain numbers: state and constants of its C."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy
from numpy.typing import NDArray

__all__ = ["Climatology", "Forecast", "Smoothing"]

Floats = NDArray[numpy.float64]


@dataclass(frozen=True)
class Climatology:
    """State of a running climatology of n terms: squares [n, n], products, wave and solution [n], and constants.

    `angles` are cosine, sine and negative sine of each harmonic's turn; `basis` [n, K] the terms of the steps ahead.
    """

    squares: Floats
    products: Floats
    wave: Floats
    solution: Floats
    angles: Floats
    basis: Floats


@dataclass(frozen=True)
class Smoothing:
    """Exponential smoothing: its eight parameters in the order of C, share in the forecast, and state."""

    parameters: Sequence[float]
    share: float
    state: Floats
    phase: int


@dataclass(frozen=True)
class Forecast:
    """A forecaster after its fit.

    Args:
        numbers: doubles of the state by name: first, last, move, moved, products, squares, total.
        counts: integers of the state by name: count, seen, at.
        ring: the last values.
        lag: season of the seasonal component by values; 0 for none.
        season, year: climatologies of the features and of the naive forecast.
        longest: rows from which `season` is known.
        gains: weights [2, K] of the autoregression on differences and of the seasonal component.
        hidden: initial states of the network by field, and `raw`, its output.
        weight: of the network in the combination; `naive` and `naive_lag` say what the naive forecast is.
        scores: widths [2, K] of the interval over the network's.
        bounds: lowest and highest forecast.
        values, expected: recorded values [N] of the test, and [N, 3, K] median, low and high.
        before, begun: for a series that begins with `values`: steps from the last row of the fit to its first, and
            median, low and high [N - 2, 3, K] from its third value on.
    """

    numbers: dict[str, float]
    counts: dict[str, int]
    ring: Floats
    lag: int
    season: Climatology | None
    year: Climatology | None
    longest: float
    gains: Floats
    hidden: dict[str, Any]
    weight: float
    naive: str
    naive_lag: int
    naive_weight: float
    smoothing: Sequence[Smoothing]
    scores: Floats
    bounds: tuple[float | None, float | None]
    values: Floats
    expected: Floats
    before: int
    begun: Floats

    @property
    def begins(self) -> bool:
        """True if another series can begin: no part of the forecast is fitted to the series or reads a season back."""
        return not (self.smoothing or self.lag or (self.naive_lag and self.weight < 1))

    @property
    def horizon(self) -> int:
        return int(self.gains.shape[1])

    @property
    def climatologies(self) -> dict[str, Climatology]:
        """Those that are kept, by name; one that serves both purposes once."""
        found = {"season": self.season, "year": None if self.year is self.season else self.year}
        return {name: one for name, one in found.items() if one is not None}
