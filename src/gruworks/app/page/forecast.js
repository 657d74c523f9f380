// A table in; a fan chart, naive lines, skill in words, a test on the past; or a fit as a job.
import { events, models, post, remove, Said } from "/page/server.js";
import { busy, card, choice, complain, field, fill, head, leave, make, ofTask, remember, setting, takesFile, wrong } from "/page/parts.js";
import { draw } from "/page/charts.js";
import { fan, numbers, notes, skilled, tested } from "/page/forecast-answer.js";
import { hush, say, tell } from "/page/words.js";

let ui = {};
let table = null; // {name, text}
let shown = null; // {answer, asked, at}: what the result shows

export function build(panel, known) {
  ui = {
    known, model: choice([]), time: choice([]), target: choice([]), series: choice([]),
    horizon: setting(known, "forecast", "Config", "horizon", { inputMode: "numeric" }), backtest: make("input", { type: "checkbox" }),
    columns: make("fieldset", { hidden: true }), go: make("button", { className: "main" }),
    file: make("p", { className: "note" }), out: make("div", { className: "result", "aria-live": "polite" }), foot: make("div"), fit: make("fieldset", { hidden: true }),
  };
  // Where each complaint stands: beside what it is about.
  ui.wrong = Object.fromEntries(["csv", "columns.time", "columns.target", "columns.id", "model", "horizon", "fit", ""].map((where) => [where, wrong()]));
  ui.columns.append(make("div", { className: "row" }, field("timeColumn", ui.time, ui.wrong["columns.time"]), field("targetColumn", ui.target, ui.wrong["columns.target"]), field("seriesColumn", ui.series, ui.wrong["columns.id"])));
  buildFit();
  const form = make("form", { className: "card", onsubmit: (event) => { event.preventDefault(); forecast(); } },
    takesFile(".csv,.tsv,.txt,text/csv", "dropTable", takeFile), ui.file, ui.wrong.csv, ui.columns, field("model", ui.model, ui.wrong.model),
    field("horizon", ui.horizon, ui.wrong.horizon), make("label", { className: "check" }, ui.backtest, make("span", { say: "backtest" })),
    ui.go, ui.wrong[""], ui.fit);
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

// Of a table, no model is an answer too.
const choices = () => [...(table ? [["", null, "noModelButNaive"]] : []), ...ofTask(ui.known, "forecast")];

// What may be chosen, and what the button does.
function offer(model) {
  fill(ui.model, choices(), model);
  ui.columns.hidden = !table;
  ui.fit.hidden = !(table && ui.known.allow_fit) && ui.fitCancel.hidden;
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
  ui.horizon.max = found?.settings.horizon ?? ui.known.limits.horizon ?? "";
  if (found) ui.horizon.value = found.settings.horizon;
}

// An answer belongs to a file, its columns and a model: with another of these it goes, and so do complaints.
function clear() {
  leave(ui.out);
  shown = null;
  ui.out.replaceChildren(make("div", { className: "card empty", say: table ? "emptyTable" : "emptyForecast" }));
  quiet();
}

function quiet() {
  for (const one of Object.values(ui.wrong)) hush(one);
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
    const text = await readText(file);
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

async function readText(file) {
  const most = ui.known.limits.body;
  if (most && file.size > 0.95 * most) throw new Said({ code: "large-file", values: { most: Math.floor(most / 1e5) / 10 } });
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
  } catch {
    throw new Said({ code: "not-text" });
  }
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

function buildFit() {
  ui.fitHorizon = setting(ui.known, "forecast", "Config", "horizon", { max: ui.known.limits.horizon, inputMode: "numeric" });
  ui.fitGo = make("button", { type: "button", className: "plain", say: "fitNew", onclick: fit });
  ui.fitCancel = make("button", { type: "button", className: "plain", say: "cancel", hidden: true });
  ui.fitBar = make("progress", { hidden: true, max: 1, value: 0 });
  ui.fitSaid = make("p", { className: "note", role: "status" });
  ui.fit.append(make("legend", { say: "fitSettings" }), field("horizon", ui.fitHorizon), make("div", { className: "row" }, ui.fitGo, ui.fitCancel), ui.fitBar, ui.fitSaid, ui.wrong.fit);
}

// The best naive forecast answers at once, and says what is wrong with the table before anything is fitted on it.
async function fit() {
  const own = table;
  const asked = { task: "forecast", csv: own.text, columns: columns(), settings: { horizon: Number(ui.fitHorizon.value) } };
  const unchanged = () => table === own && JSON.stringify(columns()) === JSON.stringify(asked.columns);
  if (!asked.columns.time) { quiet(); tell(ui.wrong["columns.time"], "fitNeedsTimes"); return; }
  hush(ui.fitSaid);
  ui.fitGo.disabled = true;
  try {
    if (!shown) {
      offer("");
      await forecast();
    }
    if (shown && unchanged()) await run(asked, own.name, unchanged);
  } catch (error) {
    hush(ui.fitSaid);
    complain(ui.wrong.fit, error);
  }
  ui.fitGo.disabled = false;
  ui.fitCancel.hidden = ui.fitBar.hidden = true;
}

async function run(asked, name, unchanged) {
  hush(ui.wrong.fit);
  const { job } = await post("/v1/fit", asked);
  ui.fitCancel.hidden = ui.fitBar.hidden = false;
  ui.fitBar.removeAttribute("value");
  ui.fitCancel.onclick = () => remove("/v1/jobs/" + job).catch((error) => complain(ui.wrong.fit, error));
  let ended = false;
  for await (const { kind, data } of events("/v1/jobs/" + job + "/events", null)) {
    ended ||= kind !== "progress";
    await follow(kind, data, name, unchanged);
  }
  if (!ended) throw new Said({ code: "no-server" });
}

async function follow(kind, data, name, unchanged) {
  if (kind === "progress") {
    if (data.step) ui.fitBar.value = data.step / data.steps;
    tell(ui.fitSaid, data.seconds_left ? "fittingLeft" : "fitting", { step: data.step, steps: data.steps, left: data.seconds_left, name });
  } else if (kind === "done") {
    ui.known = await models(true);
    tell(ui.fitSaid, "fitted", { model: data.model });
    if (!unchanged()) { fill(ui.model, choices(), ui.model.value); return; } // what is shown is another table's
    offer(data.model);
    ui.backtest.checked = true;
    await forecast();
  } else if (kind === "cancelled") tell(ui.fitSaid, "cancelled");
  else throw new Said({ code: "fit-failed", values: { why: data.message.includes("--") ? "" : data.message } }); // no flags: this is no command line
}
