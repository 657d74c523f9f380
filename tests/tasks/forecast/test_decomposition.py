"""Components add up to the series and are those that it was made of."""

from __future__ import annotations

import numpy
import pandas
import pytest

from gruworks import Forecaster
from gruworks.errors import TooShortError

DAYS = pandas.date_range("2021-01-01", periods=900)
STEPS = numpy.arange(900.0)
MADE = {
    "trend": 0.02 * STEPS, "week": 5 * numpy.sin(2 * numpy.pi * STEPS / 7),
    "year": 3 * numpy.sin(2 * numpy.pi * STEPS / 365.25),
}  # fmt: skip


def fitted(y: numpy.ndarray, **settings: object) -> Forecaster:
    return Forecaster(horizon=3, steps=2, **settings).fit(pandas.DataFrame({"ds": DAYS[: len(y)], "y": y}), quiet=True)


def test_the_components_are_found_and_add_up() -> None:
    noise = numpy.random.default_rng(0).normal(size=900)
    y = sum(MADE.values()) + noise
    found = fitted(y).decompose()
    assert list(found.components) == ["trend", "week", "year", "remainder"]
    numpy.testing.assert_allclose(sum(found.components.values()), y, atol=1e-9)
    for name, values in MADE.items():
        own = found.components[name]
        assert numpy.corrcoef(own, values)[0, 1] > 0.97, name
        assert numpy.abs(own - values - numpy.mean(own - values)).max() < 2, name
    assert found.components["remainder"].std() > 0.7  # most of the noise is in no season


def test_holidays_have_their_mean_effect() -> None:
    pytest.importorskip("holidays", reason="holidays is not installed: pip install 'gruworks[holidays]'")
    christmas = (DAYS.month == 12) & DAYS.day.isin([25, 26])
    found = fitted(10 + numpy.sin(STEPS) + 50 * christmas, holidays="DE").decompose()
    effect = found.components["holidays"]
    assert effect[christmas].min() > 3  # German holidays without an effect are among the days
    assert set(effect[~christmas]) <= {0.0, effect[christmas][0]}
    numpy.testing.assert_allclose(sum(found.components.values()), found.y, atol=1e-9)


def test_a_series_without_seasons_has_a_trend_and_missing_values_no_remainder() -> None:
    y = STEPS[:12] ** 2
    y[4] = numpy.nan
    found = fitted(y, season=False).decompose()
    assert list(found.components) == ["trend", "remainder"]
    assert numpy.isnan(found.components["remainder"]).tolist() == numpy.isnan(y).tolist()
    with pytest.raises(TooShortError, match="has 5 rows; components need 8"):
        fitted(STEPS[:5]).decompose()
