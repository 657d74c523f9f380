"""Forecasts and backtests of large frames, partition by partition: with Dask, or by functions for Spark and others.

A partition holds whole series. Every worker reads the run folder once, so the folder must be on a disk that all share.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas

from gruworks.errors import DataError, require
from gruworks.tasks.forecast.estimator import Forecaster
from gruworks.tasks.forecast.evaluation import LEVELS

__all__ = ["backtest", "backtest_part", "predict", "predict_part"]

Run = Path | str


@lru_cache(maxsize=4)
def _loaded(run: str) -> Forecaster:
    return Forecaster.load(run)


def predict_part(part: pandas.DataFrame, run: Run, level: Sequence[float] = (80,), mean: bool = False) -> Any:
    """Forecasts of the series in one partition, in a pandas frame: see `Forecaster.predict`.

    With Spark: `frame.groupBy("unique_id").applyInPandas(lambda part: predict_part(part, run), schema)`.

    Args:
        part: rows of whole series, in the columns of the fit.
        run: run folder.
        level: levels of the prediction intervals in percent.
        mean: True for a further column with the mean.

    Returns:
        A frame of `horizon` rows for each series; none for an empty partition.

    Raises:
        RunError: `run` is not a run folder.
        DataError: what is wrong with the rows and where.
    """
    forecaster = _loaded(str(run))
    return _form(forecaster, level, mean) if part.empty else forecaster.predict(part, level=level, mean=mean)


def backtest_part(part: pandas.DataFrame, run: Run, origins: int | None = None) -> Any:
    """Forecasts of one partition at rolling origins, beside the true values: see `Forecaster.backtest`.

    Args:
        part: rows of whole series, those of the fit and later ones.
        run: run folder.
        origins: number of origins; None for as many as fit into the rows after the fit.

    Returns:
        A frame of unique_id, cutoff, ds, y, the forecast and its intervals; none for an empty partition.

    Raises:
        RunError: `run` is not a run folder.
        TooShortError: too few rows for the origins, or none that the fit has not seen.
    """
    forecaster = _loaded(str(run))
    if part.empty:
        return _tested_form(forecaster)
    return forecaster.backtest(part, quiet=True, origins=origins).frame()


def predict(frame: Any, run: Run, level: Sequence[float] = (80,), mean: bool = False) -> Any:
    """Forecasts of a Dask frame, lazily: its rows are brought together by series, then each partition is one task.

    >>> import dask.dataframe
    >>> rows = dask.dataframe.read_parquet("loads/*.parquet")   # doctest: +SKIP
    >>> predict(rows, "run", level=[80, 95]).compute()          # doctest: +SKIP

    Args:
        frame: dask.dataframe with the columns of the fit.
        run: run folder on a disk that all workers share.
        level: levels of the prediction intervals in percent.
        mean: True for a further column with the mean.

    Returns:
        A Dask frame with the forecasts' columns.

    Raises:
        MissingExtraError: Dask is not installed.
        DataError: no column of the series' names.
    """
    form = _form(_loaded(str(run)), level, mean)
    return _by_series(frame, run).map_partitions(predict_part, str(run), level, mean, meta=form)


def backtest(frame: Any, run: Run, origins: int) -> Any:
    """Backtest of a Dask frame, lazily: the columns of `backtest_part`, from which scores over all series follow.

    Args:
        frame: dask.dataframe with the columns of the fit and rows after those of the fit.
        run: run folder on a disk that all workers share.
        origins: number of origins of each series.

    Returns:
        A Dask frame.

    Raises:
        MissingExtraError: Dask is not installed.
        DataError: no column of the series' names.
    """
    form = _tested_form(_loaded(str(run)))
    return _by_series(frame, run).map_partitions(backtest_part, str(run), origins, meta=form)


def _by_series(frame: Any, run: Run) -> Any:
    require("dask.dataframe", extra="dask")
    names = _loaded(str(run)).config.series.split(",")
    if missing := [name for name in names if name not in frame.columns]:
        raise DataError(f"expected a column {missing[0]!r} with the series' names, got {', '.join(frame.columns)}")
    return frame.shuffle(names)


def _form(forecaster: Forecaster, level: Sequence[float], mean: bool) -> Any:
    """Empty frame of a forecast's columns and types."""
    made = forecaster.predict(level=level, mean=mean)
    return (made if isinstance(made, pandas.DataFrame) else pandas.DataFrame(made.to_dict())).iloc[:0]


def _tested_form(forecaster: Forecaster) -> Any:
    """Empty frame of a backtest's columns and types."""
    made = _form(forecaster, LEVELS, False)
    made.insert(1, "cutoff", made["ds"])
    made.insert(3, "y", made["y_hat"])
    return made
