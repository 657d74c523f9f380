// Every sentence of the page, in both languages.
import { en } from "/page/words-en.js";
import { zh } from "/page/words-zh.js";
import { settings as settingsZh } from "/page/settings-zh.js";

const all = { en, zh };
let now = "en";

export const language = () => now;
export const setLanguage = (to) => { now = to; };
export const say = (key, values = {}) => (all[now][key] ?? en[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");

export const known = (key) => key in all.en;

// The sentence of a setting: in English its own description, as the server sends it.
function described({ task, kind, name, about, choices }) {
  const begins = choices?.includes(/^\w*/.exec(about)[0]); // with the name of a choice, which is written as it is
  const keys = [`${task} ${kind} ${name}`, `${task} ${name}`, name];
  const found = now === "zh" ? keys.find((key) => key in settingsZh) : undefined;
  return found ? settingsZh[found] : begins ? about : about[0].toUpperCase() + about.slice(1);
}

// A sentence that follows the language: its key and values stay in the markup.
export function tell(node, key, values = {}) {
  node.dataset.say = key;
  node.dataset.values = JSON.stringify(values);
  node.textContent = say(key, values);
}

export function hush(node) {
  delete node.dataset.say;
  node.textContent = "";
}

export function describe(node, setting) {
  node.dataset.setting = JSON.stringify(setting);
  node.textContent = described(setting);
}

// Put the sentences where the markup names them.
export function speak(place) {
  for (const node of place.querySelectorAll("[data-say]")) node.textContent = say(node.dataset.say, JSON.parse(node.dataset.values ?? "{}"));
  for (const node of place.querySelectorAll("[data-say-label]")) node.setAttribute("aria-label", say(node.dataset.sayLabel));
  for (const node of place.querySelectorAll("[data-setting]")) node.textContent = described(JSON.parse(node.dataset.setting));
}
