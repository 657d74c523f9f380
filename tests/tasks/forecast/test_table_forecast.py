"""A model on a table that it was not fitted on: combination, test and skill are the table's, or nothing is said."""

from __future__ import annotations

import numpy
import pytest

from gruworks.tasks import ready
from gruworks.tasks.forecast.config import Config
from gruworks.tasks.forecast.estimator import Forecaster
from gruworks.tasks.forecast.series.panel import Panel
from gruworks.tasks.forecast.series.reading import read
from gruworks.tasks.forecast.table_forecast import by_fit, by_model, by_naive, is_of_fit, reads

RNG = numpy.random.default_rng(0)
LEVEL = [80.0]


@pytest.fixture(scope="module")
def seattle() -> Forecaster:
    (found,) = [one.path for one in ready.present() if one.name == "seattle"]
    return Forecaster.load(found)


def table(y: numpy.ndarray, first: str = "2020-01-01", unit: str = "D", name: str = "0") -> Panel:
    timestamps = (numpy.datetime64(first, unit) + numpy.arange(len(y))).astype("datetime64[us]")
    columns = {"ds": timestamps.astype(str).tolist(), "y": [str(one) for one in y], "unique_id": [name] * len(y)}
    return read(columns, Config())


SALES = 200 + numpy.tile([0.0, 0, 0, 0, 0, 60, 100], 60) + RNG.normal(0, 10, 420)


def test_skill_is_the_tables_own(seattle: Forecaster) -> None:
    found = by_model(seattle, table(SALES), LEVEL, True)
    assert found.weighed
    assert found.blend.naive == "seasonal naive (7)"  # the fit's own is another
    assert found.blend != seattle.blend
    assert found.evaluation is not None
    assert found.tested == "past"
    best = found.evaluation.best_naive
    assert found.evaluation.ours.mae < 1.1 * best.mae
    assert numpy.abs(found.quantiles[0][:, 0] - found.naive[0]["seasonal naive (7)"]).max() < 15


def test_where_the_table_is_too_short_nothing_is_said_of_skill(seattle: Forecaster) -> None:
    found = by_model(seattle, table(SALES[:15]), LEVEL, True)
    assert (found.by, found.weighed, found.blend.naive) == ("network", False, "")
    assert numpy.isfinite(found.quantiles[0]).all()


def test_a_table_is_of_the_fit_only_where_it_holds_its_rows(seattle: Forecaster) -> None:
    history = seattle.history[0]
    same = Panel([history.until(900)], seattle.frequency)
    assert is_of_fit(seattle, same)
    other = table(history.y[:300] + 1.0, first=str(history.timestamps[0])[:10])
    assert not is_of_fit(seattle, other)
    assert not is_of_fit(seattle, table(SALES))
    after = table(SALES[:30], first=str(seattle.frequency.future(history.timestamps[-1], 1)[0])[:10])
    assert not is_of_fit(seattle, after)
    assert is_of_fit(seattle, seattle.joined(after))


def test_rows_behind_the_fit_are_tested_on_and_the_fits_own_are_not(seattle: Forecaster) -> None:
    history = seattle.history[0]
    own = by_fit(seattle, Panel([history], seattle.frequency), LEVEL, True)
    assert own.tested == "held out"
    assert own.blend == seattle.blend
    after = table(SALES[:60] / 20, first=str(seattle.frequency.future(history.timestamps[-1], 1)[0])[:10])
    grown = by_fit(seattle, seattle.joined(after), LEVEL, True)
    assert grown.tested == "past"
    assert grown.evaluation is not None
    assert grown.evaluation.first_origin >= str(history.timestamps[-1])


def test_only_the_kind_of_frequency_counts(seattle: Forecaster) -> None:
    assert reads(seattle, table(SALES))
    assert not reads(seattle, table(SALES[:48], unit="M", first="2010-01"))
    weeks = numpy.arange(0, 700, 7)
    fitted = Forecaster(horizon=3, steps=1).fit(_weekly(weeks))
    assert reads(fitted, read(_weekly(weeks + 2), Config()))
    answer = by_model(fitted, read(_weekly(weeks + 2), Config()), LEVEL, False)
    assert answer.frequency.future(answer.series[0].timestamps[-1], 1)[0] == numpy.datetime64("2020-01-03") + 700


def _weekly(days: numpy.ndarray) -> dict[str, list[str]]:
    timestamps = numpy.datetime64("2020-01-01") + days
    return {"ds": timestamps.astype(str).tolist(), "y": [str(one) for one in numpy.sin(days / 9)]}


def test_a_fit_of_too_few_rows_is_called_what_it_is() -> None:
    panel = table(numpy.arange(12.0))
    fitted = Forecaster(horizon=3).fit({"ds": panel.series[0].timestamps.astype(str).tolist(), "y": list(range(12))})
    assert by_fit(fitted, None, LEVEL, False).by == "baselines"


def test_no_model_has_a_part_in_the_naive_forecast() -> None:
    found = by_naive(table(SALES), 10, [80.0, 95.0])
    assert (found.by, found.blend.weight, found.blend.naive) == ("naive", 0.0, "seasonal naive (7)")
    assert found.quantiles[0].shape == (10, 5)
    assert numpy.array_equal(found.quantiles[0][:, 0], found.naive[0]["seasonal naive (7)"])
