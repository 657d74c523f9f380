"""Line charts with error bands, several panels side by side: learning curves, gradients by distance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy
from numpy.typing import NDArray

from gruworks.errors import DataError, ShapeError
from gruworks.plots.figure import INK, MUTED, new_figure, style, write

__all__ = ["Curve", "Panel", "draw_curves", "draw_losses"]

Floats = NDArray[numpy.float64]
COLOURS = ("#0b7285", "#e8590c", "#5f3dc4", "#2b8a3e", "#c2255c", "#1f2933", "#f08c00", "#868e96")
FEW = 12  # points, up to which each has a marker: a single point has no line
FLOOR = 1e-300  # stands for zero on a logarithmic axis


class Curve(NamedTuple):
    """A curve x, y [N], and the bounds of its error band [N], if there is one."""

    x: Floats
    y: Floats
    low: Floats | None = None
    high: Floats | None = None


class Panel(NamedTuple):
    """One pair of axes; `levels` are horizontal lines by name, `lowest` the lower bound of a logarithmic axis.

    With `ticks`, the values of x that are written, the horizontal axis is logarithmic.
    """

    title: str
    curves: Mapping[str, Curve]
    x_axis: str = ""
    y_axis: str = ""
    logarithmic: bool = True
    levels: Mapping[str, float] = {}
    lowest: float | None = None
    ticks: Sequence[float] = ()


def draw_curves(panels: Sequence[Panel], path: Path | str, title: str = "") -> Path:
    """Draw the panels in a row and write the figure to `path` (PNG, SVG or PDF by the suffix).

    >>> import tempfile
    >>> line = Curve(numpy.arange(5.0), numpy.ones(5))
    >>> draw_curves([Panel("one", {"gru": line})], Path(tempfile.mkdtemp()) / "curves.png").name
    'curves.png'

    Curves of one name have the same colour in all panels.

    Raises:
        DataError: no panels or curves, NaN in one, or a path that can't be written.
        ShapeError: x and y of different lengths.
        MissingExtraError: matplotlib is not installed.
    """
    _check(panels)
    figure = new_figure(0.8 + 4.2 * len(panels), 3.6, "lab", dpi=110)
    names = list(dict.fromkeys(name for panel in panels for name in panel.curves))
    colours = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(names)}
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        _draw(axes, panel, colours)
    figure.suptitle(title, x=0.01, ha="left", fontsize=11, color=INK)
    return write(figure, path)


def draw_losses(values: Mapping[str, Sequence[float | None]], path: Path) -> None:
    """Draw the loss curve of a fit, "step", "loss" and "val_loss" with None where a loss was not finite, to `path`.

    Nothing is written where no loss is finite.
    """
    steps, curves = numpy.array(values["step"], dtype=numpy.float64), {}
    for name, column in (("training", "loss"), ("validation", "val_loss")):
        losses = numpy.array(values[column], dtype=numpy.float64)
        if (at := numpy.isfinite(losses)).any():
            curves[name] = Curve(steps[at], losses[at])
    if curves:
        draw_curves([Panel("loss of the fit", curves, "optimizer steps", "loss", logarithmic=False)], path)


def _draw(axes: Any, panel: Panel, colours: Mapping[str, str]) -> None:
    for name, (x, y, low, high) in panel.curves.items():
        seen = numpy.maximum(y, FLOOR) if panel.logarithmic else y
        axes.plot(x, seen, color=colours[name], linewidth=1.6, marker="o" if len(x) < FEW else None, label=name)
        if low is not None and high is not None:
            edges = [numpy.maximum(edge, FLOOR) if panel.logarithmic else edge for edge in (low, high)]
            axes.fill_between(x, *edges, color=colours[name], alpha=0.18, linewidth=0)
    for name, level in panel.levels.items():
        axes.axhline(level, color=MUTED, linewidth=1.0, linestyle="--", label=name)
    if panel.logarithmic:
        axes.set_yscale("log")
    if panel.ticks:
        axes.set_xscale("log")
        axes.set_xticks(panel.ticks, [f"{tick:,.0f}" for tick in panel.ticks])
        axes.minorticks_off()
    if panel.lowest is not None:
        axes.set_ylim(bottom=panel.lowest)
    style(axes, panel.title, 10)
    axes.set_xlabel(panel.x_axis)
    axes.set_ylabel(panel.y_axis)
    axes.legend(frameon=False, fontsize=8)


def _check(panels: Sequence[Panel]) -> None:
    if not panels or not all(panel.curves for panel in panels):
        raise DataError("expected at least one panel, each with a curve, to draw")
    for panel in panels:
        for name, curve in panel.curves.items():
            for values in curve[1:]:
                if values is not None and numpy.shape(values) != numpy.shape(curve.x):
                    raise ShapeError(f"{name}: x has {numpy.shape(curve.x)}, its values {numpy.shape(values)}")
                if values is not None and numpy.isnan(values).any():
                    raise DataError(f"expected numbers to draw; {name} contains NaN")
