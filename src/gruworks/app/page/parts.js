// Small parts that views are built of. Text from people and models only ever becomes text nodes.
import { hush, known as hasSentence, language, say, tell } from "/page/words.js";

let count = 0;
const running = new WeakMap();

export function make(tag, given = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "say") node.dataset.say = value;
    else if (name === "sayLabel") node.dataset.sayLabel = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name in node && name !== "list" && name !== "form") node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children.filter((one) => one !== null && one !== undefined));
  if (given.say && !children.length) node.textContent = say(given.say);
  return node;
}

// A control below its label, its error below it.
export function field(key, control, error) {
  const label = make("label", {}, make("span", { say: key }), control);
  if (!error) return label;
  error.id ||= "wrong-" + ++count;
  control.setAttribute("aria-describedby", error.id);
  return make("div", { className: "field" }, label, error);
}

export function head(title, about) {
  return make("div", { className: "head" }, make("h1", { say: title }), make("p", { say: about }));
}

// Buttons that fill a form with an example: [key, action].
export function examples(offers) {
  return make("div", { className: "examples" }, make("span", { className: "note", say: "examples" }), ...offers.map(([key, action]) => make("button", { type: "button", className: "small", say: key, onclick: action })));
}

export function choice(options, chosen) {
  const select = make("select");
  fill(select, options, chosen);
  return select;
}

export function fill(select, options, chosen) {
  select.replaceChildren(...options.map(([value, text, key]) => make("option", { value, say: key, textContent: text ?? undefined })));
  if (chosen !== undefined && options.some(([value]) => value === chosen)) select.value = chosen;
}

export function ofTask(known, task) {
  return known.models.filter((one) => one.task === task).map((one) => [one.name, one.name]);
}

// A model's card in small print: data, licence, limits.
export function card(known, name) {
  const found = known.models.find((one) => one.name === name);
  const foot = make("div", { className: "foot" });
  if (found) {
    const { about, data, licence, limits } = { ...found.card, ...found.card[language()] };
    for (const text of [about, data && data + (licence ? " · " + licence : ""), limits]) if (text) foot.append(make("p", { textContent: text }));
    if (found.interrupted) foot.append(make("p", { say: "interruptedModel" }));
  }
  return foot;
}

export function wrong() {
  return make("p", { className: "wrong", role: "alert" });
}

const BY_STATUS = { 408: "slow", 413: "too-much", 422: "value", 429: "busy", 500: "fault", 503: "busy" };

// Show an error in the page's language; in English also the server's own sentence, where the page has none.
export function complain(node, error) {
  const english = language() === "en" && error.message && error.status !== 422 && error.status !== 500;
  const keys = [error.code, ...(english ? [] : ["at " + error.where, BY_STATUS[error.status]])].map((key) => "error " + key);
  const key = keys.find(hasSentence);
  if (key || !english) { tell(node, key ?? "failed", error.values); return; }
  hush(node);
  node.textContent = error.message;
}

// Cancel the work for `place`.
export function leave(place) {
  running.get(place)?.abort();
}

// Run `work` with a progress bar in `place`; earlier work for it is cancelled. An error is shown in `error`, a node or a
// function from the error to one.
export async function busy(place, error, work) {
  leave(place);
  const own = new AbortController();
  running.set(place, own);
  if (error instanceof Node) hush(error);
  const bar = make("div", { className: "busy", role: "status", "aria-label": say("working") });
  place.prepend(bar);
  intoView(place);
  try {
    return await work(own.signal);
  } catch (found) {
    if (!own.signal.aborted) complain(error instanceof Node ? error : error(found), found);
  } finally {
    bar.remove();
  }
}

// Scroll to the result where it is below the form, as on a phone; not for what runs by itself when the page opens.
export function intoView(place) {
  if (navigator.userActivation && !navigator.userActivation.hasBeenActive) return;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (matchMedia("(max-width: 760px)").matches) place.scrollIntoView({ block: "start", behavior: still ? "auto" : "smooth" });
}

export function remember(name, values) {
  const query = new URLSearchParams(Object.entries(values).filter(([, value]) => value !== "" && value !== undefined && value !== null && value !== false));
  dispatchEvent(new CustomEvent("view-state", { detail: { name, query: query.toString() } }));
}

export function takesFile(accept, key, onfile) {
  const input = make("input", { type: "file", accept });
  const drop = make("label", { className: "drop" }, make("span", { say: key }), input);
  input.addEventListener("change", () => {
    const file = input.files[0];
    input.value = ""; // the same file, mended, may be chosen again
    if (file) onfile(file);
  });
  for (const kind of ["dragenter", "dragover"]) drop.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add("over"); });
  for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => { event.preventDefault(); if (event.dataTransfer.files[0]) onfile(event.dataTransfer.files[0]); });
  return drop;
}
