// A table in; a fan chart, naive lines, skill in words, a test on the past; or a fit as a job.
import { events, get, models, post, remove } from "/page/server.js";
import { busy, card, choice, field, fill, head, make, ofTask, remember, takesFile, wrong } from "/page/parts.js";
import { colour, draw, escaped, faded } from "/page/charts.js";
import { named, say } from "/page/words.js";

let ui = {};
let table = null; // {name, text}
let answer = null;

export function build(panel, known) {
  ui = {
    model: choice(ofTask(known, "forecast")), time: choice([]), target: choice([]), series: choice([]),
    horizon: make("input", { type: "number", min: 1, inputMode: "numeric" }), backtest: make("input", { type: "checkbox" }),
    columns: make("fieldset", { hidden: true }), go: make("button", { className: "main", say: "useOwn" }), error: wrong(),
    file: make("p", { className: "note" }), out: make("div", { className: "result", "aria-live": "polite" }), foot: make("div"), fit: make("fieldset", { hidden: true }),
  };
  ui.columns.append(make("div", { className: "row" }, field("timeColumn", ui.time), field("targetColumn", ui.target), field("seriesColumn", ui.series)));
  buildFit();
  const form = make("form", { className: "card", onsubmit: (event) => { event.preventDefault(); forecast(); } },
    takesFile(".csv,.tsv,.txt,text/csv", "dropTable", takeFile), ui.file, ui.columns, field("model", ui.model),
    make("div", { className: "row" }, field("horizon", ui.horizon)), make("label", { className: "check" }, ui.backtest, make("span", { say: "backtest" })),
    ui.go, ui.error, ui.fit);
  ui.model.addEventListener("change", () => showModel(known));
  ui.known = known;
  if (known.error) ui.error.textContent = known.error;
  else if (!ui.model.options.length) { ui.error.textContent = say("noModel"); ui.go.disabled = true; }
  panel.append(head("forecastTitle", "forecastAbout"), make("div", { className: "board" }, form, ui.out, ui.foot));
  ui.out.append(make("div", { className: "card empty", say: "emptyForecast" }));
  showModel(known);
}

export function open(query) {
  const model = query.get("model");
  if (model && [...ui.model.options].some((one) => one.value === model)) ui.model.value = model;
  showModel(ui.known);
  if (query.get("horizon")) ui.horizon.value = query.get("horizon");
  ui.backtest.checked = query.get("backtest") === "1";
  if (query.has("go") && !table) forecast();
}

function showModel(known) {
  const found = known.models.find((one) => one.name === ui.model.value);
  ui.foot.replaceChildren(card(known, ui.model.value));
  if (!found) return;
  ui.horizon.max = found.settings.horizon;
  ui.horizon.value = found.settings.horizon;
}

async function takeFile(file) {
  await busy(ui.out, ui.error, async () => {
    const text = await file.text();
    const found = await post("/v1/columns", { csv: text });
    table = { name: file.name, text };
    ui.file.textContent = say("rowsRead", { name: file.name, rows: found.rows });
    const names = found.columns.map((one) => [one.name, one.name]);
    const none = ["", null, "none"];
    fill(ui.time, [...names, none], found.guess.time ?? "");
    fill(ui.target, names, found.guess.target ?? undefined);
    fill(ui.series, [none, ...names], found.guess.id ?? "");
    ui.columns.hidden = false;
    ui.fit.hidden = !ui.known.allow_fit;
    ui.go.dataset.say = "useTable";
    ui.go.textContent = say("useTable");
  });
}

function columns() {
  return table ? { time: ui.time.value || null, target: ui.target.value || null, id: ui.series.value || null } : null;
}

async function forecast() {
  const asked = { model: ui.model.value, level: [80, 95], backtest: ui.backtest.checked, horizon: Number(ui.horizon.value) || null };
  if (table) Object.assign(asked, { csv: table.text, columns: columns() });
  remember("forecast", { model: asked.model, horizon: asked.horizon, backtest: asked.backtest ? "1" : "", go: table ? "" : "1" });
  await busy(ui.out, ui.error, async () => {
    answer = await post("/v1/forecast", asked);
    showAnswer(asked);
  });
}

function showAnswer(asked) {
  const names = answer.series.map((one, at) => [String(at), one.id]);
  const which = choice(names, "0");
  const chart = make("div", { className: "chart", role: "img", "aria-label": say("forecastLine") });
  const skill = make("p", { className: "said" });
  const rows = make("div", { className: "wide" });
  const picked = () => {
    const one = answer.series[Number(which.value)];
    skill.textContent = skilled(one.skill);
    rows.replaceChildren(numbers(one));
    draw(chart, () => fan(one)).catch((error) => { ui.error.textContent = error.message; });
  };
  which.addEventListener("change", picked);
  const box = make("div", { className: "card result" }, names.length > 1 ? field("shownSeries", which) : null, skill, chart,
    ...answer.remarks.filter((text) => !answer.series.some((one) => one.skill.said === text)).map((text) => make("p", { className: "note", textContent: text })),
    make("details", {}, make("summary", { say: "inNumbers" }), make("div", {}, rows)));
  ui.out.replaceChildren(box);
  if (asked.backtest) ui.out.append(tested(answer.backtest, asked.csv ? "testTitle" : "heldTitle"));
  picked();
}

