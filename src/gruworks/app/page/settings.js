// Fields of a task's fit or verb, generated from the settings that the server lists in /v1/models.
import { make } from "/page/parts.js";
import { describe } from "/page/words.js";

// Settings that are shown at once, in this order; the others stand under "More settings".
const SHOWN = {
  forecast: { Config: ["horizon", "minutes"], Options: [] },
  generate: { Config: ["hidden_size", "minutes"], Options: ["temperature", "length", "seed"] },
  translate: { Config: ["source", "target", "minutes"], Options: ["beam_size", "n_best"] },
  transcribe: { Config: ["minutes", "streaming"], Options: ["beam_size", "hot_words"] },
};

const NUMBERS = { int: 1, float: "any" };

function control(one) {
  if (one.type === "choice") return make("select", {}, ...one.choices.map((value) => make("option", { value, textContent: value })));
  if (one.type === "bool") return make("input", { type: "checkbox" });
  if (one.type in NUMBERS && !one.list) return make("input", { type: "number", min: one.low ?? "", max: one.high ?? "", step: NUMBERS[one.type] });
  return make("input", { type: "text" });
}

// The value of a field for a request; undefined where it is empty.
function value(one, node) {
  if (one.type === "bool") return node.checked;
  const text = node.value.trim();
  const typed = one.type in NUMBERS ? Number : String;
  if (one.list) return text ? text.split(/[,，、]/).map((part) => typed(part.trim())) : undefined;
  return text === "" ? undefined : typed(text);
}

function put(one, node, given) {
  if (one.type === "bool") node.checked = given === true || given === "true";
  else if (given === null || given === undefined) node.value = "";
  else node.value = typeof given === "number" && one.high !== null ? Math.min(given, one.high) : String(given);
}

// Fields with `values()` for a request, `set(name, value)`, `defaults(options)` for a model's own options,
// and `enable(names, yes)`. `without` leaves out settings that other controls stand for.
export function settings(known, task, kind, without = []) {
  const fields = {};
  for (const one of known.forms[task]?.[kind] ?? []) {
    if (without.includes(one.name)) continue;
    const node = control(one);
    const text = make("span");
    describe(text, { task, kind, name: one.name, about: one.about, choices: one.choices });
    const label = one.type === "bool" ? make("label", { className: "check" }, node, text) : make("label", {}, text, node);
    fields[one.name] = { one, node, label };
  }
  const first = SHOWN[task]?.[kind].filter((name) => name in fields) ?? [];
  const rest = Object.keys(fields).filter((name) => !first.includes(name));
  const labels = (names) => names.map((name) => fields[name].label);
  const more = make("details", { hidden: !rest.length }, make("summary", { say: "more" }), make("div", {}, ...labels(rest)));
  const all = Object.values(fields);
  const defaults = (options = {}) => all.forEach(({ one, node }) => put(one, node, one.name in options ? options[one.name] : one.default));
  defaults();
  return {
    node: make("div", { className: "settings" }, ...labels(first), more),
    defaults,
    set: (name, given) => name in fields && put(fields[name].one, fields[name].node, given),
    values: () => Object.fromEntries(all.filter(({ node }) => !node.disabled).map(({ one, node }) => [one.name, value(one, node)]).filter(([, found]) => found !== undefined)),
    enable: (names, yes) => names.forEach((name) => { if (name in fields) fields[name].node.disabled = !yes; }),
  };
}

// The options of a model: those of its card.
export const optionsOf = (known, name) => known.models.find((one) => one.name === name)?.card.options ?? {};
