// The frame: tabs, language, theme, and the copy that works offline. A view is built when it is first shown.
import { language, say, setLanguage, speak } from "./words.js";
import * as gates from "./gates.js";
import * as forecast from "./forecast.js";
import * as verse from "./verse.js";
import * as digits from "./digits.js";

const views = { gates, forecast, verse, digits };
const built = new Set();
const root = document.documentElement;
const tabs = [...document.querySelectorAll("[role=tab]")];

const shown = () => (location.hash.slice(1) in views ? location.hash.slice(1) : "gates");

async function show() {
  const name = shown();
  for (const tab of tabs) {
    const chosen = tab.id === "tab-" + name;
    tab.setAttribute("aria-selected", chosen);
    tab.tabIndex = chosen ? 0 : -1;
    document.getElementById("panel-" + tab.id.slice(4)).hidden = !chosen;
    if (chosen) tab.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
  document.title = say("tab" + name[0].toUpperCase() + name.slice(1)) + " · Gruworks";
  if (built.has(name)) return;
  built.add(name);
  await views[name].build(document.getElementById("panel-" + name));
}

function moveTabs(event) {
  const at = tabs.indexOf(document.activeElement);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
  if (at < 0 || to === undefined) return;
  event.preventDefault();
  const tab = tabs[(to + tabs.length) % tabs.length];
  tab.focus();
  tab.click();
}

function remembered(key) {
  try { return localStorage.getItem(key); } catch { return null; }
}

function remember(key, value) {
  try { localStorage.setItem(key, value); } catch { /* a private window: nothing is kept */ }
}

function setTheme(theme) {
  root.dataset.theme = theme;
  document.getElementById("theme").setAttribute("aria-pressed", theme === "dark");
}

function changeLanguage(to) {
  setLanguage(to);
  root.lang = to === "zh" ? "zh-CN" : "en";
  speak(document);
  const button = document.getElementById("language");
  button.textContent = to === "zh" ? "English" : "中文";
  button.lang = to === "zh" ? "en" : "zh";
}

const dark = matchMedia("(prefers-color-scheme: dark)");
setTheme(remembered("theme") || (dark.matches ? "dark" : "light"));
dark.addEventListener("change", () => remembered("theme") || setTheme(dark.matches ? "dark" : "light"));
changeLanguage(remembered("language") || (navigator.language.startsWith("zh") ? "zh" : "en"));
document.getElementById("theme").addEventListener("click", () => {
  setTheme(root.dataset.theme === "dark" ? "light" : "dark");
  remember("theme", root.dataset.theme);
});
document.getElementById("language").addEventListener("click", () => {
  changeLanguage(language() === "zh" ? "en" : "zh");
  remember("language", language());
});
for (const tab of tabs) tab.addEventListener("click", () => { location.hash = tab.id.slice(4); });
document.querySelector("[role=tablist]").addEventListener("keydown", moveTabs);
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  document.getElementById("main").focus();
});
addEventListener("hashchange", show);
show();
navigator.serviceWorker?.register("offline.js").catch(() => { /* no copy for offline use: a page without https */ });
