"""One small series with a weekly season, and one forecaster really trained on it."""

from __future__ import annotations

from typing import Any

import numpy
import pandas
import pytest

from gruworks import Forecaster

TINY: dict[str, Any] = {
    "steps": 40, "validate_every": 10, "hidden_size": 6, "window": 64, "batch_size": 4, "blend": False,
}  # fmt: skip


def wavy(rows: int, seed: int = 0) -> pandas.DataFrame:
    """Daily values with a weekly season, a drift and noise."""
    rng = numpy.random.default_rng(seed)
    t = numpy.arange(rows)
    y = 20 + 0.05 * t + 4 * numpy.sin(2 * numpy.pi * t / 7) + rng.normal(0, 0.5, rows)
    return pandas.DataFrame({"ds": pandas.date_range("2020-01-01", periods=rows), "y": y})


@pytest.fixture(scope="session")
def frame() -> pandas.DataFrame:
    return wavy(160)


@pytest.fixture(scope="session")
def trained(frame: pandas.DataFrame) -> Forecaster:
    """Fitted on the first 140 rows of `frame`, 5 steps ahead, with the network and not the autoregression alone."""
    return Forecaster(horizon=5, **TINY).fit(frame[:140], quiet=True)
