// The forecaster of Seattle's temperatures: its own series or a table that is dropped here, and `observe`.
import { chart } from "./lines.js";
import { model } from "./models.js";
import { board, choice, dropPlace, field, head, make } from "./parts.js";
import { dailyOf, dateOf, dayOf, readTable } from "./table.js";
import { hush, say, tell } from "./words.js";

const SHOWN = 120; // days of the chart
const TESTED = 120; // origins, at most
let ui = {};
let net = null;
let own = null;
let table = null;
let now = null; // name, first day, values, forecast, the states before each observation

// Mean absolute errors [model and naive rules] of forecasts after each of the last rows, and the interval's coverage.
export function errors(values, forecasts) {
  const last = (t) => { while (!Number.isFinite(values[t])) t--; return values[t]; };
  const rules = {
    model: (t, k) => forecasts[t].median[k],
    "last value": (t) => last(t),
    "mean of the last 14": (t) => mean(values.slice(Math.max(0, t - 13), t + 1)) ?? last(t),
    "a year before": (t, k) => (t + k - 364 >= 0 ? values[t + k - 364] : NaN),
  };
  const sums = Object.fromEntries(Object.keys(rules).map((name) => [name, { sum: 0, count: 0, steps: 0 }]));
  let inside = 0, steps = 0;
  for (const t of Object.keys(forecasts).map(Number)) {
    for (let k = 0; k < forecasts[t].median.length; k++) {
      const value = values[t + 1 + k];
      if (!Number.isFinite(value)) continue;
      steps++;
      inside += forecasts[t].low[k] <= value && value <= forecasts[t].high[k];
      for (const [name, rule] of Object.entries(rules)) {
        const miss = Math.abs(rule(t, k) - value);
        if (Number.isFinite(miss)) { sums[name].sum += miss; sums[name].count++; }
      }
    }
  }
  const whole = Object.entries(sums).filter(([, one]) => one.count && one.count === steps).map(([name, one]) => [name, one.sum / one.count]);
  return { mae: Object.fromEntries(whole), coverage: inside / steps, origins: Object.keys(forecasts).length };
}

function mean(list) {
  const known = list.filter(Number.isFinite);
  return known.length ? known.reduce((sum, one) => sum + one, 0) / known.length : null;
}

// A series from its beginning: the forecast after its last day, and those after the days that are tested.
export function run(net, fitted, first, values) {
  const steps = first - (fitted.first + fitted.values.length - 1), K = 14, found = {};
  let forecast = net.begin(values[0], steps);
  const from = Math.max(Math.floor(values.length / 2), values.length - K - TESTED);
  for (let t = 1; t < values.length; t++) {
    forecast = net.observe(values[t]);
    if (t >= from && t + K < values.length) found[t] = forecast;
  }
  return { forecast, found };
}

// True for a table with values of the series that the model was fitted on.
export function seen(fitted, first, values) {
  const both = values.map((value, i) => [value, fitted.values[first + i - fitted.first]]).filter(([, other]) => other !== undefined);
  return both.length > 0 && both.filter(([value, other]) => Math.abs(value - other) < 0.05).length > both.length / 2;
}

export async function build(panel) {
  ui = {
    drop: dropPlace("dropTable", ".csv,.tsv,.txt,text/csv", (file) => file.text().then(takeTable)), column: make("select", { onchange: useColumn }), seattle: make("button", { type: "button", className: "plain", say: "useSeattle", onclick: useSeattle }),
    value: make("input", { type: "number", step: "any" }), observe: make("button", { className: "main", say: "observe", disabled: true }),
    undo: make("button", { type: "button", className: "plain", say: "undo", disabled: true, onclick: undo }), error: make("p", { className: "wrong", role: "alert" }),
    chart: make("div"), about: make("p", { className: "said", "aria-live": "polite" }), verdict: make("p", { className: "note" }), rows: make("div", { className: "wide" }), next: make("p", { className: "note" }),
  };
  ui.columnField = field("column", ui.column);
  ui.columnField.hidden = true;
  const source = make("div", { className: "card result" }, ui.drop, ui.columnField, ui.seattle, ui.error);
  const form = make("form", { className: "card", onsubmit: (event) => { event.preventDefault(); observe(); } }, field("nextValue", ui.value), ui.next, make("div", { className: "row" }, ui.observe, ui.undo), make("p", { className: "note", say: "observeNote" }));
  const key = make("div", { className: "key" }, ...[["history", "--second"], ["medianLine", "--accent"], ["interval", "--accent"]].map(([name, colour]) => make("span", { say: name, className: name === "interval" ? "wash" : "", style: `--own: var(${colour})` })));
  panel.append(head("forecastTitle", "forecastAbout"), board(make("div", { className: "result" }, source, form), make("div", { className: "card result" }, ui.about, ui.chart, key, ui.verdict, ui.rows)));
  const found = await model("seattle");
  if (!found) { tell(ui.error, "notBuilt"); return; }
  [net, own] = found;
  own = { ...own, first: dayOf(own.first) };
  ui.observe.disabled = false;
  useSeattle();
}