function skilled({ weight, naive, ratio }) {
  if (!naive) return say("skillAlone");
  if (!weight) return say("skillNone", { naive: named(naive) });
  return say("skillSome", { weight: Math.round(100 * weight), naive: named(naive), gain: ratio === null ? "?" : (100 * (1 - ratio)).toFixed(1) });
}

function fan({ history, forecast, naive, skill }) {
  const last = history.y.length - 1;
  const shown = Math.max(40, 6 * forecast.ds.length);
  const past = { x: history.ds.slice(-shown), y: history.y.slice(-shown) };
  const from = (line) => ({ x: [history.ds[last], ...forecast.ds], y: [history.y[last], ...line] });
  const bands = Object.keys(forecast.lo).sort((a, b) => b - a).flatMap((level, at) => [
    { ...from(forecast.lo[level]), mode: "lines", line: { width: 0 }, hoverinfo: "skip", showlegend: false },
    { ...from(forecast.hi[level]), mode: "lines", line: { width: 0 }, fill: "tonexty", fillcolor: faded("accent", at ? 0.22 : 0.12), name: say("band", { level }), hoverinfo: "skip" },
  ]);
  const narrow = matchMedia("(max-width: 760px)").matches;
  const main = (name) => name === "last value" || name === skill.naive;
  const lines = Object.entries(naive).filter(([name]) => main(name) || !narrow).map(([name, line], at) => ({
    ...from(line), mode: "lines", name: escaped(named(name)), visible: main(name) ? true : "legendonly", line: { color: colour("soft"), width: 1.2, dash: ["dot", "dash", "dashdot", "longdash"][at % 4] },
  }));
  return [[...bands,
    { ...past, mode: "lines", name: say("history"), line: { color: colour("ink"), width: 1.6 } }, ...lines,
    { ...from(forecast.y_hat), mode: "lines", name: say("forecastLine"), line: { color: colour("accent"), width: 2.4 } },
  ], { hovermode: "x unified", xaxis: { showgrid: false } }];
}

function numbers({ forecast }) {
  const levels = Object.keys(forecast.lo).sort((a, b) => a - b);
  const titles = ["", say("forecastLine"), ...levels.map((level) => say("band", { level }))];
  const body = forecast.ds.map((ds, at) => [ds, short(forecast.y_hat[at]), ...levels.map((level) => short(forecast.lo[level][at]) + " – " + short(forecast.hi[level][at]))]);
  return grid(titles, body);
}

function tested(found, title) {
  if (!found) return make("div", { className: "card" }, make("p", { className: "note", say: "noTest" }));
  const body = found.scores.map((row) => [named(row.model), short(row.mae), row.coverage === null ? "" : Math.round(100 * row.coverage) + " %"]);
  return make("div", { className: "card result" }, make("h2", { say: title }), make("div", { className: "wide" }, grid([say("method"), say("mae"), say("coverage")], body)));
}

function grid(titles, body) {
  const cell = (tag) => (text, at) => make(tag, { className: at ? "n" : "", textContent: text ?? "", scope: tag === "th" ? "col" : undefined });
  return make("table", {}, make("thead", {}, make("tr", {}, ...titles.map(cell("th")))),
    make("tbody", {}, ...body.map((row) => make("tr", {}, ...row.map(cell("td"))))));
}

const short = (value) => (value === null || value === undefined ? "" : Math.abs(value) >= 1000 ? value.toFixed(0) : Number(value).toPrecision(4));

function buildFit() {
  ui.fitHorizon = make("input", { type: "number", min: 1, value: 14, inputMode: "numeric" });
  ui.fitGo = make("button", { type: "button", className: "plain", say: "fitNew", onclick: fit });
  ui.fitCancel = make("button", { type: "button", className: "plain", say: "cancel", hidden: true });
  ui.fitBar = make("progress", { hidden: true, max: 1, value: 0 });
  ui.fitSaid = make("p", { className: "note", role: "status" });
  ui.fit.append(make("legend", { say: "fitSettings" }), field("horizon", ui.fitHorizon), make("div", { className: "row" }, ui.fitGo, ui.fitCancel), ui.fitBar, ui.fitSaid);
}

async function fit() {
  ui.error.textContent = "";
  try {
    const { job } = await post("/v1/fit", { task: "forecast", csv: table.text, columns: columns(), settings: { horizon: Number(ui.fitHorizon.value) } });
    ui.fitGo.disabled = true;
    ui.fitCancel.hidden = ui.fitBar.hidden = false;
    ui.fitBar.removeAttribute("value");
    ui.fitCancel.onclick = () => remove("/v1/jobs/" + job).catch(() => {});
    for await (const { kind, data } of events("/v1/jobs/" + job + "/events", null)) await follow(kind, data);
  } catch (error) {
    ui.error.textContent = error.message;
  }
  ui.fitGo.disabled = false;
  ui.fitCancel.hidden = ui.fitBar.hidden = true;
}

async function follow(kind, data) {
  if (kind === "progress") {
    if (data.step) ui.fitBar.value = data.step / data.steps;
    ui.fitSaid.textContent = say("fitting", data) + (data.seconds_left ? say("fitLeft", { left: data.seconds_left }) : "");
  } else if (kind === "done") {
    ui.fitSaid.textContent = say("fitted", data);
    ui.known = await models(true);
    fill(ui.model, ofTask(ui.known, "forecast"), data.model);
    showModel(ui.known);
    await forecast();
  } else if (kind === "cancelled") ui.fitSaid.textContent = say("cancelled");
  else { ui.fitSaid.textContent = ""; throw new Error(data.message); }
}
