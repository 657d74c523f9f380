"""A streaming forecaster as C: a value in, median and 80 % interval of the steps ahead out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy
from numpy.typing import NDArray

from gruworks.interop.c.arrays import Array, Field, Precision
from gruworks.interop.c.functions import Function
from gruworks.interop.c.graph import Graph
from gruworks.interop.c.network import Network
from gruworks.interop.c.program import Program, indented
from gruworks.interop.c.proof import test_file

__all__ = ["Climatology", "Forecast", "Smoothing", "program"]

Floats = NDArray[numpy.float64]
DECLARATIONS = """\
/* The next value of the series; NaN is a missing one. */
void {name}_observe({name}_state *state, double value);

/* Median and ends of the 80 % interval of the next {upper}_HORIZON values. */
void {name}_forecast(const {name}_state *state, double median[{upper}_HORIZON], double low[{upper}_HORIZON],
                     double high[{upper}_HORIZON]);
"""


@dataclass(frozen=True)
class Climatology:
    """State of a running climatology of n terms: squares [n, n], products, wave and solution [n], and constants.

    `angles` are cosine and sine of each harmonic's turn in a step; `basis` [n, K] the terms of the steps ahead.
    """

    squares: Floats
    products: Floats
    wave: Floats
    solution: Floats
    angles: Floats
    basis: Floats
    base: float


@dataclass(frozen=True)
class Smoothing:
    """Exponential smoothing: its eight parameters in the order of C, share in the forecast, and state."""

    parameters: Sequence[float]
    share: float
    state: Floats
    phase: int


@dataclass(frozen=True)
class Forecast:
    """A forecaster after its fit.

    Args:
        numbers: doubles of the state by name: last, move, moved, products, squares, total.
        counts: integers of the state by name: count, seen, at.
        first: the first value.
        ring: the last values.
        lag: season of the seasonal component by values; 0 for none.
        season, year: climatologies of the features and of the naive forecast.
        longest: rows from which `season` is known.
        gains: weights [2, K] of the autoregression on differences and of the seasonal component.
        hidden: initial states of the network by field, and `raw`, its output.
        weight: of the network in the combination; `naive` and `naive_lag` say what the naive forecast is.
        scores: widths [2, K] of the interval over the network's.
        bounds: lowest and highest forecast.
        values, expected: recorded values [N] of the test, and [N, 3, K] median, low and high.
    """

    numbers: dict[str, float]
    counts: dict[str, int]
    first: float
    ring: Floats
    lag: int
    season: Climatology | None
    year: Climatology | None
    longest: float
    gains: Floats
    hidden: dict[str, Any]
    weight: float
    naive: str
    naive_lag: int
    naive_weight: float
    smoothing: Sequence[Smoothing]
    scores: Floats
    bounds: tuple[float | None, float | None]
    values: Floats
    expected: Floats

    @property
    def horizon(self) -> int:
        return int(self.gains.shape[1])

    @property
    def climatologies(self) -> dict[str, Climatology]:
        """Those that are kept, by name; one that serves both purposes once."""
        found = {"season": self.season, "year": None if self.year is self.season else self.year}
        return {name: one for name, one in found.items() if one is not None}


def program(name: str, about: str, graph: Graph, forecast: Forecast, precision: Precision) -> tuple[Program, str]:
    """The program of a forecaster whose graph maps a `row` of features to `raw`, and its test."""
    network = Network.of(graph, precision)
    fields, arrays = _state(forecast)
    start = [f"memcpy(state->{key}, {key}_first, sizeof {key}_first);" for key in forecast.hidden]
    wide = max((len(one.products) for one in forecast.climatologies.values()), default=0)
    functions = ["softplus", *["climatology"] * bool(wide), *["smoothing"] * bool(forecast.smoothing)]
    made = Program(
        name, about, network, fields, arrays, [Function(one) for one in functions],
        DECLARATIONS.format(name=name, upper=name.upper()), _own(name, forecast, network), True, start,
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


def _own(name: str, forecast: Forecast, network: Network) -> str:
    K, reach = forecast.horizon, len(forecast.ring)
    smoothings = [
        f"static const smoothing_t smoothing_{i}_parameters = {{{', '.join(map(repr, one.parameters))}, {len(one.state) - 2}}};"
        for i, one in enumerate(forecast.smoothing)
    ]
    season_ago = f"""\
