// Verse under the rules of its form, or a free continuation, token by token.
import { model } from "./models.js";
import { board, choice, field, head, make } from "./parts.js";
import { Rules } from "./rules.js";
import { hush, tell } from "./words.js";

const FORMS = { jueju5: "五絕", jueju7: "七絕", lushi5: "五律", lushi7: "七律" };
const LENGTH = 120; // tokens of a free text
const NEVER = -3e38;
let ui = {};
let net = null;
let table = null;
let running = null;

export async function build(panel) {
  ui = {
    form: choice([...Object.entries(FORMS).map(([name, text]) => [name, null, text]), ["", "free"]]), title: make("input", { maxLength: 20, placeholder: "月夜" }), prompt: make("input", { maxLength: 60, placeholder: "春風" }),
    temperature: make("input", { type: "number", min: 0, max: 3, step: 0.1, value: 0.9 }), seed: make("input", { type: "number", min: 0, max: 4294967295, placeholder: "1" }),
    go: make("button", { className: "main", say: "write", disabled: true }), stop: make("button", { type: "button", className: "plain", say: "stop", disabled: true, onclick: () => { running = null; } }),
    error: make("p", { className: "wrong", role: "alert" }), text: make("div", { className: "poem", lang: "zh-Hant", "aria-live": "polite" }), note: make("p", { className: "note" }),
  };
  ui.promptField = field("prompt", ui.prompt);
  const form = make("form", { className: "card", onsubmit: (event) => { event.preventDefault(); write(); } }, field("form", ui.form), field("title", ui.title), ui.promptField, make("div", { className: "row" }, field("temperature", ui.temperature), field("seed", ui.seed)), make("div", { className: "row" }, ui.go, ui.stop), ui.error);
  ui.form.addEventListener("change", shape);
  ui.form.value = "jueju7";
  shape();
  panel.append(head("verseTitle", "verseAbout"), board(form, make("div", { className: "card result" }, ui.text, ui.note)));
  const found = await model("verse");
  if (!found) { tell(ui.error, "notBuilt"); return; }
  [net, table] = found;
  const decoder = new TextDecoder();
  table.texts = [...table.tones].map((_, token) => decoder.decode(net.text(token)));
  table.tokens = new Map(table.texts.map((text, token) => [text, token]));
  ui.go.disabled = false;
}

function shape() {
  ui.promptField.hidden = ui.form.value !== "";
  ui.text.className = ui.form.value ? "poem" : "prose";
}

// The tokens before the text: the first token and, if there is a title, the title and the token that ends it.
export function context(table, title) {
  const known = [...title].map((sign) => table.tokens.get(sign)).filter((token) => token !== undefined);
  return known.length ? [table.first, ...known, table.title] : [table.first];
}

// Tokens one by one; with rules, all others have no probability.
export function* tokens(net, table, rules, before, { temperature, seed, length }) {
  const written = [];
  let scores;
  net.reset();
  net.seed(seed);
  for (const token of before) ({ scores } = net.step({ token }));
  while (written.length < length) {
    if (rules) {
      const allowed = rules.mask(written);
      for (let i = 0; i < scores.length; i++) if (!allowed[i]) scores[i] = NEVER;
    }
    const token = net.sample(scores, { temperature });
    if (token === table.end) return;
    written.push(token);
    yield token;
    ({ scores } = net.step({ token }));
  }
}

async function write() {
  const mine = (running = {}), form = ui.form.value, rules = form ? new Rules(table, form) : null;
  const seed = ui.seed.value === "" ? Math.floor(Math.random() * 1e6) : Number(ui.seed.value) >>> 0;
  const prompt = form ? [] : [...ui.prompt.value].map((sign) => table.tokens.get(sign)).filter((token) => token !== undefined);
  const before = [...context(table, ui.title.value.trim()), ...prompt];
  hush(ui.error);
  hush(ui.note);
  ui.text.textContent = prompt.map((token) => table.texts[token]).join("");
  ui.stop.disabled = false;
  for (const token of tokens(net, table, rules, before, { temperature: Number(ui.temperature.value), seed, length: rules ? rules.total : LENGTH })) {
    ui.text.append(table.texts[token]);
    await new Promise((resolve) => setTimeout(resolve, 12)); // so that the browser draws it
    if (running !== mine) break;
  }
  if (running === mine) tell(ui.note, form ? "keepsRules" : "wroteFree", { form: FORMS[form], seed });
  if (running === mine || !running) ui.stop.disabled = true;
}
