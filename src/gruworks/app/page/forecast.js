// A table in; a fan chart, naive forecasts, skill in words, errors on the past; or a fit as a job.
import { models, post } from "/page/server.js";
import { busy, card, choice, complain, field, fill, head, leave, make, ofTask, remember, takesFile, wrong } from "/page/parts.js";
import { draw } from "/page/charts.js";
import { fitForm, textOf } from "/page/fit.js";
import { fan, numbers, notes, skilled, tested } from "/page/forecast-answer.js";
import { hush, say, tell } from "/page/words.js";

let ui = {};
let table = null; // {name, text}
let shown = null; // {answer, asked, at}: what the result shows
let fitted = () => false; // true while the table that was fitted is the one that is shown

export function build(panel, known) {
  ui = {
    known, model: choice([]), time: choice([]), target: choice([]), series: choice([]),
    horizon: make("input", { type: "number", min: 1, inputMode: "numeric" }), backtest: make("input", { type: "checkbox" }),
    columns: make("fieldset", { hidden: true }), go: make("button", { className: "main" }),
    file: make("p", { className: "note" }), out: make("div", { className: "result", "aria-live": "polite" }), foot: make("div"),
    fit: fitForm(known, "forecast", { prepare: fitData, finished: fitDone, without: ["time", "target", "series"] }), // their columns are chosen above
  };
  ui.fit.node.hidden = true;
  // Where each complaint stands: beside what it is about.
  ui.wrong = Object.fromEntries(["csv", "columns.time", "columns.target", "columns.id", "model", "horizon", ""].map((where) => [where, wrong()]));
  ui.columns.append(make("div", { className: "row" }, field("timeColumn", ui.time, ui.wrong["columns.time"]), field("targetColumn", ui.target, ui.wrong["columns.target"]), field("seriesColumn", ui.series, ui.wrong["columns.id"])));
  const form = make("form", { className: "card", onsubmit: (event) => { event.preventDefault(); forecast(); } },
    takesFile(".csv,.tsv,.txt,text/csv", "dropTable", takeFile), ui.file, ui.wrong.csv, ui.columns, field("model", ui.model, ui.wrong.model),
    field("horizon", ui.horizon, ui.wrong.horizon), make("label", { className: "check" }, ui.backtest, make("span", { say: "backtest" })),
    ui.go, ui.wrong[""], ui.fit.node);
  for (const one of [ui.time, ui.target, ui.series]) one.addEventListener("change", clear);
  ui.model.addEventListener("change", () => { clear(); showModel(); });
  addEventListener("look-changed", () => shown && showAnswer());
  panel.append(head("forecastTitle", "forecastAbout"), make("div", { className: "board" }, form, ui.out, ui.foot));
  offer();
}

export function open(query) {
  const model = query.get("model");
  if (model && [...ui.model.options].some((one) => one.value === model)) ui.model.value = model;
  showModel();
  if (query.get("horizon")) ui.horizon.value = query.get("horizon");
  ui.backtest.checked = query.get("backtest") === "1";
  if (query.has("go") && !table) forecast();
}

// A table can also be forecast without a model.
const choices = () => [...(table ? [["", null, "noModelButNaive"]] : []), ...ofTask(ui.known, "forecast")];

// Offer the models, and name the action of the button.
function offer(model) {
  fill(ui.model, choices(), model);
  ui.columns.hidden = !table;
  ui.fit.node.hidden = !(table && ui.known.allow_fit) && !ui.fit.busy();
  tell(ui.go, table ? "useTable" : "useOwn");
  ui.go.disabled = !ui.model.options.length;
  clear();
  if (ui.known.error) complain(ui.wrong[""], ui.known.error);
  else if (ui.go.disabled) tell(ui.wrong[""], "noModel");
  showModel();
}

function showModel() {
  const found = ui.known.models.find((one) => one.name === ui.model.value);
  ui.foot.replaceChildren(card(ui.known, ui.model.value));
  const own = ui.known.forms.forecast?.Config.find((one) => one.name === "horizon");
  ui.horizon.max = found?.settings.horizon ?? own?.high ?? "";
  if (found) ui.horizon.value = found.settings.horizon;
  else ui.horizon.value ||= own?.default ?? "";
}

