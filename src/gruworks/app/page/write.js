// Text while it is generated, token by token; verse under the rules of its form; a model of one's own text.
import { events, models } from "/page/server.js";
import { card, choice, complain, examples, field, fill, head, intoView, make, ofTask, remember, wrong } from "/page/parts.js";
import { copy, saves, share } from "/page/share.js";
import { save } from "/page/download.js";
import { learning } from "/page/learning.js";
import { optionsOf, settings } from "/page/settings.js";
import { hush, language, say, tell } from "/page/words.js";

const FORMS = { jueju5: ["五絕", "五绝"], jueju7: ["七絕", "七绝"], lushi5: ["五律", "五律"], lushi7: ["七律", "七律"] };
const LINES = { jueju5: 4, jueju7: 4, lushi5: 8, lushi7: 8 };
const PATTERNS = ["any", "level", "level-rhymed", "oblique", "oblique-rhymed"];
const RHYMES = ["any", "東", "冬", "江", "支", "微", "魚", "虞", "齊", "佳", "灰", "真", "文", "元", "寒", "刪", "先", "蕭", "肴", "豪", "歌", "麻", "陽", "庚", "青", "蒸", "尤", "侵", "覃", "鹽", "咸"];
const VERSE = ["title", "pattern", "rhyme", "acrostic", "script"];
let ui = {};
let stop = null;

export function build(panel, known) {
  ui = {
    model: choice(ofTask(known, "generate")), prompt: make("textarea", { rows: 3 }), title: make("input", { maxLength: 100 }),
    form: choice([["", null, "free"], ...Object.keys(FORMS).map((name) => [name, null, "form " + name])], ""), options: settings(known, "generate", "Options"), go: make("button", { className: "main", say: "writeGo" }),
    pattern: choice(PATTERNS.map((one) => [one, null, "pattern " + one]), "any"), rhyme: choice(RHYMES.map((one) => (one === "any" ? [one, null, "anyRhyme"] : [one, one])), "any"),
    acrostic: make("input", { maxLength: 8 }), script: choice([["as-learnt", null, "scriptLearnt"], ["simplified", null, "scriptSimplified"], ["traditional", null, "scriptTraditional"]], language() === "zh" ? "simplified" : "as-learnt"),
    stop: make("button", { type: "button", className: "plain", say: "stop", disabled: true, onclick: () => stop?.abort() }), error: wrong(), acrosticError: wrong(),
    text: make("div", { className: "prose", "aria-live": "polite" }), note: make("p", { className: "note" }), tools: make("div"), foot: make("div"), known,
  };
  ui.promptField = field("prompt", ui.prompt);
  ui.titleField = field("titleOf", ui.title);
  ui.rules = make("details", {}, make("summary", { say: "rules" }), make("div", {}, field("acrostic", ui.acrostic, ui.acrosticError), field("rhyme", ui.rhyme), field("pattern", ui.pattern), field("script", ui.script)));
  ui.learn = learning(known, "generate", { sample: "poems", finished: fitDone });
  const form = make("form", { className: "card", onsubmit: (event) => { event.preventDefault(); run(); } },
    examples([["exampleAutumn", () => verse("jueju7", "秋夜")], ["exampleAcrostic", () => verse("jueju5", "", "春花秋月")], ["exampleFree", () => free("明月")]]),
    field("form", ui.form), ui.promptField, ui.titleField, ui.rules, ui.options.node, field("model", ui.model), make("div", { className: "row" }, ui.go, ui.stop), ui.error);
  ui.form.addEventListener("change", () => { clear(); shape(); });
  ui.model.addEventListener("change", () => { clear(); chosen(); shape(); });
  chosen();
  if (!ui.model.options.length) { known.error ? complain(ui.error, known.error) : tell(ui.error, "noModel"); ui.go.disabled = true; }
  ui.out = make("div", { className: "card result" }, ui.text, ui.note, ui.tools);
  ui.text.append(make("p", { className: "empty", say: "emptyWrite" }));
  panel.append(head("writeTitle", "writeAbout"), make("div", { className: "board" }, form, make("div", { className: "result" }, ui.learn.results, ui.out), make("div", { className: "side" }, ui.foot, ui.learn.node)));
  ui.form.value = "jueju7";
  shape();
}

