"""Heat maps of a GRU's gates and states: a column for each time step, a row for each hidden unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy
from numpy.typing import NDArray

from gruworks.errors import DataError, ShapeError
from gruworks.plots.figure import new_figure, write

__all__ = ["draw_gates"]

Floats = NDArray[numpy.float64]

PANEL_HEIGHT, STEP_WIDTH, MARGIN = 1.9, 0.45, 2.4  # inches
UNIT_HEIGHT, STEP_LEAST = 0.02, 0.012  # least inches of a unit and of a step: two dots and one
LARGEST = 500  # inches; matplotlib draws no more than 2**16 dots
MOST_LABELS = 24  # of the time axis


def draw_gates(
    gates: Mapping[str, Floats],
    path: Path | str,
    steps: Sequence[str] | None = None,
    axis: str = "time step",
    title: str = "",
) -> Path:
    """Draw each array [T, H] as a heat map, one below the other, and write the picture to `path`.

    >>> import tempfile
    >>> picture = Path(tempfile.mkdtemp()) / "gates.png"
    >>> draw_gates({"z_t": numpy.eye(5, 8), "h_t": -numpy.eye(5, 8)}, picture).name
    'gates.png'

    Args:
        gates: name to values [T, H], all of one shape. Colours run from 0 to 1 where no value is negative (a gate),
            else from -m to m with white at 0, m the largest magnitude (a candidate or state).
        path: the file to write, PNG, SVG or PDF by the suffix; its folder is created if need be.
        steps: T labels of the time axis; 1 ... T if none.
        axis: name of the time axis.
        title: title of the figure.

    Raises:
        ShapeError: arrays that aren't all [T, H] of one shape, or another number of labels than steps.
        DataError: no arrays, a value that isn't finite, or a path that can't be written.
        MissingExtraError: matplotlib is not installed.
    """
    arrays = _checked(gates, steps)
    T = len(next(iter(arrays.values())))
    units = next(iter(arrays.values())).shape[1]
    height = min(max(PANEL_HEIGHT, 0.3 + UNIT_HEIGHT * units), LARGEST / len(arrays))
    width = max(min(T, 60) * STEP_WIDTH, min(T * STEP_LEAST, LARGEST))
    figure = new_figure(MARGIN + width, height * len(arrays) + 0.6, "lab")
    panels = figure.subplots(len(arrays), 1, sharex=True, squeeze=False)[:, 0]
    for panel, (name, values) in zip(panels, arrays.items(), strict=True):
        _draw(panel, name, values)
    labels = list(steps) if steps is not None else [str(t) for t in range(1, T + 1)]
    every = -(-T // MOST_LABELS)
    panels[-1].set_xticks(range(0, T, every), labels[::every])
    panels[-1].set_xlabel(axis)
    figure.suptitle(title)
    return write(figure, path)


def _draw(panel: Any, name: str, values: Floats) -> None:
    if values.min() >= 0:
        colours = {"cmap": "viridis", "vmin": 0.0, "vmax": max(1.0, float(values.max()))}
    else:
        most = float(numpy.abs(values).max())
        colours = {"cmap": "RdBu_r", "vmin": -most, "vmax": most}
    image = panel.imshow(values.T, aspect="auto", interpolation="nearest", **colours)
    panel.set_ylabel(f"{name}\nunit")
    units = values.shape[1]
    every = -(-units // 8)
    panel.set_yticks(range(0, units, every), [str(unit) for unit in range(1, units + 1, every)])
    panel.figure.colorbar(image, ax=panel)


def _checked(gates: Mapping[str, Floats], steps: Sequence[str] | None) -> dict[str, Floats]:
    arrays = {name: numpy.asarray(values, dtype=numpy.float64) for name, values in gates.items()}
    if not arrays:
        raise DataError("expected at least one array [T, H] to draw, got none")
    shape = next(iter(arrays.values())).shape
    for name, values in arrays.items():
        if values.ndim != 2 or values.shape != shape or 0 in shape:
            raise ShapeError(f"expected arrays [T, H] of one shape, none empty; got {name} {list(values.shape)}")
        if not numpy.isfinite(values).all():
            raise DataError(f"expected finite values to draw; {name} holds NaN or infinity")
    if steps is not None and len(steps) != shape[0]:
        raise ShapeError(f"expected {shape[0]} labels, one a time step, got {len(steps)}")
    return arrays
