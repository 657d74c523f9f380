// A table before its forecast: first rows, the columns' roles, dates and numbers as they are read, the series.
import { make } from "/page/parts.js";
import { say } from "/page/words.js";
import { notes } from "/page/forecast-answer.js";

export function preview({ head, first, rows, frequency, notes: read, series }, roles) {
  const role = (name) => Object.entries(roles).find(([, column]) => column === name)?.[0];
  const cell = (tag, text, name) => make(tag, { textContent: text, className: role(name) ? "role" : "", scope: tag === "th" ? "col" : undefined });
  const titles = head.map((name) => make("th", { scope: "col", className: role(name) ? "role" : "" }, name, role(name) ? make("small", { say: { time: "timeColumn", target: "targetColumn", id: "seriesColumn" }[role(name)] }) : null));
  const table = make("table", {}, make("thead", {}, make("tr", {}, ...titles)), make("tbody", {}, ...first.map((row) => make("tr", {}, ...row.map((text, at) => cell("td", text, head[at]))))));
  return make("div", { className: "card result preview" }, make("h2", { say: "previewTitle" }),
    frequency ? make("p", { textContent: summary(rows, frequency, series) }) : null,
    make("div", { className: "wide", tabIndex: 0, role: "region", "aria-label": say("previewTitle") }, table), ...(read ? notes({ notes: read }) : []));
}

function summary(rows, frequency, series) {
  const ends = { rows, frequency: say("frequency " + frequency), first: series.map((one) => one.first).sort()[0], last: series.map((one) => one.last).sort().at(-1) };
  return series.length === 1 ? say("previewOne", ends) : say("previewMany", { ...ends, count: series.length, names: series.slice(0, 4).map((one) => one.name).join(", ") });
}
