// Numbers or text in; gates and states over time, memory length of each unit; three cells side by side.
import { post } from "/page/server.js";
import { busy, choice, complain, field, head, leave, make, remember, wrong } from "/page/parts.js";
import { colour, draw, heat, steps, tickStep } from "/page/charts.js";
import { hush, say } from "/page/words.js";

// Arrays shown for each cell, with the lower end of their scale.
const SHOWN = {
  gru: [["z_t", "update", 0], ["r_t", "reset", 0], ["h̃_t", "candidate", -1], ["h_t", "hidden", -1]],
  lstm: [["f_t", "gateF", 0], ["i_t", "gateI", 0], ["o_t", "gateO", 0], ["g_t", "gateG", -1], ["h_t", "hidden", -1]],
  rnn: [["h_t", "hidden", -1]],
};
let ui = {};

export function build(panel, known) {
  const readers = known.models.filter((one) => one.reads === "text").map((one) => [one.name, one.name]);
  ui = {
    input: make("textarea", { rows: 3, value: "1, 2, 3, 4, 5" }), reader: choice([["gru", null, "trainedUnit"], ["cells", null, "threeCells"], ...readers], "gru"),
    units: make("input", { type: "number", min: 1, max: 64, value: 8 }), go: make("button", { className: "main", say: "insideGo" }), error: wrong(),
    out: make("div", { className: "result", "aria-live": "polite" }),
  };
  const form = make("form", { className: "card", onsubmit: (event) => { event.preventDefault(); run(); } },
    field("numbersOrText", ui.input), field("reader", ui.reader), field("units", ui.units), ui.go, ui.error);
  ui.reader.addEventListener("change", clear);
  clear();
  panel.append(head("insideTitle", "insideAbout"), make("div", { className: "board" }, form, ui.out));
}

export function open(query) {
  if (query.has("numbers") || query.has("text")) ui.input.value = query.get("numbers") ?? query.get("text");
  if (query.has("by")) ui.reader.value = query.get("by");
  if (query.has("units")) ui.units.value = query.get("units");
  if (query.size) run();
}

function clear() {
  leave(ui.out);
  hush(ui.error);
  ui.out.replaceChildren(make("div", { className: "card empty", say: "emptyInside" }));
}

function numbers(text) {
  const parts = text.split(/[\s,;，、]+/).filter(Boolean).map(Number);
  return parts.length && parts.every(Number.isFinite) ? parts : null;
}

async function run() {
  const text = ui.input.value.trim();
  const by = ui.reader.value;
  const model = by === "gru" || by === "cells" ? null : by;
  const found = model ? null : numbers(text);
  clear();
  const asked = { ...(found ? { numbers: found } : { text }), hidden: Number(ui.units.value), cells: by === "cells" ? ["rnn", "lstm", "gru"] : ["gru"], model };
  remember("inside", { [found ? "numbers" : "text"]: text, by, units: asked.hidden });
  await busy(ui.out, ui.error, async (signal) => show((await post("/v1/trace", asked, signal)).traces, model));
}

function show(traces, model) {
  ui.out.replaceChildren();
  for (const one of traces) {
    const box = make("div", { className: "card result" }, make("h2", { textContent: title(one, model) }));
    if (one.answer !== undefined) box.append(make("p", { className: "said", textContent: say("answerIs", { numbers: one.inputs.join(", "), answer: Number(one.answer.toFixed(3)) }) }));
    const cells = make("div", { className: one.inputs.length > 60 ? "cells long" : "cells" });
    for (const [name, key, low] of SHOWN[one.cell]) cells.append(picture(key, () => [[heat(one.gates[name], one.inputs, low)], frame(one)], one.inputs.length));
    if (one.memory) cells.append(picture("memory", () => memory(one.memory)));
    box.append(cells);
    ui.out.append(box);
  }
}

function title(one, model) {
  if (one.answer !== undefined) return say("trainedUnit");
  if (model) return say("firstUnit", { model });
  return say("untrained", { cell: one.cell.toUpperCase(), units: one.hidden[0].length });
}

// At least one pixel for each step.
function picture(key, what, steps = 0) {
  const chart = make("div", { className: "chart low", role: "img", "aria-label": say(key) });
  if (steps > 60) chart.style.minWidth = steps + 125 + "px";
  draw(chart, what).catch((error) => complain(ui.error, error));
  return make("div", {}, make("h3", { say: key }), chart);
}

// At least two pixels for each unit, one where there are very many.
function frame(one) {
  const units = one.hidden[0].length;
  const height = Math.max(220, 40 + units * (units > 400 ? 1 : 2));
  return { height, xaxis: steps(one.inputs), yaxis: { title: { text: say("unit"), font: { size: 12 } }, autorange: "reversed", showgrid: false, tick0: 0, dtick: tickStep(units), zeroline: false }, margin: { l: 44, r: 8, t: 8, b: 32 } };
}

function memory(lengths) {
  const shown = lengths.map((one) => (one === null ? null : Math.min(one, 1e4)));
  return [[{ type: "bar", x: shown.map((_, at) => at + 1), y: shown, marker: { color: colour("second") }, hovertemplate: "%{x}: %{y:.1f}<extra></extra>" }],
    { height: 220, xaxis: { title: { text: say("unit"), font: { size: 12 } }, tick0: 0, dtick: tickStep(shown.length), showgrid: false }, yaxis: { title: { text: say("step"), font: { size: 12 } } }, margin: { l: 52, r: 8, t: 8, b: 40 }, bargap: 0.35 }];
}
