// Every sentence of the page, in both languages.
import { en } from "/page/words-en.js";
import { zh } from "/page/words-zh.js";

const all = { en, zh };
let now = "en";

export const language = () => now;
export const setLanguage = (to) => { now = to; };
export const say = (key, values = {}) => (all[now][key] ?? en[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");

// Names that the server gives, such as those of naive forecasts: "seasonal naive (7)".
export function named(name) {
  const [, plain, number] = /^(.*?)(?: ?\(?(\d+)\)?)?$/.exec(name);
  return say("named " + plain, { number }) === "named " + plain ? name : say("named " + plain, { number });
}

// Put the sentences where the markup names them.
export function speak(place) {
  for (const node of place.querySelectorAll("[data-say]")) node.textContent = say(node.dataset.say);
  for (const node of place.querySelectorAll("[data-say-label]")) node.setAttribute("aria-label", say(node.dataset.sayLabel));
}
