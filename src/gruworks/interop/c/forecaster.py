"""A streaming forecaster as C: a value in, median and 80 % interval of the steps ahead out."""

from __future__ import annotations

import numpy

from gruworks.interop.c.arrays import Array, Field, Precision
from gruworks.interop.c.forecast_code import own
from gruworks.interop.c.forecast_state import Forecast
from gruworks.interop.c.functions import Function
from gruworks.interop.c.graph import Graph
from gruworks.interop.c.network import Network
from gruworks.interop.c.program import Program
from gruworks.interop.c.proof import CARRY_ON, test_file

__all__ = ["program"]

DECLARATIONS = """\
/* The next value of the series; NaN is a missing one. */
void {name}_observe({name}_state *state, double value);

/* Median and ends of the 80 % interval of the next {upper}_HORIZON values. */
void {name}_forecast(const {name}_state *state, double median[{upper}_HORIZON], double low[{upper}_HORIZON],
                     double high[{upper}_HORIZON]);
"""
BEGIN = """
/* Another series in place of the fitted one, from its first value on, which isn't missing. It stands `steps` after the
 * last row of the fit (before it where `steps` is negative), which is the phase of the season. */
void {name}_begin({name}_state *state, double value, int32_t steps);
"""


def program(name: str, about: str, graph: Graph, forecast: Forecast, precision: Precision) -> tuple[Program, str]:
    """The program of a forecaster whose graph maps a `row` of features to `raw`, and its test."""
    network = Network.of(graph, precision)
    fields, arrays = _state(forecast)
    start = [f"memcpy(state->{key}, {key}_first, sizeof {key}_first);" for key in forecast.hidden]
    wide = max((len(one.products) for one in forecast.climatologies.values()), default=0)
    code = own(name, forecast, network.inputs["row"])
    named = ("softplus", "climatology", "climatology_ahead", "climatology_begin", "smoothing")
    functions = [Function(one) for one in named if f"{one}(" in code or f"{one}_step(" in code]
    made = Program(
        name, about, network, fields, arrays, functions,
        (DECLARATIONS + BEGIN * forecast.begins).format(name=name, upper=name.upper()), code, True, start,
        8 * wide * (wide + 1), {"HORIZON": forecast.horizon}, {"WIDEST_SEASON": wide} if wide else {},
    )  # fmt: skip
    return made, _test(made, forecast)


def _state(forecast: Forecast) -> tuple[list[Field], list[Array]]:
    fields = [Field("float", "raw", 3 * forecast.horizon, "the network's output")]
    arrays = [Array(f"{name}_first", values) for name, values in forecast.hidden.items()]
    fields += [Field("double", name, first=value) for name, value in forecast.numbers.items()]
    fields += [Field("int32_t", name, first=value) for name, value in forecast.counts.items()]
    held = {"ring": forecast.ring}
    for name, one in forecast.climatologies.items():
        parts = {"squares": one.squares.ravel(), "products": one.products, "wave": one.wave, "solution": one.solution}
        held |= {f"{name}_{part}": values for part, values in parts.items()}
        arrays += [Array(f"{name}_angles", one.angles.ravel()), Array(f"{name}_basis", one.basis.ravel())]
    for i, smooth in enumerate(forecast.smoothing):
        held[f"smoothing_{i}"] = smooth.state
        fields.append(Field("int32_t", f"phase_{i}", first=smooth.phase))
    fields += [Field("double", name, len(values), first=f"{name}_first") for name, values in held.items()]
    arrays += [Array(f"{name}_first", values.astype(numpy.float64)) for name, values in held.items()]
    arrays += [Array("response_gain", forecast.gains[0]), Array("season_gain", forecast.gains[1])]
    arrays += [Array("low_score", forecast.scores[0]), Array("high_score", forecast.scores[1])]
    return fields, arrays


def _test(made: Program, forecast: Forecast) -> str:
    name, K, N = made.name, forecast.horizon, len(forecast.values)
    values = numpy.where(numpy.isnan(forecast.values), 0, forecast.values)
    missing = numpy.isnan(forecast.values).astype(numpy.int32)
    arrays = [Array("given", values), Array("missing", missing), Array("expected", forecast.expected.ravel())]
    arrays += [Array("begun", forecast.begun.ravel())] * forecast.begins
    body = f"""\
static {name}_state state;
static uint8_t saved[{name.upper()}_SAVED_BYTES];
double found[{3 * K}];
{name}_init(&state);
for (int t = 0; t < {N}; t++) {{
{CARRY_ON.format(name=name, half=N // 2)}
    {name}_observe(&state, missing[t] ? 0.0 / (double)(missing[t] - 1) : given[t]);
    {name}_forecast(&state, found, found + {K}, found + {2 * K});
    compare(found, expected + {3 * K} * t, {3 * K});
}}"""
    if forecast.begins:
        body += f"""
{name}_begin(&state, given[0], {forecast.before});
for (int t = 1; t < {N}; t++) {{
    {name}_observe(&state, missing[t] ? 0.0 / (double)(missing[t] - 1) : given[t]);
    {name}_forecast(&state, found, found + {K}, found + {2 * K});
    if (t > 1)
        compare(found, begun + {3 * K} * (t - 2), {3 * K});
}}"""
    return test_file(made, arrays, body, {"expected": forecast.expected})
