"""examples/forecast_totals.py: the forecasts of the shops add up to that of the total."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest

from gruworks.data.samples import write
from tests.examples import load


@pytest.fixture(scope="module")
def example() -> Any:
    pytest.importorskip("hierarchicalforecast", reason="hierarchicalforecast is not installed")
    return load("forecast_totals")


@pytest.mark.filterwarnings("ignore")  # of hierarchicalforecast's dependencies
def test_shops_add_up_to_the_total(example: Any, tmp_path: Path) -> None:
    rows = pandas.read_csv(write("shop", tmp_path))
    found = example.forecast_totals(rows, 3, steps=5)
    values = found.pivot(index="ds", columns="unique_id", values="GRU/MinTrace")
    assert len(values) == 3
    numpy.testing.assert_allclose(values["total"], values["total/north"] + values["total/south"])
    alone = found.pivot(index="ds", columns="unique_id", values="GRU")
    assert not numpy.allclose(alone["total"], alone["total/north"] + alone["total/south"])