/* The last known value in the phase of the step k + 1 ahead. */
static double season_ago(const {name}_state *state, int lag, int k)
{{
    return state->ring[(state->at - lag + k % lag + 2 * {reach}) % {reach}];
}}
"""
    since = f"""\
static double since_a_season(const {name}_state *state)
{{
    return state->count > {forecast.lag} ? state->last - state->ring[(state->at - 1 - {forecast.lag} + 2 * {reach}) % {reach}] : 0.0;
}}
"""
    parts = [
        "\n".join([*smoothings, ""]),
        f"/* Mean absolute difference. */\nstatic double scale_of(const {name}_state *state)\n{{\n"
        "    return state->moved / (state->seen > 2 ? state->seen - 1 : 1);\n}\n",
        season_ago if forecast.lag or (forecast.naive_lag and forecast.weight < 1) else "", since if forecast.lag else "",
        f"void {name}_observe({name}_state *state, double value)\n{{\n{indented(_observe(forecast, network))}\n}}\n",
        f"void {name}_forecast(const {name}_state *state, double median[{K}], double low[{K}], double high[{K}])\n{{\n"
        f"{indented(_forecast(forecast))}\n}}\n",
    ]  # fmt: skip
    return "\n".join(part for part in parts if part.strip())


def _observe(forecast: Forecast, network: Network) -> list[str]:
    size, reach = network.inputs["row"], len(forecast.ring)
    lines = [
        f"float row[{size}] = {{0}};", "const int missing = value != value;", "if (missing)", "    value = state->last;",
        "const double move = value - state->last;", "state->products += move * state->move;",
        "state->squares += state->move * state->move;", "state->moved += move < 0.0 ? -move : move;", "state->move = move;",
        "state->last = value;", "state->count++;", "state->seen += !missing;", f"state->total += value - {forecast.first!r};",
        "state->ring[state->at] = value;", f"state->at = (state->at + 1) % {reach};",
        "const double scale = scale_of(state);", "row[0] = scale > 0.0 ? (float)(move / scale) : 0.0f;",
    ]  # fmt: skip
    for i in range(len(forecast.smoothing)):
        step = f"smoothing_step(&smoothing_{i}_parameters, state->smoothing_{i}, &state->phase_{i}, value, missing);"
        lines.append(step)
    for name, one in forecast.climatologies.items():
        fields = ", ".join(f"state->{name}_{part}" for part in ("squares", "products", "wave", "solution"))
        lines += [
            f"const climatology_t {name} = {{{fields}}};",
            f"climatology_step({name}, {name}_angles, {len(one.products)}, {one.base!r}, value, missing);",
        ]
    if forecast.season is not None:
        n = len(forecast.season.products)
        lines += [
            f"const int known = state->count - 1 >= {forecast.longest!r};", "if (known && scale > 0.0)",
            f"    row[1] = (float)((value - climatology_now(state->season_solution, {n})) / scale);",
            "row[2] = known ? 1.0f : 0.0f;", f"for (int i = 1; i < {n}; i++)",
            "    row[2 + i] = (float)state->season_wave[i];",
        ]  # fmt: skip
    if forecast.lag:
        lines.append(f"row[{size - 1}] = scale > 0.0 ? (float)(since_a_season(state) / scale) : 0.0f;")
    return [*lines, "network_step(state, row, state->raw);"]


def _forecast(forecast: Forecast) -> list[str]:
    K = forecast.horizon
    before, inside = ["const double scale = scale_of(state);"], []
    if forecast.lag:
        inside.append(f"const double response = since_a_season(state) * (1 + k / {forecast.lag});")
    else:
        before += [
            "double slope = state->squares > 0.0 ? state->products / state->squares : 0.0, power = 1.0, sum = 0.0;",
            "slope = slope < 0.0 ? 0.0 : slope > 2.0 ? 2.0 : slope;",
        ]
        inside += ["power *= slope;", "sum += power;", "const double response = state->move * sum;"]
    inside.append("double middle = state->last + response_gain[k] * response + scale * (double)state->raw[k];")
    inside += _seasonal(forecast)
    if forecast.weight < 1:
        lines, start = _blended(forecast)
        before, inside = before + start, inside + lines
    inside += [
        f"low[k] = middle - low_score[k] * scale * softplus((double)state->raw[{K} + k]);",
        f"high[k] = middle + high_score[k] * scale * softplus((double)state->raw[{2 * K} + k]);", "median[k] = middle;",
    ]  # fmt: skip
    for bound, sign in zip(forecast.bounds, "<>", strict=True):
        if bound is not None:
            inside += [f"{one}[k] = {one}[k] {sign} {bound!r} ? {bound!r} : {one}[k];" for one in ("median", "low", "high")]
    return [*before, f"for (int k = 0; k < {K}; k++) {{", *(f"    {line}" for line in inside), "}"]


def _seasonal(forecast: Forecast) -> list[str]:
    add = "    middle += season_gain[k] * ({} - state->last);"
    if forecast.lag:
        return [f"if (state->count > {forecast.lag})", add.format(f"season_ago(state, {forecast.lag}, k)")]
    if forecast.season is None:
        return []
    ahead = f"climatology_ahead(state->season_solution, season_basis, {len(forecast.season.products)}, {forecast.horizon}, k)"
    return [f"if (state->count - 1 >= {forecast.longest!r})", add.format(ahead)]


def _blended(forecast: Forecast) -> tuple[list[str], list[str]]:
    """Statements inside and before the loop that mix the network's median with the other members."""
    naive, before = _naive(forecast)
    lines = [f"const double naive = {naive};"]
    terms = [f"{forecast.weight!r} * middle", f"{forecast.naive_weight!r} * naive"]
    for i, one in enumerate(forecast.smoothing):
        before.append(f"double power_{i} = 1.0, sum_{i} = 0.0;")
        call = f"&smoothing_{i}_parameters, state->smoothing_{i}, state->phase_{i}, k, &power_{i}, &sum_{i}"
        terms.append(f"{one.share!r} * smoothing_ahead({call})")
    alone = not forecast.weight and not forecast.smoothing
    return [*lines, f"middle = {'naive' if alone else ' + '.join(terms)};"], before


