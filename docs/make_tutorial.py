"""The pictures of the tutorial, in both languages: docs/tutorial-*.png.

python docs/make_tutorial.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib.dates
import matplotlib.figure
import numpy
import pandas
import torch
from vega_datasets import data

from gruworks import Forecaster
from gruworks.lab.gradients import as_equations, clamp, reach
from gruworks.lab.number_lines.next_number import next_number
from gruworks.plots.curves import Curve, Panel, draw_curves
from gruworks.plots.gates import draw_gates

DOCS = Path(__file__).parent
HELD = (1.0, 0.5, 0.1, 0.01)
AHEAD = 14


def memory(path: Path) -> None:
    """Draw the fraction of a pulse left in the state after each step, for fixed values of the update gate."""
    steps = numpy.arange(101.0)
    curves = {f"z = {z:g}": Curve(steps, (1 - z) ** steps) for z in HELD[1:]}
    draw_curves([Panel("", curves, "steps after the pulse", "fraction left in the state", logarithmic=False)], path)


def gates(path: Path) -> None:
    """Draw gates and states of the GRU that predicts the next number after 1 to 5."""
    shown = next_number([1, 2, 3, 4, 5])
    steps = [f"{t}\n({value:.3g})" for t, value in enumerate(shown.read, 1)]
    title = f"1 2 3 4 5 → {shown.answer:.4g}"
    draw_gates(shown.gates(), path, steps=steps, axis="step (and its scaled input)", title=title)


def gradient(path: Path) -> None:
    """Draw the gradient norm by distance in time with the update gate fixed, as computed in the tutorial."""
    torch.manual_seed(0)
    gru = as_equations("gru", torch.nn.GRU(1, 16))
    x = torch.randn(100, 1, 1, dtype=torch.float64)
    curves = {}
    for z in HELD:
        held = clamp(gru, {"update": z} | ({"reset": 1.0} if z == 1.0 else {}))
        found = reach(held, x)
        curves[f"z = {z:g}" + (", a plain RNN" if z == 1.0 else "")] = Curve(numpy.arange(101.0), found.mean)
    draw_curves([Panel("", curves, "distance T - t", "‖∂h_T/∂h_t‖", lowest=1e-14)], path)


def forecast(path: Path) -> None:
    """Draw the forecast of the last 14 days of Seattle's maximum temperature, with the observed values."""
    weather = pandas.read_csv(data.seattle_weather.filepath, parse_dates=["date"])[["date", "temp_max"]]
    past, future = weather[:-AHEAD], weather[-AHEAD:]
    ahead = Forecaster(horizon=AHEAD, time="date", target="temp_max").fit(past, quiet=True).predict()
    figure = matplotlib.figure.Figure(figsize=(9, 3.6), dpi=110, layout="constrained")
    axes: Any = figure.subplots()
    axes.plot(past["date"][-90:], past["temp_max"][-90:], color="#1f2933", linewidth=1.2, label="history")
    axes.plot(future["date"], future["temp_max"], "o", color="#e8590c", markersize=4, label="observed")
    days = ahead["date"] if "date" in ahead else ahead["ds"]
    axes.plot(days, ahead["y_hat"], color="#0b7285", linewidth=2, label="forecast")
    axes.fill_between(days, ahead["y_hat-lo-80"], ahead["y_hat-hi-80"], color="#0b7285", alpha=0.2,
                      label="80 % prediction interval")  # fmt: skip
    axes.set_ylabel("°C")
    axes.xaxis.set_major_formatter(matplotlib.dates.ConciseDateFormatter(axes.xaxis.get_major_locator()))
    axes.legend(frameon=False, fontsize=9, loc="upper right")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.savefig(path)


def main() -> None:
    for make in (memory, gates, gradient, forecast):
        make(DOCS / f"tutorial-{make.__name__}.png")


if __name__ == "__main__":
    main()
