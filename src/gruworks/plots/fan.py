"""Fan charts of forecasts: history, median and prediction intervals, several to a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
from numpy.typing import NDArray

from gruworks.errors import require
from gruworks.plots.figure import ACCENT, INK, MUTED, new_figure, style, write

__all__ = ["Fan", "draw_fan", "draw_fans"]

Array = NDArray[Any]
PER_PAGE = 8  # charts, in two columns
MOST_PAGES = 25
EARLY = 100  # years before it are labelled by our own ticks: matplotlib's begin with year 1
TICKS = 5


@dataclass(frozen=True)
class Fan:
    """Contents of one chart.

    Args:
        title: above the chart.
        stamps: timestamps of the history [N].
        history: values [N], NaN where missing.
        ahead: timestamps of the forecast [K].
        forecast: medians [K].
        bands: intervals by their names in the legend: lower and upper bounds [K].
    """

    title: str
    stamps: Array
    history: Array
    ahead: Array
    forecast: Array
    bands: dict[str, tuple[Array, Array]]


def draw_fan(
    path: Path,
    title: str,
    stamps: Array,
    history: Array,
    ahead: Array,
    forecast: Array,
    low: Array,
    high: Array,
    band: str = "80 % prediction interval",
) -> Path:
    """Write one chart with one interval to `path` (PNG, SVG or PDF by the suffix), and return it; see `Fan`.

    Raises:
        DataError: a path that can't be written.
        MissingExtraError: matplotlib is not installed.
    """
    return draw_fans(path, [Fan(title, stamps, history, ahead, forecast, {band: (low, high)})])[0]


def draw_fans(path: Path, fans: Sequence[Fan]) -> list[Path]:
    """Write the charts to `path` and, where there are more than a page holds, to NAME-2, NAME-3 ...; return the paths.

    Raises:
        DataError: a path that can't be written.
        MissingExtraError: matplotlib is not installed.
    """
    pages = [fans[at : at + PER_PAGE] for at in range(0, len(fans), PER_PAGE)][:MOST_PAGES]
    paths = [path, *(path.with_stem(f"{path.stem}-{number}") for number in range(2, len(pages) + 1))]
    return [_page(one, page) for one, page in zip(paths, pages, strict=True)]


def _page(path: Path, fans: Sequence[Fan]) -> Path:
    columns = min(2, len(fans))
    rows = -(-len(fans) // columns)
    figure = new_figure(9 if columns == 1 else 14, 4 if rows == 1 else 3 * rows, "forecast", dpi=120)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, fan in zip(grid, fans, strict=False):
        _draw(axes, fan)
    for axes in grid[len(fans) :]:
        axes.set_axis_off()
    grid[0].legend(frameon=False, fontsize=9, loc="best")
    return write(figure, path)


def _draw(axes: Any, fan: Fan) -> None:
    stamps, ahead = fan.stamps, fan.ahead
    early = _dated(stamps) and stamps[0] < numpy.datetime64(f"{EARLY:04d}-01-01")
    if early:
        stamps, ahead = _numbers(axes, stamps, ahead)
    axes.plot(stamps, fan.history, color=INK, linewidth=1.2, label="history")
    # The forecast starts at the last value, so that line and interval leave no gap after the history.
    known = fan.history[~numpy.isnan(fan.history)]
    times, last = [stamps[-1], *ahead], known[-1] if len(known) else numpy.nan
    for at, (label, (low, high)) in enumerate(fan.bands.items()):
        shade = {"color": ACCENT, "alpha": 0.2 if at == len(fan.bands) - 1 else 0.1, "linewidth": 0}
        axes.fill_between(times, [last, *low], [last, *high], label=label, **shade)
    marker = "o" if len(ahead) <= 31 else None
    line = {"color": ACCENT, "linewidth": 1.8, "marker": marker, "markersize": 3}
    axes.plot(times, [last, *fan.forecast], label="forecast", **line)
    axes.axvline(stamps[-1], color=MUTED, linewidth=0.8, linestyle=":")
    style(axes, fan.title, 11)
    if _dated(stamps):
        dates = require("matplotlib.dates", extra="forecast")
        locator = dates.AutoDateLocator(minticks=3, maxticks=8)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))


def _dated(stamps: Array) -> bool:
    return numpy.issubdtype(numpy.asarray(stamps).dtype, numpy.datetime64)


def _numbers(axes: Any, stamps: Array, ahead: Array) -> tuple[Array, Array]:
    """Row numbers in the place of timestamps, some of them labelled by their days."""
    every = numpy.concatenate([stamps, ahead])
    at = numpy.unique(numpy.linspace(0, len(every) - 1, TICKS).astype(int))
    axes.set_xticks(at, [str(every[i])[:10] for i in at])
    rows = numpy.arange(len(every))
    return rows[: len(stamps)], rows[len(stamps) :]
