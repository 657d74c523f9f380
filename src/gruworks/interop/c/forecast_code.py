"""The C of a forecaster: `observe`, which updates its sums and features, and `forecast`, which reads them."""

from __future__ import annotations

from gruworks.interop.c.forecast_state import Forecast
from gruworks.interop.c.state_code import indented

__all__ = ["own"]

SCALE = """\
/* Mean absolute difference. */
static double scale_of(const $name_state *state)
{
    return state->moved / (state->seen > 2 ? state->seen - 1 : 1);
}
"""
SEASON_AGO = """\
/* The last known value in the phase of the step k + 1 ahead. */
static double season_ago(const $name_state *state, int lag, int k)
{
    return state->ring[(state->at - lag + k % lag + 2 * $reach) % $reach];
}
"""
SINCE_A_SEASON = """\
static double since_a_season(const $name_state *state)
{
    const int before = (state->at - 1 - $lag + 2 * $reach) % $reach;
    return state->count > $lag ? state->last - state->ring[before] : 0.0;
}
"""
SUMS = """\
float row[$size] = {0};
const int missing = value != value;
if (missing)
    value = state->last;
const double move = value - state->last;
state->products += move * state->move;
state->squares += state->move * state->move;
state->moved += move < 0.0 ? -move : move;
state->move = move;
state->last = value;
state->count++;
state->seen += !missing;
state->total += value - state->first;
state->ring[state->at] = value;
state->at = (state->at + 1) % $reach;
const double scale = scale_of(state);
row[0] = scale > 0.0 ? (float)(move / scale) : 0.0f;"""
BEGIN = """\
void $name_begin($name_state *state, double value, int32_t steps)
{
    $name_reset(state);
    state->first = state->last = value;
    state->move = state->moved = state->products = state->squares = state->total = 0.0;
    state->count = state->seen = 0;
$rest
    $name_observe(state, value);
}
"""
CLIMATOLOGY = """\
const climatology_t $name = {state->$name_squares, state->$name_products, state->$name_wave, state->$name_solution};
climatology_$step;"""
SEASON = """\
const int known = state->count - 1 >= $longest;
if (known && scale > 0.0)
    row[1] = (float)((value - climatology_now(state->season_solution, $size)) / scale);
row[2] = known ? 1.0f : 0.0f;
for (int i = 1; i < $size; i++)
    row[2 + i] = (float)state->season_wave[i];"""
SLOPE = """\
double slope = state->squares > 0.0 ? state->products / state->squares : 0.0, power = 1.0, sum = 0.0;
slope = slope < 0.0 ? 0.0 : slope > 2.0 ? 2.0 : slope;"""
RESPONSE = """\
power *= slope;
sum += power;
const double response = state->move * sum;"""
INTERVAL = """\
low[k] = middle - low_score[k] * scale * softplus((double)state->raw[$K + k]);
high[k] = middle + high_score[k] * scale * softplus((double)state->raw[2 * $K + k]);
median[k] = middle;"""
RECENT = """\
const int recent = state->count < $K ? state->count : $K;
double mean = 0.0;
for (int i = 1; i <= recent; i++)
    mean += state->ring[(state->at - i + $reach) % $reach] / recent;"""


def own(name: str, forecast: Forecast, size: int) -> str:
    """The functions of a forecaster with `size` features."""
    K, reach = forecast.horizon, len(forecast.ring)
    given = f"const {name}_state *state, double median[{K}], double low[{K}], double high[{K}]"
    ago = bool(forecast.lag or (forecast.naive_lag and forecast.weight < 1))
    parts = [
        *_parameters(forecast),
        *_put(SCALE, name=name),
        *_put(SEASON_AGO, name=name, reach=reach) * ago,
        *_put(SINCE_A_SEASON, name=name, reach=reach, lag=forecast.lag) * bool(forecast.lag),
        f"void {name}_observe({name}_state *state, double value)",
        "{",
        indented(_observe(forecast, size)),
        "}",
        "",
        f"void {name}_forecast({given})",
        "{",
        indented(_forecast(forecast)),
        "}",
        "",
        *_begin(name, forecast) * forecast.begins,
    ]
    return "\n".join(parts)


def _put(text: str, **values: object) -> list[str]:
    """Lines of a text with values in place of $name and so on."""
    for name, value in values.items():
        text = text.replace(f"${name}", str(value))
    return text.split("\n")


def _parameters(forecast: Forecast) -> list[str]:
    """Constants of exponential smoothing."""
    found = []
    for i, one in enumerate(forecast.smoothing):
        numbers = ", ".join(map(repr, [*one.parameters, len(one.state) - 2]))
        found.append(f"static const smoothing_t smoothing_{i}_parameters = {{{numbers}}};")
    return [*found, ""] if found else []


