"""Holidays of a country: their dates, their effect on a forecast, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy
import pandas
import pytest

from gruworks import Forecaster
from gruworks.errors import OptionError
from gruworks.tasks.forecast.config import Config
from gruworks.tasks.forecast.features.encoding import Codec
from gruworks.tasks.forecast.features.holidays import on_holidays
from gruworks.tasks.forecast.series.reading import read

pytest.importorskip("holidays")
RNG = numpy.random.default_rng(0)


def days(count: int = 760) -> pandas.DataFrame:
    """Sales that fall to a fifth on German holidays, to 29 December 2021."""
    ds = pandas.date_range("2019-12-01", periods=count)
    open_ = 1 - 0.8 * on_holidays(ds.to_numpy(), "DE")
    return pandas.DataFrame({"ds": ds, "y": 100 * open_ + RNG.normal(0, 2, count)})


def test_dates_are_those_of_the_country_and_its_part() -> None:
    hours = numpy.array(["2021-10-03T05", "2021-10-31T05", "2021-10-04T00", "2021-12-25T23"], dtype="datetime64[us]")
    assert on_holidays(hours, "DE").tolist() == [1, 0, 0, 1]
    assert on_holidays(hours, "DE-BB").tolist() == [1, 1, 0, 1]


def test_rows_and_the_steps_ahead_know_their_holidays() -> None:
    table = days(755)  # to 24 December
    config = Config(horizon=4, holidays="DE")
    panel = read(table, config)
    codec = Codec.of(panel, config)
    ahead = codec.ahead_features(panel.series[0], 4)[-4:, 0]
    assert (ahead[:2] > ahead[2:].max()).all()
    assert codec.inputs == Codec.of(panel, Config(horizon=4)).inputs + 2
    assert codec.side_features(panel.series[0]).shape == (755, 2)


def test_a_fall_on_christmas_is_forecast_and_kept_in_a_run(tmp_path: Path) -> None:
    table = days(755)
    forecaster = Forecaster(horizon=4, holidays="DE", steps=150, validate_every=50, blend=False)
    found = forecaster.fit(table, out=tmp_path / "run", quiet=True).predict()["y_hat"].to_numpy()
    assert found[:2].max() < 60 < 85 < found[2:].min()
    assert Forecaster.load(tmp_path / "run").predict()["y_hat"].to_numpy() == pytest.approx(found)


@pytest.mark.parametrize(
    ("table", "country", "told"),
    [
        (days(100), "Atlantis", "DE-BY"),
        (days(100).assign(ds=range(100)), "DE", "numbered"),
        (days(100).assign(ds=pandas.date_range("2010-01-01", periods=100, freq="MS")), "DE", "day or less"),
    ],
)
def test_what_has_no_holidays_is_refused(table: pandas.DataFrame, country: str, told: str) -> None:
    with pytest.raises(OptionError, match=told):
        Forecaster(horizon=4, holidays=country).fit(table, quiet=True)