function useSeattle() {
  table = null;
  ui.columnField.hidden = true;
  if (!net) return;
  hush(ui.error);
  const { forecast } = run(net, own, own.first, own.values);
  now = { name: "Seattle", first: own.first, values: [...own.values], forecast, saved: [] };
  tell(ui.about, "seattleAbout");
  tell(ui.verdict, "seattleVerdict", { mae: own.mae.toFixed(2), naive: { say: "rule " + own.naive }, naiveMae: own.naiveMae.toFixed(2) });
  ui.rows.replaceChildren();
  draw();
}

function takeTable(text) {
  if (!net) return;
  hush(ui.error);
  try {
    table = readTable(text);
  } catch (error) {
    if (!error.key) throw error;
    tell(ui.error, error.key, error.values);
    return;
  }
  ui.column.replaceChildren(...choice(Object.keys(table.columns).map((name) => [name, null, name])).options);
  const temperatures = [...ui.column.options].find((one) => one.value === "temp_max");
  ui.column.value = temperatures ? "temp_max" : ui.column.options[0].value;
  ui.columnField.hidden = ui.column.options.length < 2;
  useColumn();
}

function useColumn() {
  const { first, values } = dailyOf(table.days, table.columns[ui.column.value]);
  if (values.length < 3) { tell(ui.error, "fewRows"); return; }
  const { forecast, found } = run(net, own, first, values);
  now = { name: ui.column.value, first, values, forecast, saved: [] };
  tell(ui.about, seen(own, first, values) ? "tableSeen" : "tableAbout", { name: now.name, days: values.length, missing: values.filter((one) => !Number.isFinite(one)).length });
  judge(errors(values, found));
  draw();
}

// The model's error beside those of the naive rules, and which of them is to be preferred.
function judge({ mae, coverage, origins }) {
  ui.rows.replaceChildren();
  if (!(mae.model >= 0)) { tell(ui.verdict, "tooShort"); return; }
  const naive = Object.keys(mae).filter((name) => name !== "model").sort((a, b) => mae[a] - mae[b])[0];
  const better = mae.model < mae[naive], gain = Math.round(100 * Math.abs(1 - mae.model / mae[naive]));
  tell(ui.verdict, better ? "modelBetter" : "naiveBetter", { rule: { say: "rule " + naive }, gain, origins, coverage: Math.round(100 * coverage) });
  const rows = Object.entries(mae).sort((a, b) => a[1] - b[1]).map(([name, value]) => make("tr", {}, make("td", { say: "rule " + name }), make("td", { className: "n", textContent: value.toPrecision(3) })));
  ui.rows.append(make("table", {}, make("tr", {}, make("th", { say: "method" }), make("th", { className: "n", say: "mae" })), ...rows));
}

function observe() {
  if (!now) return;
  const value = ui.value.value === "" ? NaN : Number(ui.value.value);
  now.saved.push({ state: net.save(), forecast: now.forecast });
  now.values.push(value);
  now.forecast = net.observe(value);
  ui.value.value = "";
  draw();
}

function undo() {
  const { state, forecast } = now.saved.pop();
  net.load(state);
  now.values.pop();
  now.forecast = forecast;
  draw();
}

function draw() {
  const from = Math.max(0, now.values.length - SHOWN), next = now.first + now.values.length;
  ui.chart.replaceChildren(chart(now.first + from, now.values.slice(from), now.forecast, say("chartOf", { name: now.name })));
  ui.undo.disabled = !now.saved.length;
  const [median, low, high] = ["median", "low", "high"].map((name) => now.forecast[name][0].toPrecision(3));
  tell(ui.next, "nextDay", { date: dateOf(next), median, low, high });
}
