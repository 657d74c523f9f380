"""Attributions sum to the forecast, name what moved it, and are of the encoder alone."""

from __future__ import annotations

import numpy
import pandas
import pytest

from gruworks import Forecaster
from gruworks.errors import OptionError
from gruworks.tasks.forecast.combination.blending import Blend
from gruworks.tasks.forecast.explaining import feature_names
from tests.tasks.forecast.conftest import TINY, wavy
from tests.tolerances import ATTRIBUTION


@pytest.mark.parametrize("step", [None, 1, 5])
@pytest.mark.parametrize("weight", [1.0, 0.4])
def test_attributions_sum_to_forecast_minus_baseline(trained: Forecaster, step: int | None, weight: float) -> None:
    blend, trained.blend = trained.blend, Blend(weight, "last value" if weight < 1 else "", None, None)
    try:
        found = trained.explain(step=step)
        middle = trained.predictor.uncalibrated(trained.history[0], numpy.array([139]))[0, :, 1]
    finally:
        trained.blend = blend
    assert found.forecast == pytest.approx(middle.mean() if step is None else middle[step - 1])
    assert found.baseline + sum(found.inputs.values()) == pytest.approx(found.forecast, abs=ATTRIBUTION)


def test_lags_share_out_what_the_network_read(trained: Forecaster) -> None:
    found = trained.explain()
    paths = ("autoregression on differences", "seasonal component")
    read = sum(value for name, value in found.inputs.items() if name not in paths)
    assert sum(found.lags.values()) == pytest.approx(read, abs=ATTRIBUTION)
    assert list(found.lags) == list(range(13))
    assert 0 < found.memory[0] <= found.memory[1]
    assert "rows ago" in str(found)


def test_every_entry_of_a_row_has_a_name() -> None:
    frame = wavy(140).assign(sale=["a", "b"] * 70, price=numpy.arange(140.0), shop="x")
    frame.loc[20, "y"] = numpy.nan
    forecaster = Forecaster(horizon=2, past=("price",), future=("sale",), static=("shop",), **TINY).fit(
        frame, quiet=True
    )
    names = feature_names(forecaster.predictor)
    assert len(names) == forecaster.codec.inputs
    assert {"price", "sale", "shop", "missing values", "calendar"} <= set(names)


def test_a_series_is_explained_by_its_name_and_a_wrong_question_refused(trained: Forecaster) -> None:
    with pytest.raises(OptionError, match="step must be between 1 and the horizon 5, not 6"):
        trained.explain(step=6)
    with pytest.raises(OptionError, match="attributions are of the encoder"):
        Forecaster(horizon=1).fit([1, 2, 3]).explain()
    two = pandas.concat([wavy(90, n).assign(unique_id=name) for n, name in enumerate("ab")])
    forecaster = Forecaster(horizon=3, **TINY).fit(two, quiet=True)
    assert forecaster.explain("a").forecast != forecaster.explain("b").forecast
    with pytest.raises(OptionError, match="there are 2 series: name one"):
        forecaster.explain()
