// Numbers or text in; gates and states over time, sorted and zoomed, and one unit's arithmetic at each step.
import { post } from "/page/server.js";
import { busy, choice, examples, field, head, leave, make, remember, wrong } from "/page/parts.js";
import { looked } from "/page/inside-look.js";
import { hush } from "/page/words.js";

const EXAMPLES = { numbers: "1, 2, 3, 4, 5", halves: "10, 9.5, 9, 8.5, 8, 7.5", poem: "床前明月光", sentence: "Where is the station?" };
const CELLS = ["rnn", "lstm", "gru"];
let ui = {};

export function build(panel, known) {
  const readers = known.models.filter((one) => one.reads === "text").map((one) => [one.name, one.name]);
  ui = {
    input: make("textarea", { rows: 3, value: EXAMPLES.numbers }), reader: choice([["gru", null, "trainedUnit"], ["trained", null, "trainedCells"], ["cells", null, "threeCells"], ...readers], "gru"),
    units: make("input", { type: "number", min: 1, max: 64, value: 8 }), go: make("button", { className: "main", say: "insideGo" }), error: wrong(),
    out: make("div", { className: "result", "aria-live": "polite" }), example: "numbers",
  };
  ui.unitsField = field("units", ui.units);
  const has = (name) => readers.some(([one]) => one === name);
  const offers = [["exampleNumbers", () => example("numbers", "gru")], ["exampleCells", () => example("numbers", "trained")], has("ready/verse") && ["examplePoem", () => example("poem", "ready/verse")], has("ready/english-chinese") && ["exampleSentence", () => example("sentence", "ready/english-chinese")]].filter(Boolean);
  const form = make("form", { className: "card", onsubmit: (event) => { event.preventDefault(); run(); } },
    examples(offers), field("numbersOrText", ui.input), field("reader", ui.reader), ui.unitsField, ui.go, ui.error);
  ui.reader.addEventListener("change", () => { clear(); sized(); });
  ui.input.addEventListener("input", () => { ui.example = ""; clear(); });
  clear();
  sized();
  panel.append(head("insideTitle", "insideAbout"), make("div", { className: "board" }, form, ui.out));
}

export function open(query) {
  const given = query.get("numbers") ?? query.get("text") ?? EXAMPLES[query.get("example")];
  if (given) { ui.input.value = given; ui.example = query.get("example") ?? ""; }
  if (query.has("by")) ui.reader.value = query.get("by");
  if (query.has("units")) ui.units.value = query.get("units");
  sized();
  if (query.size) run();
}

function example(name, by) {
  Object.assign(ui, { example: name });
  ui.input.value = EXAMPLES[name];
  ui.reader.value = by;
  sized();
  run();
}

const sized = () => { ui.unitsField.hidden = ui.reader.value !== "cells"; };

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
  const model = ["gru", "trained", "cells"].includes(by) ? null : by;
  const found = model ? null : numbers(text);
  clear();
  const asked = { ...(found ? { numbers: found } : { text }), hidden: by === "cells" ? Number(ui.units.value) : 8, cells: model || by === "gru" ? ["gru"] : CELLS, trained: by === "trained", model };
  remember("inside", { example: ui.example, by, units: by === "cells" ? asked.hidden : "" });
  await busy(ui.out, ui.error, async (signal) => {
    if (!text) throw Object.assign(new Error(), { code: "empty-input", values: {} });
    if (by === "trained" && !(found?.length >= 3 && found.length <= 12)) throw Object.assign(new Error(), { code: "few-numbers", values: {} });
    const { traces } = await post("/v1/trace", asked, signal);
    ui.out.replaceChildren(...traces.map((one) => looked(one, model, asked)));
  });
}

