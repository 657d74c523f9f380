// A table in: previewed, then fitted, or forecast by a simple rule or a served model.
import { models, post } from "/page/server.js";
import { busy, card, choice, complain, examples, field, fill, head, leave, make, ofTask, remember, takesFile, wrong } from "/page/parts.js";
import { answered } from "/page/forecast-result.js";
import { preview } from "/page/preview.js";
import { progress } from "/page/progress.js";
import { settings } from "/page/settings.js";
import { textOf } from "/page/text-of.js";
import { sample } from "/page/samples.js";
import { hush, tell } from "/page/words.js";

const FIT = "fit"; // in the place of a model: a new one of this table
const RULE = "rule"; // in the address: the best simple rule, without a model
let ui = {};
let table = null; // {name, text, example}
let shown = null; // {answer, asked, at}: what the result shows

export function build(panel, known) {
  ui = {
    known, model: choice([]), time: choice([]), target: choice([]), series: choice([]), every: choicesOf(known, "every"), combine: choicesOf(known, "combine"), // rows that are combined into one, as receipts into a month
    horizon: make("input", { type: "number", min: 1, inputMode: "numeric" }),
    columns: make("fieldset", { hidden: true }), go: make("button", { className: "main" }),
    file: make("p", { className: "note" }), look: make("div"), out: make("div", { className: "result", "aria-live": "polite" }), foot: make("div"),
    fit: settings(known, "forecast", "Config", ["time", "target", "series", "horizon", "every", "combine"]), job: progress("forecast"),
  };
  // Where each complaint stands: beside what it is about.
  ui.wrong = Object.fromEntries(["csv", "columns.time", "columns.target", "columns.id", "model", "horizon", ""].map((where) => [where, wrong()]));
  ui.columns.append(make("div", { className: "row" }, field("timeColumn", ui.time, ui.wrong["columns.time"]), field("targetColumn", ui.target, ui.wrong["columns.target"]), field("seriesColumn", ui.series, ui.wrong["columns.id"])));
  ui.way = field("combine", ui.combine);
  ui.way.hidden = true;
  ui.columns.append(make("div", { className: "row" }, field("every", ui.every), ui.way));
  ui.settings = make("details", {}, make("summary", { say: "fitSettings" }), make("div", {}, ui.fit.node));
  const form = make("form", { className: "card", onsubmit: (event) => { event.preventDefault(); begin(); } },
    takesFile(".csv,.tsv,.txt,text/csv", "dropTable", takeFile),
    examples([["exampleShop", () => takeExample("shop")], ["exampleStocks", () => takeExample("stocks")], ["exampleWeather", () => takeExample("weather")]]),
    ui.file, ui.wrong.csv, ui.columns, field("method", ui.model, ui.wrong.model), field("horizon", ui.horizon, ui.wrong.horizon), ui.settings, ui.go, ui.wrong[""]);
  ui.every.addEventListener("change", () => { ui.way.hidden = ui.every.value === "row"; });
  ui.columns.addEventListener("change", () => { clear(); lookAgain(); });
  ui.model.addEventListener("change", () => { clear(); showModel(); });
  ui.horizon.addEventListener("change", () => clear());
  addEventListener("language-changed", () => {
    if (shown) showAnswer();
    if (table) showPreview();
  });
  panel.append(head("forecastTitle", "forecastAbout"), make("div", { className: "board" }, form, make("div", { className: "result" }, ui.job.node, ui.out, ui.look), ui.foot));
  offer();
}

// A choice of the values of a setting of the fit, in words.
function choicesOf(known, name) {
  const found = known.forms.forecast?.Config.find((one) => one.name === name)?.choices ?? [];
  return choice(found.map((one) => [one, null, `${name} ${one}`]));
}

export async function open(query) {
  if (query.get("example")) await takeExample(query.get("example"));
  const model = query.get("model") === RULE ? "" : query.get("model");
  if (model !== null && [...ui.model.options].some((one) => one.value === model)) ui.model.value = model;
  showModel();
  if (query.get("horizon")) ui.horizon.value = query.get("horizon");
  if (query.has("go") && ui.model.value !== FIT) forecast();
}

const fits = () => table && ui.known.allow_fit;
const choices = () => [...(fits() ? [[FIT, null, "methodFit"]] : []), ...(table ? [["", null, "noModelButNaive"]] : []), ...ofTask(ui.known, "forecast")];

// Offer the models, and name the action of the button.
function offer(model) {
  fill(ui.model, choices(), model);
  ui.columns.hidden = !table;
  ui.go.disabled = !ui.model.options.length;
  clear();
  if (ui.known.error) complain(ui.wrong[""], ui.known.error);
  else if (ui.go.disabled) tell(ui.wrong[""], "noModel");
  showModel();
}

