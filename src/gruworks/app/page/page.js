// The frame: tabs, language, theme, and what each view keeps in the address. A view is built when it is first shown.
import { language, say, setLanguage, speak } from "/page/words.js";
import { get, models } from "/page/server.js";
import { complain, wrong } from "/page/parts.js";

// A view's module is fetched when it is first shown.
const views = {
  start: () => import("/page/start.js"), forecast: () => import("/page/forecast.js"), write: () => import("/page/write.js"),
  translate: () => import("/page/translate.js"), listen: () => import("/page/listen.js"), inside: () => import("/page/inside.js"),
};
const built = {}; // promises of the views, and the views that are there
const states = {};
const root = document.documentElement;

function readAddress() {
  const [name, query] = location.hash.slice(1).split("?");
  return [name in views ? name : "start", new URLSearchParams(query || "")];
}

async function show() {
  const [name, query] = readAddress();
  for (const tab of document.querySelectorAll("[role=tab]")) {
    const chosen = tab.id === "tab-" + name;
    tab.setAttribute("aria-selected", chosen);
    tab.tabIndex = chosen ? 0 : -1;
    document.getElementById("panel-" + tab.id.slice(4)).hidden = !chosen;
    if (chosen) tab.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
  const panel = document.getElementById("panel-" + name); // not the name itself: the browser would move the focus there
  document.title = say("tab" + name[0].toUpperCase() + name.slice(1)) + " · Gruworks";
  built[name] ??= begin(name, panel);
  const view = await built[name].catch((error) => failed(name, panel, error));
  if (!view || view.query === query.toString()) return;
  view.query = query.toString();
  view.open(query);
}

// A view could not be fetched: without a token the sign-in page is shown instead, as for every other request.
async function failed(name, panel, error) {
  delete built[name];
  const found = await get("/v1/limits").then(() => error, (one) => one);
  panel.replaceChildren(wrong());
  complain(panel.firstChild, { code: "no-server", ...found });
}

async function begin(name, panel) {
  const [view, known] = await Promise.all([views[name](), name === "start" ? null : models()]);
  panel.replaceChildren();
  view.build(panel, known);
  speak(panel);
  states[name] = { open: view.open };
  return states[name];
}

// A view reports its state; the address is replaced by one that reproduces it.
addEventListener("view-state", (event) => {
  const { name, query } = event.detail;
  if (!states[name]) return;
  states[name].query = query;
  if (readAddress()[0] === name) history.replaceState(null, "", "#" + name + (query ? "?" + query : ""));
});

function moveTabs(event) {
  const tabs = [...document.querySelectorAll("[role=tab]")];
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
  dispatchEvent(new Event("look-changed"));
}

function changeLanguage(to) {
  setLanguage(to);
  root.lang = to === "zh" ? "zh-CN" : "en";
  speak(document);
  const button = document.getElementById("language");
  button.textContent = to === "zh" ? "English" : "中文";
  button.lang = to === "zh" ? "en" : "zh";
  dispatchEvent(new Event("look-changed"));
  dispatchEvent(new Event("language-changed"));
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
for (const tab of document.querySelectorAll("[role=tab]")) {
  tab.addEventListener("click", () => {
    const name = tab.id.slice(4);
    const query = states[name]?.query;
    location.hash = name + (query ? "?" + query : "");
  });
}
document.querySelector("[role=tablist]").addEventListener("keydown", moveTabs);
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  document.getElementById("main").focus();
});
addEventListener("hashchange", show);
show();
