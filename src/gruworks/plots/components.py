"""Components of a time series one below the other, on one time axis."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from gruworks.plots.figure import ACCENT, INK, new_figure, style, write

__all__ = ["draw_components"]

HEIGHT = 1.7  # inches of a component


def draw_components(path: Path, title: str, stamps: NDArray[Any], rows: Mapping[str, NDArray[Any]]) -> Path:
    """Write the charts of `rows` (name to values [N]) over the timestamps [N] to `path`, and return it.

    Raises:
        DataError: a path that can't be written.
        MissingExtraError: matplotlib is not installed.
    """
    figure = new_figure(9, 0.5 + HEIGHT * len(rows), "forecast", dpi=120)
    grid = figure.subplots(len(rows), 1, sharex=True, squeeze=False)[:, 0]
    for at, (axes, (name, values)) in enumerate(zip(grid, rows.items(), strict=True)):
        axes.plot(stamps, values, color=INK if at == 0 else ACCENT, linewidth=1.1)
        style(axes, name, 9)
    figure.suptitle(title, x=0.01, ha="left", fontsize=11, color=INK)
    return write(figure, path)
