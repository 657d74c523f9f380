// Text as it is written, sign by sign; verse under the rules of its form.
import { events } from "/page/server.js";
import { card, choice, complain, field, head, intoView, make, ofTask, remember, setting, wrong } from "/page/parts.js";
import { hush, say, tell } from "/page/words.js";

const FORMS = { jueju5: "五絕", jueju7: "七絕", lushi5: "五律", lushi7: "七律" };
let ui = {};
let stop = null;

export function build(panel, known) {
  ui = {
    model: choice(ofTask(known, "generate")), prompt: make("textarea", { rows: 3 }), title: make("input", { maxLength: 100 }),
    form: choice([["", null, "free"], ...Object.entries(FORMS)], ""), temperature: setting(known, "generate", "Options", "temperature", { type: "range", min: 0.1, max: 1.5, step: 0.05 }),
    shown: make("span"), length: setting(known, "generate", "Options", "length", { max: known.limits.length, value: 120 }),
    seed: setting(known, "generate", "Options", "seed", { value: "" }), go: make("button", { className: "main", say: "writeGo" }),
    stop: make("button", { type: "button", className: "plain", say: "stop", disabled: true, onclick: () => stop?.abort() }), error: wrong(),
    text: make("div", { className: "prose", "aria-live": "polite" }), note: make("p", { className: "note" }), foot: make("div"),
  };
  ui.shown.textContent = ui.temperature.value;
  const temperature = make("label", {}, make("span", {}, make("span", { say: "temperature" }), " ", ui.shown), ui.temperature);
  ui.promptField = field("prompt", ui.prompt);
  const form = make("form", { className: "card", onsubmit: (event) => { event.preventDefault(); run(); } },
    field("form", ui.form), ui.promptField, field("titleOf", ui.title), temperature,
    make("div", { className: "row" }, field("length", ui.length), field("seed", ui.seed)), field("model", ui.model),
    make("div", { className: "row" }, ui.go, ui.stop), ui.error);
  ui.temperature.addEventListener("input", () => { ui.shown.textContent = ui.temperature.value; });
  ui.form.addEventListener("change", shape);
  ui.model.addEventListener("change", () => { clear(); ui.foot.replaceChildren(card(known, ui.model.value)); });
  ui.foot.append(card(known, ui.model.value));
  if (!ui.model.options.length) { known.error ? complain(ui.error, known.error) : tell(ui.error, "noModel"); ui.go.disabled = true; }
  ui.out = make("div", { className: "card result" }, ui.text, ui.note);
  ui.text.append(make("p", { className: "empty", say: "emptyWrite" }));
  panel.append(head("writeTitle", "writeAbout"), make("div", { className: "board" }, form, ui.out, ui.foot));
  ui.form.value = "jueju7";
  shape();
}

export function open(query) {
  for (const name of ["model", "prompt", "title", "form", "temperature", "length", "seed"]) if (query.has(name)) ui[name].value = query.get(name);
  if (query.size && !query.has("form")) ui.form.value = "";
  ui.shown.textContent = ui.temperature.value;
  shape();
  if (query.has("seed")) run();
}

function shape() {
  const verse = ui.form.value !== "";
  ui.promptField.hidden = verse;
  ui.length.disabled = verse;
  ui.text.className = verse ? "poem" : "prose";
}

// What was written belongs to its model: with another it goes, and nothing more of it comes.
function clear() {
  stop?.abort();
  hush(ui.error);
  ui.text.textContent = ui.note.textContent = "";
}

async function run() {
  clear();
  const own = (stop = new AbortController());
  const verse = ui.form.value;
  const seed = ui.seed.value === "" ? Math.floor(Math.random() * 1e6) : Number(ui.seed.value);
  const asked = { model: ui.model.value, prompt: verse ? "" : ui.prompt.value, title: ui.title.value, temperature: Number(ui.temperature.value), length: Number(ui.length.value), seed, form: verse || null, stream: true };
  remember("write", { model: asked.model, form: verse, prompt: asked.prompt, title: asked.title, temperature: asked.temperature, length: verse ? "" : asked.length, seed });
  ui.text.textContent = asked.prompt;
  ui.stop.disabled = false;
  intoView(ui.out);
  try {
    for await (const { kind, data } of events("/v1/generate", asked, own.signal)) {
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
