// The language of the playground, and the sentences where the markup names them.
import { en } from "./words-en.js";
import { zh } from "./words-zh.js";

export const all = { en, zh };
let now = "en";

export const language = () => now;
export const setLanguage = (to) => { now = to; };

export function say(key, values = {}) {
  return all[now][key].replace(/\{(\w+)\}/g, (_, name) => (typeof values[name] === "object" ? say(values[name].say, values[name]) : values[name]));
}

// A sentence that follows the language: its key and values stay in the markup. A value {say: key} is a sentence, too.
export function tell(node, key, values = {}) {
  node.dataset.say = key;
  node.dataset.values = JSON.stringify(values);
  node.textContent = say(key, values);
}

export function hush(node) {
  delete node.dataset.say;
  node.textContent = "";
}

export function speak(place) {
  for (const node of place.querySelectorAll("[data-say]")) node.textContent = say(node.dataset.say, JSON.parse(node.dataset.values ?? "{}"));
  for (const node of place.querySelectorAll("[data-say-label]")) node.setAttribute("aria-label", say(node.dataset.sayLabel));
}