// A forecast belongs to a file, its columns and a model: when one of these changes, it is removed with all errors.
function clear() {
  leave(ui.out);
  shown = null;
  ui.out.replaceChildren(make("div", { className: "card empty", say: table ? "emptyTable" : "emptyForecast" }));
  quiet();
}

function quiet() {
  for (const one of [...Object.values(ui.wrong), ui.fit.error]) hush(one);
}

const place = (error) => {
  const found = ui.wrong[error.where];
  return found && !found.closest("[hidden]") ? found : ui.wrong[""];
};

async function takeFile(file) {
  table = null;
  offer();
  tell(ui.file, "fileName", { name: file.name });
  await busy(ui.out, () => ui.wrong.csv, async (signal) => {
    const text = await textOf(file, ui.known);
    const found = await post("/v1/columns", { csv: text }, signal);
    table = { name: file.name, text };
    const names = found.columns.map((one) => [one.name, one.name]);
    const none = ["", null, "none"];
    fill(ui.time, [...names, none], found.guess.time ?? "");
    fill(ui.target, names, found.guess.target ?? undefined);
    fill(ui.series, [none, ...names], found.guess.id ?? "");
    tell(ui.file, "rowsRead", { name: file.name, rows: found.rows });
    offer("");
    if (!found.guess.target) tell(ui.wrong["columns.target"], "error no-numbers");
    else if (!found.guess.time) tell(ui.wrong["columns.time"], "error no-times");
  });
}

const columns = () => ({ time: ui.time.value || null, target: ui.target.value || null, id: ui.series.value || null });

async function forecast() {
  const asked = { model: ui.model.value || null, level: [80, 95], backtest: ui.backtest.checked, horizon: Number(ui.horizon.value) || null };
  if (table) Object.assign(asked, { csv: table.text, columns: columns() });
  remember("forecast", { model: asked.model, horizon: asked.horizon, backtest: asked.backtest ? "1" : "", go: table ? "" : "1" });
  clear();
  await busy(ui.out, place, async (signal) => {
    shown = { asked, answer: await post("/v1/forecast", asked, signal), at: "0" };
    showAnswer();
  });
}

function showAnswer() {
  const { answer, asked } = shown;
  const which = choice(answer.series.map((one, at) => [String(at), one.id]), shown.at);
  const chart = make("div", { className: "chart", role: "img", "aria-label": say("forecastLine") });
  const skill = make("p", { className: "said" });
  const rows = make("div", { className: "wide" });
  const picked = () => {
    shown.at = which.value;
    const one = answer.series[Number(which.value)];
    skill.textContent = skilled(one.skill, answer, Boolean(asked.csv));
    rows.replaceChildren(numbers(one));
    draw(chart, () => fan(one, answer)).catch((error) => complain(ui.wrong[""], error));
  };
  which.addEventListener("change", picked);
  const box = make("div", { className: "card result" }, answer.series.length > 1 ? field("shownSeries", which) : null, ...notes(answer), skill, chart,
    make("details", {}, make("summary", { say: "inNumbers" }), make("div", {}, rows)));
  ui.out.replaceChildren(box);
  if (asked.backtest) ui.out.append(tested(answer));
  picked();
}

// Show the naive forecast first: errors in the table are reported before a fit starts.
async function fitData() {
  const own = table;
  const asked = { csv: own.text, columns: columns() };
  fitted = () => table === own && JSON.stringify(columns()) === JSON.stringify(asked.columns);
  if (!asked.columns.time) { quiet(); tell(ui.wrong["columns.time"], "fitNeedsTimes"); return null; }
  if (!shown) {
    offer("");
    await forecast();
  }
  return shown && fitted() ? { body: asked, name: own.name } : null;
}

async function fitDone(model) {
  ui.known = await models(true);
  if (!fitted()) { fill(ui.model, choices(), ui.model.value); return; } // what is shown is another table's
  offer(model);
  ui.backtest.checked = true;
  await forecast();
}
