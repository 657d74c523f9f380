"""A forecaster as C: the network as a graph, and the carried state of `observe` after the fit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy
import torch

from gruworks.errors import ExportError
from gruworks.interop.c.arrays import Precision
from gruworks.interop.c.forecast_state import Climatology, Forecast, Smoothing
from gruworks.interop.c.forecaster import program
from gruworks.interop.c.graph import Graph, Node
from gruworks.interop.c.network import Network
from gruworks.interop.c.program import Program
from gruworks.tasks.forecast.data import encode
from gruworks.tasks.forecast.features.naive import CLIMATOLOGIES
from gruworks.tasks.forecast.features.seasonality import RunningClimatology
from gruworks.tasks.forecast.models.encoder import ForecastNet
from gruworks.tasks.forecast.streaming import Carried

__all__ = ["graph", "of"]

RECORDED = 40  # values of the test


def of(forecaster: Any, name: str, precision: Precision) -> tuple[Program, str]:
    """The program of a forecaster and its test.

    Raises:
        ExportError: several series, a model other than the encoder, covariates, missing values in the fit, irregular
            timestamps, or a combination with zeros that recur or a climatology with autoregression.
    """
    history, predictor = forecaster.streams.history, forecaster.predictor
    if len(history) > 1:
        raise ExportError(f"C holds the state of one series, and this run has {len(history)}: fit one alone")
    series = history[0]
    if not Carried.serves(predictor) or numpy.isnan(series.y).any():
        raise ExportError(
            "C forecasts by the encoder from regular values without gaps: fit one target without covariates, missing "
            "values, irregular timestamps or min with zeros that recur"
        )
    carried = Carried(series, predictor)
    if carried.anomalies:
        raise ExportError(f"C has no {CLIMATOLOGIES[1]!r}, a part of this run's forecast: fit with blend=False")
    net: ForecastNet = forecaster.model
    network = graph(net, carried)
    about = f"Forecaster of {forecaster.config.target}, {carried.horizon} steps ahead, with {precision} weights."
    values = _values(series.y)
    before, begun = _begun(series, predictor, network, values, precision)
    return program(name, about, network, _forecast(carried, network, values, precision, before, begun), precision)


def graph(net: ForecastNet, carried: Carried) -> Graph:
    """The network from a `row` of features to `raw`: medians, then widths below and above them."""
    head = torch.nn.Linear(net.head.in_features, net.head.out_features)
    head.weight, head.bias = (torch.nn.Parameter(torch.from_numpy(one.copy())) for one in carried.head)
    return Graph({"row": net.gru.input_size}, [Node("gru", net.gru, ["row"]), Node("raw", head, ["gru"])], ["raw"])


def _begun(series: Any, predictor: Any, network: Graph, values: Any, precision: Precision) -> tuple[int, Any]:
    """Steps to the first of the values from the fit's last row, and forecasts of a series that they alone are."""
    at = max(0, len(series) - len(values))
    first = replace(series, timestamps=series.timestamps[at : at + 2], y=values[:2], others=series.others[at : at + 2])
    rows = encode(first, predictor.codec, predictor.config.horizon).features.astype(numpy.float32)
    return at - len(series) + 1, _expected(Carried(first, predictor), network, values[2:], precision, rows)


def _forecast(carried: Carried, network: Graph, values: Any, precision: Precision, before: int, begun: Any) -> Forecast:
    hidden = _hidden(carried, network)
    hidden["raw"] = (carried.head[0] @ carried.state + carried.head[1]).astype(numpy.float32)
    made = {id(one): _climatology(one) for one in carried.climatologies}
    blend = carried.blend
    smoothing = [_smoothing(state, blend.smoothing[name]) for name, state in carried.smoothed.items()]
    ring = numpy.resize(numpy.nan_to_num(carried.ring), max(2, len(carried.ring)))
    longest = 0.0 if carried.season is None else float(carried.season.longest)
    doubles = ("first", "last", "move", "moved", "products", "squares", "total")
    return Forecast(
        {name: float(getattr(carried, name)) for name in doubles},
        {name: int(getattr(carried, name)) for name in ("count", "seen", "at")},
        ring, carried.season_lag, made.get(id(carried.season)), made.get(id(carried.year)), longest,
        numpy.stack(carried.gains), hidden, blend.weight, blend.naive, carried.lag,
        1 - blend.weight - sum(blend.smoothing.values()), smoothing, numpy.stack(carried.scores),
        (carried.bounds.low, carried.bounds.high), values, _expected(carried, network, values, precision),
        before, begun,
    )  # fmt: skip


def _climatology(one: RunningClimatology) -> Climatology:
    turns = numpy.array([[*one.turn[i, i : i + 2], -one.turn[i, i + 1]] for i in range(1, len(one.products), 2)])
    return Climatology(one.squares, one.products, one.wave, one.state, turns, one.basis)


def _smoothing(state: Any, share: float) -> Smoothing:
    parameters = [float(one) for one in (*state.smoother.gains, *state.smoother.units)]
    return Smoothing(parameters, share, numpy.array([state.level, state.trend, *state.season]), state.phase)


def _values(y: Any) -> Any:
    """The last values of the fit once more, changed by a third of their spread, with two missing ones."""
    values = numpy.asarray(y[-RECORDED:], numpy.float64)
    values = values + 0.3 * values.std() * numpy.random.default_rng(0).standard_normal(len(values))
    values[[len(values) // 4, len(values) // 4 + 1]] = numpy.nan
    return values


def _expected(carried: Carried, network: Graph, values: Any, precision: Precision, rows: Any = None) -> Any:
    """Median, low and high [N, 3, K] after each value; of int8, with the network in the arithmetic of the C.

    `rows` are all features before the values; None where the state is the fit's.
    """
    if precision == "int8":
        steps, state, K = Network.of(network, precision), _hidden(carried, network), carried.horizon
        if rows is not None:
            state = {name: numpy.zeros_like(one) for name, one in state.items()}
            for row in rows:
                steps.step({"row": row}, state)
        carried._through = lambda row: steps.step({"row": row[0]}, state)["raw"][None]  # type: ignore[index, method-assign]
        carried.head = numpy.eye(3 * K, dtype=numpy.float32), numpy.zeros(3 * K, numpy.float32)
    found = []
    for value in values:
        carried.step(float(value))
        answer = carried.observed()
        found.append([answer.y_hat, answer.low, answer.high])
    return numpy.array(found)


def _hidden(carried: Carried, network: Graph) -> dict[str, Any]:
    """States of the GRU's layers by the names of their fields."""
    names = [step.layer.name for step in Network.of(network).steps[:-1]]
    return {name: stream.state[0] for name, stream in zip(names, carried.layers, strict=True)}
