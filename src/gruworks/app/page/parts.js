// Small parts that views are built of. Text from people and models only ever becomes text nodes.
import { language, say } from "/page/words.js";

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

export function field(key, control) {
  return make("label", {}, make("span", { say: key }), control);
}

export function head(title, about) {
  return make("div", { className: "head" }, make("h1", { say: title }), make("p", { say: about }));
}

export function choice(options, chosen) {
  const select = make("select");
  fill(select, options, chosen);
  return select;
}

export function fill(select, options, chosen) {
  select.replaceChildren(...options.map(([value, text, key]) => make("option", { value, say: key, textContent: text ?? undefined })));
  for (const option of select.options) if (option.dataset.say) option.textContent = say(option.dataset.say);
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
  }
  return foot;
}

export function wrong() {
  return make("p", { className: "wrong", role: "alert" });
}

// Run `work` with a moving bar in `place`; an error becomes a sentence in `error`.
export async function busy(place, error, work) {
  error.textContent = "";
  const bar = make("div", { className: "busy", role: "status", "aria-label": say("working") });
  place.prepend(bar);
  intoView(place);
  try {
    return await work();
  } catch (found) {
    if (found.name !== "AbortError") error.textContent = found.message;
  } finally {
    bar.remove();
  }
}

// Where the answer stands below the form, as on a phone, go there.
export function intoView(place) {
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
  input.addEventListener("change", () => input.files[0] && onfile(input.files[0]));
  for (const kind of ["dragenter", "dragover"]) drop.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add("over"); });
  for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => { event.preventDefault(); if (event.dataTransfer.files[0]) onfile(event.dataTransfer.files[0]); });
  return drop;
}
