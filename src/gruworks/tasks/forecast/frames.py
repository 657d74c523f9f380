"""Forecast frames in the caller's frame type, and the covariates of the rows to forecast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import narwhals as nw
import numpy
from numpy.typing import NDArray

from gruworks.errors import DataError, OptionError
from gruworks.tasks.forecast.config import Config
from gruworks.tasks.forecast.features.encoding import Codec
from gruworks.tasks.forecast.series.columns import Formats, FrameTypes, short
from gruworks.tasks.forecast.series.frequency import Frequency
from gruworks.tasks.forecast.series.panel import Series
from gruworks.tasks.forecast.series.reading import read_future

__all__ = ["MEAN_SHARES", "forecast_frame", "interval_columns", "levels", "with_future", "with_mean"]

Floats = NDArray[numpy.float64]
MEAN_SHARES = (numpy.arange(200) + 0.5) / 200  # quantiles whose average is the mean


def levels(level: Sequence[float]) -> list[float]:
    """Probabilities of the quantiles of a frame: the median, then low and high of each level in percent.

    >>> levels([80])
    [0.5, 0.1, 0.9]

    Raises:
        OptionError: a level that is no percentage, or one given twice.
    """
    found = [float(one) for one in level]
    for one in found:
        if not 0 < one < 100:
            raise OptionError(f"a level is a percentage between 0 and 100, such as 80, not {one:g}")
    if len({f"{one:g}" for one in found}) < len(found):
        raise OptionError(
            f"expected distinct levels, got {', '.join(f'{one:g}' for one in found)}: name each level once"
        )
    return [0.5] + [share for one in found for share in (0.5 - one / 200, 0.5 + one / 200)]


def interval_columns(name: str, level: Sequence[float]) -> list[str]:
    """Column names in the order of `levels`."""
    return [name] + [f"{name}-{side}-{one:g}" for one in level for side in ("lo", "hi")]


def with_mean(found: Floats, count: int) -> Floats:
    """Quantiles [K, S + count], the last `count` of which are replaced by their mean, [K, S + 1]."""
    return numpy.concatenate([found[:, :-count], found[:, -count:].mean(1, keepdims=True)], 1)


def forecast_frame(
    series: list[Series],
    found: list[Floats],
    level: Sequence[float],
    config: Config,
    frequency: Frequency,
    backend: Any,
    types: FrameTypes | None = None,
) -> Any:
    """unique_id, ds, y_hat and its intervals from quantiles [K, S] of each series; the targets side by side.

    A further column of the quantiles is the mean.
    Names of the series and times have the `types` of the caller's frame.
    """
    targets = config.targets
    ids: list[str] = []
    values: dict[str, list[NDArray[Any]]] = {"ds": []}
    for one, quantiles in zip(series, found, strict=True):
        if one.target == 0:
            ids += [one.name] * config.horizon
            values["ds"].append(frequency.future(one.timestamps[-1], config.horizon))
        head = "y_hat" if len(targets) == 1 else f"{targets[one.target]}_hat"
        names = interval_columns(head, level)
        names += [f"{head}-mean"] * (len(quantiles.T) - len(names))
        for name, column in zip(names, quantiles.T, strict=True):
            values.setdefault(name, []).append(column)
    types = types or FrameTypes()
    named = numpy.array(ids, dtype=numpy.int64) if types.ids == "integer" else ids
    columns: dict[str, Any] = {"unique_id": named} | {name: numpy.concatenate(parts) for name, parts in values.items()}
    frame = nw.from_dict(columns, backend=backend)
    return _with_times(frame, types).to_native() if frequency.dated else frame.to_native()


def _with_times(frame: Any, types: FrameTypes) -> Any:
    """The frame with times of the caller's type."""
    times = nw.col("ds")
    if types.times == "date":
        midnight = (frame["ds"].dt.truncate("1d") == frame["ds"]).all()
        return frame.with_columns(times.cast(nw.Date)) if midnight else frame
    if types.times == "datetime":
        return frame
    if types.local:
        return frame.with_columns(times.dt.replace_time_zone(types.times))
    return frame.with_columns(times.dt.replace_time_zone("UTC").dt.convert_time_zone(types.times))


def with_future(
    series: list[Series], future: Any, config: Config, codec: Codec, known: Formats | None = None
) -> list[Series]:
    """The series with the covariates of their next K rows, from `future` or from the data.

    Raises:
        DataError: a row to forecast without covariates.
        OptionError: `future` for a forecaster without future covariates.
    """
    if not config.future:
        if future is not None:
            raise OptionError("this forecaster has no future covariates: name them as future=(...) before the fit")
        return series
    given = {} if future is None else read_future(future, config, known)
    return [_extended(one, given, config, codec) for one in series]


def _extended(series: Series, given: dict[str, Any], config: Config, codec: Codec) -> Series:
    N, K = len(series), config.horizon
    wanted = codec.frequency.future(series.timestamps[-1], K)
    known = {name: values[: N + K] for name, values in series.future.items()}
    if series.name in given:
        timestamps, columns = given[series.name]
        there = numpy.isin(wanted, timestamps)
        if not there.all():
            raise DataError(_missing(series, wanted[~there][0], config))
        at = numpy.searchsorted(timestamps, wanted)
        known = {name: numpy.concatenate([series.future[name][:N], columns[name][at]]) for name in config.future}
    for values in known.values():
        if len(values) < N + K:
            raise DataError(_missing(series, wanted[len(values) - N], config))
    return replace(series, future=known)


def _missing(series: Series, timestamp: Any, config: Config) -> str:
    return (
        f"series {series.name!r} has no future covariates ({', '.join(config.future)}) for {short(timestamp)}: a "
        f"forecast needs them for all {config.horizon} steps; give them as future=... (--future FILE), or as rows "
        f"without {config.target}"
    )
