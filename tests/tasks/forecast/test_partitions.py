"""Partitions of a large frame: the same numbers as one process; with Dask where it is installed.

Dask needs pyarrow, so it has an environment of its own: benchmarks/requirements-dask.txt.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest

from gruworks.errors import DataError, RunError
from gruworks.tasks.forecast import partitions
from gruworks.tasks.forecast.estimator import Forecaster

KEYS = ["unique_id", "ds"]
LEVEL = [80, 95]


def same(found: Any, expected: Any) -> None:
    found, expected = (one.sort_values(KEYS).reset_index(drop=True) for one in (found, expected))
    pandas.testing.assert_frame_equal(found, expected, rtol=1e-12)


@pytest.fixture(scope="module")
def rows() -> pandas.DataFrame:
    """Six series of 120 days, by day."""
    days, draw = pandas.date_range("2024-01-01", periods=120), numpy.random.default_rng(0)
    wave = 10 * numpy.sin(numpy.arange(120) * 2 * numpy.pi / 7)
    parts = [
        pandas.DataFrame({"unique_id": f"s{i}", "ds": days, "y": 50 + i * wave + draw.normal(size=120)})
        for i in range(6)
    ]
    return pandas.concat(parts).sort_values("ds").reset_index(drop=True)


@pytest.fixture(scope="module")
def run(rows: pandas.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("partitions") / "run"
    Forecaster(horizon=5, steps=4, hidden_size=4).fit(rows[rows.ds < "2024-04-10"], out=folder, quiet=True)
    return folder


def test_groups_of_series_have_the_numbers_of_one_process(rows: pandas.DataFrame, run: Path) -> None:
    """As Spark's applyInPandas calls it."""
    parts = [partitions.predict_part(part, run, LEVEL) for _, part in rows.groupby("unique_id")]
    same(pandas.concat(parts), Forecaster.load(run).predict(rows, level=LEVEL))
    tested = [partitions.backtest_part(part, run, 3) for _, part in rows.groupby("unique_id")]
    same(pandas.concat(tested), Forecaster.load(run).backtest(rows, origins=3, quiet=True).frame())


def test_an_empty_partition_has_the_columns(rows: pandas.DataFrame, run: Path) -> None:
    for call in (partitions.predict_part, partitions.backtest_part):
        whole, empty = call(rows, run), call(rows.iloc[:0], run)
        assert len(empty) == 0
        assert list(empty.dtypes) == list(whole.dtypes)
        assert list(empty.columns) == list(whole.columns)


def test_a_folder_without_a_run_is_refused(rows: pandas.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(RunError):
        partitions.predict_part(rows, tmp_path / "none")


@pytest.mark.filterwarnings("ignore")  # Dask's own deprecations
def test_two_workers_have_the_numbers_of_one_process(rows: pandas.DataFrame, run: Path) -> None:
    dataframe = pytest.importorskip("dask.dataframe", reason="dask is not installed: pip install 'gruworks[dask]'")
    distributed = pytest.importorskip("distributed")
    given = dataframe.from_pandas(rows, npartitions=4)
    cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    with cluster, distributed.Client(cluster):
        found = partitions.predict(given, run, LEVEL).compute()
        tested = partitions.backtest(given, run, 3).compute()
    one = Forecaster.load(run)
    same(found, one.predict(rows, level=LEVEL))
    expected = one.backtest(rows, origins=3, quiet=True).frame()
    keys = ["unique_id", "cutoff", "ds"]
    found, expected = (frame.sort_values(keys).reset_index(drop=True) for frame in (tested, expected))
    pandas.testing.assert_frame_equal(found, expected, rtol=1e-12)
    with pytest.raises(DataError, match="expected a column 'unique_id'"):
        partitions.predict(given.rename(columns={"unique_id": "shop"}), run)
