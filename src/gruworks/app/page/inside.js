// Numbers or text in; gates and states over time, memory of each unit; three cells side by side.
import { post } from "/page/server.js";
import { busy, choice, field, head, make, remember, wrong } from "/page/parts.js";
import { colour, draw, heat, steps } from "/page/charts.js";
import { say } from "/page/words.js";

// What each cell shows, with the lower end of its scale.
const SHOWN = {
  gru: [["z_t", "update", 0], ["r_t", "reset", 0], ["h̃_t", "candidate", -1], ["h_t", "hidden", -1]],
  lstm: [["f_t", "gateF", 0], ["i_t", "gateI", 0], ["o_t", "gateO", 0], ["g_t", "gateG", -1], ["h_t", "hidden", -1]],
  rnn: [["h_t", "hidden", -1]],
};
let ui = {};

export function build(panel, known) {
  const readers = known.models.filter((one) => one.task === "generate" || one.task === "translate").map((one) => [one.name, one.name]);
  ui = {
    input: make("textarea", { rows: 3, value: "1, 2, 3, 4, 5" }), reader: choice([["gru", null, "trainedUnit"], ["cells", null, "threeCells"], ...readers], "gru"),
    units: make("input", { type: "number", min: 1, max: 64, value: 8 }), go: make("button", { className: "main", say: "insideGo" }), error: wrong(),
    out: make("div", { className: "result", "aria-live": "polite" }),
  };
  const form = make("form", { className: "card", onsubmit: (event) => { event.preventDefault(); run(); } },
    field("numbersOrText", ui.input), field("reader", ui.reader), field("units", ui.units), ui.go, ui.error);
  ui.out.append(make("div", { className: "card empty", say: "emptyInside" }));
  panel.append(head("insideTitle", "insideAbout"), make("div", { className: "board" }, form, ui.out));
}

export function open(query) {
  if (query.has("numbers") || query.has("text")) ui.input.value = query.get("numbers") ?? query.get("text");
  if (query.has("by")) ui.reader.value = query.get("by");
  if (query.has("units")) ui.units.value = query.get("units");
  if (query.size) run();
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
  const asked = { ...(found ? { numbers: found } : { text }), hidden: Number(ui.units.value), cells: by === "cells" ? ["rnn", "lstm", "gru"] : ["gru"], model };
  remember("inside", { [found ? "numbers" : "text"]: text, by, units: asked.hidden });
  await busy(ui.out, ui.error, async () => show((await post("/v1/trace", asked)).traces));
}

function show(traces) {
  ui.out.replaceChildren();
  for (const one of traces) {
    const box = make("div", { className: "card result" }, make("h2", { textContent: title(one) }));
    if (one.answer !== undefined) box.append(make("p", { className: "said", textContent: say("answerIs", { numbers: one.inputs.join(", "), answer: Number(one.answer.toFixed(3)) }) }));
    const cells = make("div", { className: "cells" });
    for (const [name, key, low] of SHOWN[one.cell]) cells.append(picture(key, () => [[heat(one.gates[name], one.inputs, low)], frame(one)]));
    if (one.memory) cells.append(picture("memory", () => memory(one.memory)));
    box.append(cells);
    ui.out.append(box);
  }
}

function title(one) {
  if (one.answer !== undefined) return say("trainedUnit");
  const model = ui.reader.value;
  if (model !== "gru" && model !== "cells") return say("firstUnit", { model });
  return say("untrained", { cell: one.cell.toUpperCase(), units: one.hidden[0].length });
}

function picture(key, what) {
  const chart = make("div", { className: "chart low", role: "img", "aria-label": say(key) });
  draw(chart, what).catch((error) => { ui.error.textContent = error.message; });
  return make("div", {}, make("h3", { say: key }), chart);
}

function frame(one) {
  return { height: 220, xaxis: steps(one.inputs), yaxis: { title: { text: say("unit"), font: { size: 12 } }, autorange: "reversed", showgrid: false, dtick: one.hidden[0].length > 12 ? 8 : 1, zeroline: false }, margin: { l: 44, r: 8, t: 8, b: 32 } };
}

function memory(lengths) {
  const shown = lengths.map((one) => (one === null ? null : Math.min(one, 1e4)));
  return [[{ type: "bar", x: shown.map((_, at) => at + 1), y: shown, marker: { color: colour("second") }, hovertemplate: "%{x}: %{y:.1f}<extra></extra>" }],
    { height: 220, xaxis: { title: { text: say("unit"), font: { size: 12 } }, dtick: shown.length > 12 ? 8 : 1, showgrid: false }, yaxis: { title: { text: say("step"), font: { size: 12 } } }, margin: { l: 52, r: 8, t: 8, b: 40 }, bargap: 0.35 }];
}
