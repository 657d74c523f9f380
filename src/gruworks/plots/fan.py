"""Fan chart of a forecast: history, median and one prediction interval."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
from numpy.typing import NDArray

from gruworks.errors import require
from gruworks.plots.figure import ACCENT, INK, MUTED, new_figure, style, write

__all__ = ["draw_fan"]

Array = NDArray[Any]


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
    """Write the chart to `path` (PNG, SVG or PDF by the suffix), and return it.

    Args:
        stamps: timestamps of the history [N].
        history: values [N].
        ahead: timestamps of the forecast [K].
        forecast: medians [K].
        low: lower bounds of the interval [K].
        high: upper bounds of the interval [K].
        band: name of the interval in the legend.

    Raises:
        DataError: a path that can't be written.
        MissingExtraError: matplotlib is not installed.
    """
    figure = new_figure(9, 4, "forecast", dpi=120)
    axes = figure.subplots()
    axes.plot(stamps, history, color=INK, linewidth=1.2, label="history")
    # The forecast starts at the last value, so that line and interval leave no gap after the history.
    times, last = [stamps[-1], *ahead], history[-1]
    axes.fill_between(times, [last, *low], [last, *high], color=ACCENT, alpha=0.2, linewidth=0, label=band)
    marker = "o" if len(ahead) <= 31 else None
    line = {"color": ACCENT, "linewidth": 1.8, "marker": marker, "markersize": 3}
    axes.plot(times, [last, *forecast], label="forecast", **line)
    axes.axvline(stamps[-1], color=MUTED, linewidth=0.8, linestyle=":")
    style(axes, title, 11)
    axes.legend(frameon=False, fontsize=9, loc="best")
    if numpy.issubdtype(numpy.asarray(stamps).dtype, numpy.datetime64):
        dates = require("matplotlib.dates", extra="forecast")
        locator = dates.AutoDateLocator(maxticks=8)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))
    return write(figure, path)