def _naive(forecast: Forecast) -> tuple[str, list[str]]:
    K, reach, name = forecast.horizon, len(forecast.ring), forecast.naive
    if forecast.year is not None:
        which, n = "season" if forecast.year is forecast.season else "year", len(forecast.year.products)
        return f"climatology_ahead(state->{which}_solution, {which}_basis, {n}, {K}, k)", []
    if forecast.naive_lag:
        return f"season_ago(state, {forecast.naive_lag}, k)", []
    if name == "mean":
        return f"{forecast.first!r} + state->total / state->count", []
    if name == "drift":
        steps = "(state->count > 2 ? state->count - 1 : 1)"
        return f"state->last + (state->last - {forecast.first!r}) / {steps} * (k + 1)", []
    if name.startswith("mean"):
        lines = [
            f"const int recent = state->count < {K} ? state->count : {K};", "double mean = 0.0;",
            "for (int i = 1; i <= recent; i++)",
            f"    mean += state->ring[(state->at - i + {reach}) % {reach}] / recent;",
        ]
        return "mean", lines
    return "state->last", []


def _test(made: Program, forecast: Forecast) -> str:
    name, K, N = made.name, forecast.horizon, len(forecast.values)
    values = numpy.where(numpy.isnan(forecast.values), 0, forecast.values)
    missing = numpy.isnan(forecast.values).astype(numpy.int32)
    arrays = [Array("given", values), Array("missing", missing), Array("expected", forecast.expected.ravel())]
    body = [
        f"static {name}_state state;", f"static uint8_t saved[{name.upper()}_SAVED_BYTES];",
        f"double found[{3 * K}];", f"{name}_init(&state);",
        f"for (int t = 0; t < {N}; t++) {{", f"    if (t == {N // 2}) {{ /* a saved and loaded state goes on */",
        f"        {name}_save(&state, saved);", "        memset(&state, 0xff, sizeof state);",
        f"        EXPECT({name}_load(&state, saved));", "    }",
        f"    {name}_observe(&state, missing[t] ? 0.0 / (double)(missing[t] - 1) : given[t]);",
        f"    {name}_forecast(&state, found, found + {K}, found + {2 * K});",
        f"    compare(found, expected + {3 * K} * t, {3 * K});", "}",
    ]  # fmt: skip
    return test_file(made, arrays, body, {"expected": forecast.expected})
