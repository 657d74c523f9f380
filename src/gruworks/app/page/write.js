// Text while it is generated, token by token; verse under the rules of its form.
import { events, models } from "/page/server.js";
import { card, choice, complain, field, fill, head, intoView, make, ofTask, remember, wrong } from "/page/parts.js";
import { fitFile } from "/page/fit.js";
import { optionsOf, settings } from "/page/settings.js";
import { hush, say, tell } from "/page/words.js";

const FORMS = { jueju5: "五絕", jueju7: "七絕", lushi5: "五律", lushi7: "七律" };
let ui = {};
let stop = null;

export function build(panel, known) {
  ui = {
    model: choice(ofTask(known, "generate")), prompt: make("textarea", { rows: 3 }), title: make("input", { maxLength: 100 }),
    form: choice([["", null, "free"], ...Object.entries(FORMS)], ""), options: settings(known, "generate", "Options"), go: make("button", { className: "main", say: "writeGo" }),
    stop: make("button", { type: "button", className: "plain", say: "stop", disabled: true, onclick: () => stop?.abort() }), error: wrong(),
    text: make("div", { className: "prose", "aria-live": "polite" }), note: make("p", { className: "note" }), foot: make("div"),
  };
  ui.promptField = field("prompt", ui.prompt);
  const form = make("form", { className: "card", onsubmit: (event) => { event.preventDefault(); run(); } },
    field("form", ui.form), ui.promptField, field("titleOf", ui.title), ui.options.node, field("model", ui.model),
    make("div", { className: "row" }, ui.go, ui.stop), ui.error);
  ui.form.addEventListener("change", shape);
  ui.model.addEventListener("change", () => { clear(); chosen(); });
  ui.known = known;
  chosen();
  if (!ui.model.options.length) { known.error ? complain(ui.error, known.error) : tell(ui.error, "noModel"); ui.go.disabled = true; }
  ui.out = make("div", { className: "card result" }, ui.text, ui.note);
  ui.text.append(make("p", { className: "empty", say: "emptyWrite" }));
  panel.append(head("writeTitle", "writeAbout"), make("div", { className: "board" }, form, ui.out, make("div", { className: "side" }, ui.foot, fitFile(known, "generate", fitDone))));
  ui.form.value = "jueju7";
  shape();
}

export function open(query) {
  for (const name of ["model", "prompt", "title", "form"]) if (query.has(name)) ui[name].value = query.get(name);
  if (query.has("model")) chosen();
  for (const [name, value] of query) ui.options.set(name, value);
  if (query.size && !query.has("form")) ui.form.value = "";
  shape();
  if (query.has("seed")) run();
}

function chosen() {
  ui.options.defaults({ seed: null, ...optionsOf(ui.known, ui.model.value) });
  ui.foot.replaceChildren(card(ui.known, ui.model.value));
}

async function fitDone(model) {
  ui.known = await models(true);
  fill(ui.model, ofTask(ui.known, "generate"), model);
  ui.form.value = "";
  ui.go.disabled = false;
  clear();
  chosen();
  shape();
}

// A poem has the length of its form and is sampled from all tokens that its rules allow.
function shape() {
  const verse = ui.form.value !== "";
  ui.promptField.hidden = verse;
  ui.options.enable(["length", "top_k", "top_p", "min_p"], !verse);
  ui.text.className = verse ? "poem" : "prose";
}

// A text belongs to its model: when that changes, generation is stopped and the text removed.
function clear() {
  stop?.abort();
  hush(ui.error);
  ui.text.textContent = ui.note.textContent = "";
}

async function run() {
  clear();
  const own = (stop = new AbortController());
  const verse = ui.form.value;
  const asked = { model: ui.model.value, prompt: verse ? "" : ui.prompt.value, title: ui.title.value, seed: Math.floor(Math.random() * 1e6), ...ui.options.values(), form: verse || null };
  remember("write", asked);
  ui.text.textContent = asked.prompt;
  ui.stop.disabled = false;
  intoView(ui.out);
  try {
    for await (const { kind, data } of events("/v1/generate", { ...asked, stream: true }, own.signal)) {
      if (own.signal.aborted) break;
      if (kind === "piece") ui.text.append(data.text);
      else if (kind === "error") complain(ui.error, data);
      else ui.note.textContent = verdict(data, verse);
    }
  } catch (error) {
    if (!own.signal.aborted) complain(ui.error, error);
  }
  if (stop === own) ui.stop.disabled = true;
}

function verdict({ seconds, seed, checked }, verse) {
  const took = say("tookSeconds", { seconds, seed });
  if (!checked) return took;
  return (checked.ok ? say("keepsRules", { form: FORMS[verse] }) : say("breaksRules", { count: checked.faults.length })) + " · " + checked.rhyme + " · " + took;
}
