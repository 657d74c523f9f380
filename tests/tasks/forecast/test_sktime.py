"""The adapter under sktime's own checks and on what they leave out; skipped where sktime is not installed.

sktime 1.2 asks for a pandas below 3.1, so it has an environment of its own: benchmarks/requirements-sktime.txt.
"""

from __future__ import annotations

from typing import Any

import numpy
import pandas
import pytest

from gruworks.errors import DataError

pytest.importorskip("sktime", reason="sktime is not installed: pip install 'gruworks[sktime]'")
from gruworks.tasks.forecast.sktime import SktimeForecaster  # after the skip: it imports sktime

pytestmark = pytest.mark.filterwarnings("ignore")  # sktime's and its dependencies' own deprecations
QUICK: dict[str, Any] = {"steps": 4, "settings": {"hidden_size": 4, "validate_every": 2, "batch_size": 2, "window": 32}}


def panel(rows: int = 60) -> pandas.DataFrame:
    """Two instances of one column."""
    days = pandas.date_range("2020-01-01", periods=rows)
    index = pandas.MultiIndex.from_product([["north", "south"], days], names=["place", "day"])
    t = numpy.arange(rows)
    return pandas.DataFrame({"load": numpy.concatenate([numpy.sin(t), 100 + 5 * numpy.cos(t)])}, index=index)


def test_it_is_an_estimator_by_sktime_s_own_checks() -> None:
    from sktime.utils.estimator_checks import check_estimator

    found = check_estimator(SktimeForecaster, verbose=False)
    assert len(found) > 500
    assert {name: result for name, result in found.items() if result != "PASSED"} == {}


def test_a_panel_is_fitted_by_one_network_and_answered_by_its_own_names() -> None:
    y = panel()
    forecaster = SktimeForecaster(**QUICK).fit(y, fh=[1, 3])
    assert len(forecaster.forecaster_.history) == 2
    said = forecaster.predict()
    assert said.index.names == ["place", "day"]
    assert list(said.columns) == ["load"]
    assert said.index.get_level_values(0).tolist() == ["north"] * 2 + ["south"] * 2
    assert (said.loc["south"]["load"] > 80).all()


def test_intervals_nest_and_hold_the_median() -> None:
    forecaster = SktimeForecaster(**QUICK).fit(panel().loc["north"], fh=[1, 2, 3])
    bands, median = forecaster.predict_interval(coverage=[0.5, 0.9])["load"], forecaster.predict()["load"]
    assert (bands[0.9]["lower"] <= bands[0.5]["lower"]).all()
    assert (bands[0.5]["lower"] <= median).all()
    assert (median <= bands[0.5]["upper"]).all()
    assert (bands[0.5]["upper"] <= bands[0.9]["upper"]).all()


def test_an_update_without_parameters_moves_the_origin_alone() -> None:
    y = panel(120).loc["north"]["load"]
    forecaster = SktimeForecaster(**QUICK).fit(y[:100], fh=[1, 2])
    weights = {name: w.clone() for name, w in forecaster.forecaster_.model.state_dict().items()}
    forecaster.update(y[100:], update_params=False)
    assert forecaster.predict().index[0] == y.index[-1] + pandas.Timedelta(days=1)
    assert all((w == weights[name]).all() for name, w in forecaster.forecaster_.model.state_dict().items())
    forecaster.update(y[105:], update_params=True)
    assert any((w != weights[name]).any() for name, w in forecaster.forecaster_.model.state_dict().items())


def test_covariates_ahead_move_the_forecast_and_may_cover_the_asked_steps_alone() -> None:
    y = panel(120).loc["north"]["load"]
    rng = numpy.random.default_rng(0)
    X = pandas.DataFrame({"sale": rng.integers(0, 2, 120).astype(float)}, index=y.index)
    y = y + 10 * X["sale"]
    settings = QUICK["settings"] | {"validate_every": 20, "blend": False, "batch_size": 4, "learning_rate": 0.02}
    forecaster = SktimeForecaster(steps=60, settings=settings).fit(y[:100], X=X[:100], fh=[2])
    on, off = (
        float(forecaster.predict(X=pandas.DataFrame({"sale": [v]}, index=X.index[[101]])).iloc[0]) for v in (1.0, 0.0)
    )
    assert on > off + 1


def test_bad_values_are_refused_in_our_words() -> None:
    y = panel().loc["north"]["load"].copy()
    y.iloc[7] = numpy.inf
    with pytest.raises(DataError, match="row 7: y0 is infinite"):
        SktimeForecaster(**QUICK).fit(y, fh=[1])
