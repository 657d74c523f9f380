"""History, forecast and its band, as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
from numpy.typing import NDArray

from gruworks.errors import require

__all__ = ["draw_fan"]

Array = NDArray[Any]
INK, ACCENT, MUTED = "#1f2933", "#0b7285", "#adb5bd"


def draw_fan(
    path: Path,
    title: str,
    stamps: Array,
    history: Array,
    ahead: Array,
    forecast: Array,
    low: Array,
    high: Array,
    band: str = "80 % band",
) -> Path:
    """Write a picture (PNG, SVG or PDF by the suffix) to `path`, and return it.

    Args:
        stamps, history: the past, [N] each. ahead, forecast, low, high: what follows, [K] each.
    """
    figure_module = require("matplotlib.figure", extra="forecast")
    figure = figure_module.Figure(figsize=(9, 4), dpi=120, layout="constrained")
    axes = figure.subplots()
    axes.plot(stamps, history, color=INK, linewidth=1.2, label="history")
    # The forecast starts from the last value seen, so that line and band leave the history without a gap.
    times = [stamps[-1], *ahead]
    axes.fill_between(
        times, [history[-1], *low], [history[-1], *high], color=ACCENT, alpha=0.2, linewidth=0, label=band
    )
    marker = "o" if len(ahead) <= 31 else None
    axes.plot(
        times, [history[-1], *forecast], color=ACCENT, linewidth=1.8, marker=marker, markersize=3, label="forecast"
    )
    axes.axvline(stamps[-1], color=MUTED, linewidth=0.8, linestyle=":")
    axes.set_title(title, loc="left", fontsize=11, color=INK)
    axes.grid(axis="y", color=MUTED, alpha=0.4, linewidth=0.6)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.legend(frameon=False, fontsize=9, loc="best")
    if numpy.issubdtype(numpy.asarray(stamps).dtype, numpy.datetime64):
        dates = require("matplotlib.dates", extra="forecast")
        locator = dates.AutoDateLocator(maxticks=8)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    return path