export function open(query) {
  for (const name of ["model", "prompt", "form", ...VERSE]) if (query.has(name)) ui[name].value = query.get(name);
  if (query.has("model")) chosen();
  for (const [name, value] of query) ui.options.set(name, value);
  if (query.size && !query.has("form")) ui.form.value = "";
  shape();
  if (query.has("seed")) run();
}

function verse(form, title, acrostic = "") {
  Object.assign(ui.form, { value: form });
  ui.title.value = title;
  ui.acrostic.value = acrostic;
  ui.rules.open ||= acrostic !== "";
  shape();
  run();
}

function free(prompt) {
  ui.form.value = "";
  ui.prompt.value = prompt;
  shape();
  run();
}

function chosen() {
  ui.options.defaults({ seed: null, ...optionsOf(ui.known, ui.model.value) });
  ui.foot.replaceChildren(card(ui.known, ui.model.value));
}

async function fitDone(model) {
  ui.known = await models(true);
  fill(ui.model, ofTask(ui.known, "generate"), model);
  ui.form.value = ui.prompt.value = ui.title.value = "";
  ui.go.disabled = false;
  clear();
  chosen();
  shape();
  run();
}

// A poem has the length of its form and is sampled from all tokens that its rules allow.
function shape() {
  const poem = ui.form.value !== "";
  ui.promptField.hidden = poem;
  ui.titleField.hidden = ui.rules.hidden = !poem;
  ui.options.enable(["length", "top_k", "top_p", "min_p"], !poem);
  ui.text.className = poem ? "poem" : "prose";
}

// A text belongs to its model: when that changes, generation is stopped and the text removed.
function clear() {
  stop?.abort();
  for (const one of [ui.error, ui.acrosticError]) hush(one);
  ui.text.textContent = ui.note.textContent = "";
  ui.tools.replaceChildren();
}

function asking() {
  const form = ui.form.value;
  const seed = Math.floor(Math.random() * 1e6);
  const options = { model: ui.model.value, seed, ...ui.options.values(), form: form || null };
  if (!form) return { ...options, prompt: ui.prompt.value };
  return { ...options, ...Object.fromEntries(VERSE.map((name) => [name, ui[name].value.trim()]).filter(([, value]) => value && value !== "any" && value !== "as-learnt")) };
}

async function run() {
  clear();
  const own = (stop = new AbortController());
  const asked = asking();
  const { prompt, title, acrostic, ...settled } = asked;
  remember("write", settled); // what the visitor wrote is no part of the link
  ui.text.textContent = prompt ?? "";
  ui.stop.disabled = false;
  intoView(ui.out);
  try {
    const length = [...(acrostic ?? "")].length;
    if (length && length !== LINES[asked.form]) throw Object.assign(new Error(), { code: "acrostic-length", where: "acrostic", values: { lines: LINES[asked.form], count: length } });
    for await (const { kind, data } of events("/v1/generate", { ...asked, stream: true }, own.signal)) {
      if (own.signal.aborted) break;
      if (kind === "piece") ui.text.append(data.text);
      else if (kind === "error") complain(ui.error, data);
      else done(data, asked);
    }
  } catch (error) {
    if (!own.signal.aborted) { complain(error.where === "acrostic" ? ui.acrosticError : ui.error, error); if (error.where === "acrostic") ui.rules.open = true; }
  }
  if (stop === own) ui.stop.disabled = true;
}

function done(data, asked) {
  ui.note.textContent = verdict(data, asked.form);
  const text = () => ui.text.textContent.trim();
  const own = asked.model && !asked.model.startsWith("ready/");
  ui.tools.replaceChildren(share([copy(text), saves("saveText", () => save("text.txt", text() + "\n", "text/plain")),
    own ? saves("saveModel", () => { location.href = "/v1/models/" + encodeURIComponent(asked.model) + "/archive"; }) : null].filter(Boolean), () => ({ path: "/v1/generate", body: { ...asked, stream: false } })));
}

function verdict({ seconds, seed, checked, unknown }, form) {
  const took = say("tookSeconds", { seconds, seed });
  const lost = unknown ? [say("unknownSigns", { signs: unknown })] : [];
  if (!checked) return [...lost, took].join(" · ");
  const name = FORMS[form][language() === "zh" ? 1 : 0];
  return [...lost, checked.ok ? say("keepsRules", { form: name }) : say("breaksRules", { count: checked.faults.length }), checked.rhyme, took].join(" · ");
}
