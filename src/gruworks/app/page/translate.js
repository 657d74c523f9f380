// A sentence in; its translation, other candidates, and the attention weights.
import { models, post } from "/page/server.js";
import { busy, card, choice, complain, field, fill, head, leave, make, ofTask, remember, wrong } from "/page/parts.js";
import { fitFile } from "/page/fit.js";
import { optionsOf, settings } from "/page/settings.js";
import { colour, draw, escaped } from "/page/charts.js";
import { hush, say, tell } from "/page/words.js";

const ALTERNATIVES = 4; // translations that the page shows, the best among them
let ui = {};

export function build(panel, known) {
  ui = {
    model: choice(ofTask(known, "translate")), text: make("textarea", { rows: 4, maxLength: 1000, value: "Where is the station?" }),
    options: settings(known, "translate", "Options"), go: make("button", { className: "main", say: "translateGo" }),
    error: wrong(), out: make("div", { className: "result", "aria-live": "polite" }), foot: make("div"),
  };
  const form = make("form", { className: "card", onsubmit: (event) => { event.preventDefault(); run(); } },
    field("sentence", ui.text), ui.options.node, field("model", ui.model), ui.go, ui.error);
  ui.text.addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit(); });
  ui.model.addEventListener("change", chosen);
  if (!ui.model.options.length) { known.error ? complain(ui.error, known.error) : tell(ui.error, "noModel"); ui.go.disabled = true; }
  ui.known = known;
  chosen();
  panel.append(head("translateTitle", "translateAbout"), make("div", { className: "board" }, form, ui.out, make("div", { className: "side" }, ui.foot, fitFile(known, "translate", fitDone))));
}

export function open(query) {
  if (query.has("model")) { ui.model.value = query.get("model"); chosen(); }
  if (query.has("text")) ui.text.value = query.get("text");
  for (const [name, value] of query) ui.options.set(name, value);
  if (query.has("text")) run();
}

function chosen() {
  clear();
  ui.options.defaults({ n_best: ALTERNATIVES, ...optionsOf(ui.known, ui.model.value) });
  ui.foot.replaceChildren(card(ui.known, ui.model.value));
}

async function fitDone(model) {
  ui.known = await models(true);
  fill(ui.model, ofTask(ui.known, "translate"), model);
  ui.go.disabled = false;
  chosen();
}

function clear() {
  leave(ui.out);
  hush(ui.error);
  ui.out.replaceChildren(make("div", { className: "card empty", say: "emptyTranslate" }));
}

async function run() {
  const asked = { model: ui.model.value, text: ui.text.value, ...ui.options.values() };
  remember("translate", asked);
  await busy(ui.out, ui.error, async (signal) => {
    const { translations } = await post("/v1/translate", { ...asked, attention: true }, signal);
    show(translations[0]);
  });
}

function show(found) {
  const best = make("div", { className: "card" }, make("p", { className: "sheet", textContent: found.text }), make("p", { className: "note", textContent: say("score", { score: found.score.toFixed(2) }) }));
  ui.out.replaceChildren(best);
  if (found.alternatives.length) {
    const rows = found.alternatives.map((one) => make("tr", {}, make("td", { textContent: one.text }), make("td", { className: "n note", textContent: one.score.toFixed(2) })));
    ui.out.append(make("div", { className: "card result" }, make("h2", { say: "alternatives" }), make("table", {}, make("tbody", {}, ...rows))));
  }
  if (found.attention) {
    const chart = make("div", { className: "chart fitted", role: "img", "aria-label": say("attention") });
    ui.out.append(make("div", { className: "card result" }, make("h2", { say: "attention" }), chart));
    draw(chart, () => map(found.attention)).catch((error) => complain(ui.error, error));
  }
}

function map({ source, target, weights }) {
  const named = (pieces) => pieces.map((one) => escaped(one.replace("▁", " ").trim() || one));
  const ticks = (pieces) => ({ tickvals: pieces.map((_, at) => at), ticktext: named(pieces), showgrid: false, tickfont: { size: 14, color: colour("ink") } });
  const cells = {
    type: "heatmap", z: weights, x: source.map((_, at) => at), y: target.map((_, at) => at), zmin: 0, zmax: 1, showscale: false, xgap: 2, ygap: 2,
    colorscale: [[0, colour("paper")], [1, colour("accent")]], customdata: weights.map(() => named(source)), text: weights.map((row, at) => row.map(() => named(target)[at])),
    hovertemplate: "%{text} ← %{customdata}: %{z:.2f}<extra></extra>",
  };
  return [[cells], { height: 60 + 34 * target.length, xaxis: { ...ticks(source), side: "top", tickangle: 0 }, yaxis: { ...ticks(target), autorange: "reversed" }, margin: { l: 64, r: 8, t: 40, b: 8 } }];
}