function showModel() {
  const found = ui.known.models.find((one) => one.name === ui.model.value);
  ui.foot.replaceChildren(card(ui.known, ui.model.value));
  if (table && !ui.known.allow_fit) ui.foot.prepend(make("p", { className: "note", say: "noFits" }));
  ui.settings.hidden = ui.model.value !== FIT;
  tell(ui.go, ui.model.value === FIT ? "fitTable" : table ? "useTable" : "useOwn");
  const own = ui.known.forms.forecast?.Config.find((one) => one.name === "horizon");
  ui.horizon.max = found?.settings.horizon ?? own?.high ?? "";
  if (found) ui.horizon.value = found.settings.horizon;
  else ui.horizon.value ||= own?.default ?? "";
}

// A forecast belongs to a file, its columns and a model: when one of these changes, it is removed with all errors.
function clear(keepFit = false) {
  leave(ui.out);
  shown = null;
  if (!keepFit) ui.job.hide();
  ui.out.replaceChildren(...(table ? [] : [make("div", { className: "card empty", say: "emptyForecast" })]));
  for (const one of Object.values(ui.wrong)) hush(one);
}

const place = (error) => {
  const found = ui.wrong[error.where];
  return found && !found.closest("[hidden]") ? found : ui.wrong[""];
};

async function takeExample(name) {
  reset(name);
  await busy(ui.out, ui.wrong.csv, async (signal) => take({ ...(await sample(name, signal)), example: name }, signal));
}

async function takeFile(file) {
  reset(file.name);
  await busy(ui.out, () => ui.wrong.csv, async (signal) => take({ name: file.name, text: await textOf(file, ui.known) }, signal));
}

function reset(name) {
  table = null;
  ui.look.replaceChildren();
  offer();
  tell(ui.file, "fileName", { name });
}

async function take(given, signal) {
  const found = await post("/v1/columns", { csv: given.text }, signal);
  table = { ...given, found };
  const names = found.columns.map((one) => [one.name, one.name]);
  const none = ["", null, "none"];
  fill(ui.time, [...together(found.guess.time, names), ...names, none], found.guess.time ?? "");
  fill(ui.target, names, found.guess.target ?? undefined);
  fill(ui.series, [none, ...together(found.guess.id, names), ...names], found.guess.id ?? "");
  ui.every.value = "row";
  ui.way.hidden = true;
  tell(ui.file, "rowsRead", { name: given.name, rows: found.rows });
  offer(fits() ? FIT : "");
  showPreview();
}

/* Choice of several columns that have one role, such as year,month. */
const together = (name, names) => (name && !names.some(([one]) => one === name) ? [[name, name]] : []);

async function lookAgain() {
  const own = table;
  const found = await post("/v1/columns", { csv: own.text, columns: columns() }).catch((problem) => ({ ...own.found, problem }));
  if (table === own) { own.found = found; showPreview(); }
}

function showPreview() {
  const { problem } = table.found;
  ui.look.replaceChildren(preview(table.found, columns()));
  if (problem && !shown) complain(place(problem), { ...problem, status: 400 });
}

const columns = () => ({ time: ui.time.value || null, target: ui.target.value || null, id: ui.series.value || null, every: ui.every.value, combine: ui.combine.value });

function asking(model) {
  const asked = { model: model || null, level: [80, 95], backtest: true, horizon: Number(ui.horizon.value) || null };
  return table ? { ...asked, csv: table.text, columns: columns() } : asked;
}

function begin() {
  return ui.model.value === FIT ? fitTable() : forecast();
}

async function forecast(model = ui.model.value) {
  const asked = asking(model);
  remember("forecast", { model: model || RULE, horizon: asked.horizon, example: table?.example, go: !table || table.example ? "1" : "" });
  clear(true);
  await busy(ui.out, place, async (signal) => {
    shown = { asked, name: table?.name, answer: await post("/v1/forecast", asked, signal), at: "0" };
    showAnswer();
  });
}

function showAnswer() {
  ui.out.replaceChildren(answered(shown));
}

// The simple rule first: errors in the table are told before a fit starts, and there is something to compare with.
async function fitTable() {
  const own = table, asked = asking("");
  const same = () => table === own && JSON.stringify(columns()) === JSON.stringify(asked.columns);
  if (!asked.columns.time) { clear(); tell(ui.wrong["columns.time"], "fitNeedsTimes"); return; }
  await forecast("");
  if (!shown || !same()) return;
  ui.go.disabled = true;
  const values = ui.fit.values();
  const model = await ui.job.run({ csv: asked.csv, columns: asked.columns, settings: { ...values, horizon: asked.horizon ?? undefined } }, own.name);
  ui.go.disabled = false;
  if (!model) return;
  ui.known = await models(true);
  const chosen = ui.model.value;
  if (!same()) { fill(ui.model, choices(), chosen); return; } // what is shown is another table's
  const horizon = ui.horizon.value;
  fill(ui.model, choices(), model);
  showModel();
  ui.horizon.value = horizon;
  await forecast();
}

