// Sentences in, a line each; their translations, other candidates, the attention weights; a model of one's own pairs.
import { models, post } from "/page/server.js";
import { busy, card, choice, complain, examples, field, fill, head, leave, make, ofTask, remember, wrong } from "/page/parts.js";
import { learning } from "/page/learning.js";
import { optionsOf, settings } from "/page/settings.js";
import { translated } from "/page/translate-result.js";
import { hush, tell } from "/page/words.js";

const ALTERNATIVES = 4; // translations that the page shows, the best among them
const EXAMPLES = { station: "Where is the station?", hungry: "I am hungry.", lines: "Good morning!\nIt will rain tomorrow.\nI love you." };
let ui = {};

export function build(panel, known) {
  ui = {
    known, model: choice(ofTask(known, "translate")), text: make("textarea", { rows: 4, maxLength: 2000, value: EXAMPLES.station }), example: "station",
    options: settings(known, "translate", "Options"), go: make("button", { className: "main", say: "translateGo" }),
    error: wrong(), textError: wrong(), out: make("div", { className: "result", "aria-live": "polite" }), foot: make("div"),
  };
  ui.learn = learning(known, "translate", { sample: "pairs", finished: fitDone });
  const form = make("form", { className: "card", onsubmit: (event) => { event.preventDefault(); run(); } },
    examples(Object.keys(EXAMPLES).map((name) => ["sentence " + name, () => example(name)])), field("sentence", ui.text, ui.textError), ui.options.node, field("model", ui.model), ui.go, ui.error);
  ui.text.addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit(); });
  ui.text.addEventListener("input", () => { ui.example = ""; clear(); });
  ui.model.addEventListener("change", chosen);
  if (!ui.model.options.length) { known.error ? complain(ui.error, known.error) : tell(ui.error, "noModel"); ui.go.disabled = true; }
  chosen();
  panel.append(head("translateTitle", "translateAbout"), make("div", { className: "board" }, form, make("div", { className: "result" }, ui.learn.results, ui.out), make("div", { className: "side" }, ui.foot, ui.learn.node)));
}

export function open(query) {
  if (query.has("model")) { ui.model.value = query.get("model"); chosen(); }
  const text = query.get("text") ?? EXAMPLES[query.get("example")];
  if (text) { ui.text.value = text; ui.example = query.get("example") ?? ""; }
  for (const [name, value] of query) ui.options.set(name, value);
  if (text) run();
}

function example(name) {
  ui.example = name;
  ui.text.value = EXAMPLES[name];
  run();
}

function chosen() {
  clear();
  const chinese = ui.known.models.find((one) => one.name === ui.model.value)?.settings.target === "zh";
  ui.options.defaults({ n_best: ALTERNATIVES, ...(chinese ? { script: "simplified" } : {}), ...optionsOf(ui.known, ui.model.value) });
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
  for (const one of [ui.error, ui.textError]) hush(one);
  ui.out.replaceChildren(make("div", { className: "card empty", say: "emptyTranslate" }));
}

async function run() {
  clear();
  const lines = ui.text.value.split(/\r?\n/).map((line) => line.trim()).filter(Boolean);
  if (!lines.length) { tell(ui.textError, "error no-sentence"); return; }
  const asked = { model: ui.model.value, texts: lines, ...ui.options.values() };
  const { texts, ...settled } = asked;
  remember("translate", { ...settled, example: ui.example }); // what the visitor wrote is no part of the link
  await busy(ui.out, (error) => (["text", "texts"].includes(error.where) ? ui.textError : ui.error), async (signal) => {
    const { translations } = await post("/v1/translate", { ...asked, attention: true }, signal);
    ui.out.replaceChildren(translated(lines, translations, asked));
  });
}