def _observe(forecast: Forecast, size: int) -> list[str]:
    lines = _put(SUMS, size=size, reach=len(forecast.ring))
    for i in range(len(forecast.smoothing)):
        state = f"&smoothing_{i}_parameters, state->smoothing_{i}, &state->phase_{i}"
        lines.append(f"smoothing_step({state}, value, missing);")
    for name, one in forecast.climatologies.items():
        given = f"{name}, {name}_angles, {len(one.products)}, state->first, value, missing"
        lines += _put(CLIMATOLOGY, name=name, step=f"step({given})")
    if forecast.season is not None:
        lines += _put(SEASON, longest=repr(forecast.longest), size=len(forecast.season.products))
    if forecast.lag:
        lines.append(f"row[{size - 1}] = scale > 0.0 ? (float)(since_a_season(state) / scale) : 0.0f;")
    return [*lines, "network_step(state, row, state->raw);"]


def _begin(name: str, forecast: Forecast) -> list[str]:
    rest = [f"memset(state->{one}, 0, sizeof state->{one});" for one in forecast.hidden if one != "raw"]
    rest += ["(void)steps;"] * (not forecast.climatologies)
    for which, one in forecast.climatologies.items():
        given = f"{which}, {which}_angles, {len(one.products)}, steps - 1"
        rest += _put(CLIMATOLOGY, name=which, step=f"begin({given})")
    return _put(BEGIN, name=name, rest=indented(rest))


def _forecast(forecast: Forecast) -> list[str]:
    K, before, inside = forecast.horizon, ["const double scale = scale_of(state);"], []
    if forecast.lag:
        inside.append(f"const double response = since_a_season(state) * (1 + k / {forecast.lag});")
    else:
        before, inside = [*before, *_put(SLOPE)], _put(RESPONSE)
    inside.append("double middle = state->last + response_gain[k] * response + scale * (double)state->raw[k];")
    inside += _seasonal(forecast)
    if forecast.weight < 1:
        start, lines = _blended(forecast)
        before, inside = before + start, inside + lines
    inside += _put(INTERVAL, K=K)
    for bound, sign in zip(forecast.bounds, "<>", strict=True):
        for one in ("median", "low", "high") if bound is not None else ():
            inside.append(f"{one}[k] = {one}[k] {sign} {bound!r} ? {bound!r} : {one}[k];")
    return [*before, f"for (int k = 0; k < {K}; k++) {{", *(f"    {line}" for line in inside), "}"]


def _seasonal(forecast: Forecast) -> list[str]:
    if forecast.lag:
        known, ahead = f"state->count > {forecast.lag}", f"season_ago(state, {forecast.lag}, k)"
    elif forecast.season is not None:
        known = f"state->count - 1 >= {forecast.longest!r}"
        ahead = _ahead("season", len(forecast.season.products), forecast.horizon)
    else:
        return []
    return [f"if ({known})", f"    middle += season_gain[k] * ({ahead} - state->last);"]


def _ahead(name: str, size: int, K: int) -> str:
    return f"climatology_ahead(state->{name}_solution, {name}_basis, {size}, {K}, k)"


def _blended(forecast: Forecast) -> tuple[list[str], list[str]]:
    """Statements before and inside the loop that mix the network's median with the other members."""
    naive, before = _naive(forecast)
    terms = [f"{forecast.weight!r} * middle", f"{forecast.naive_weight!r} * naive"]
    for i, one in enumerate(forecast.smoothing):
        before.append(f"double power_{i} = 1.0, sum_{i} = 0.0;")
        state = f"&smoothing_{i}_parameters, state->smoothing_{i}, state->phase_{i}"
        terms.append(f"{one.share!r} * smoothing_ahead({state}, k, &power_{i}, &sum_{i})")
    alone = not forecast.weight and not forecast.smoothing
    return before, [f"const double naive = {naive};", f"middle = {'naive' if alone else ' + '.join(terms)};"]


def _naive(forecast: Forecast) -> tuple[str, list[str]]:
    """The naive forecast as an expression, and the statements that it needs before the loop."""
    K, name = forecast.horizon, forecast.naive
    if forecast.year is not None:
        which = "season" if forecast.year is forecast.season else "year"
        return _ahead(which, len(forecast.year.products), K), []
    if forecast.naive_lag:
        return f"season_ago(state, {forecast.naive_lag}, k)", []
    if name == "mean":
        return "state->first + state->total / state->count", []
    if name == "drift":
        steps = "(state->count > 2 ? state->count - 1 : 1)"
        return f"state->last + (state->last - state->first) / {steps} * (k + 1)", []
    if name.startswith("mean"):
        return "mean", _put(RECENT, K=K, reach=len(forecast.ring))
    return "state->last", []
