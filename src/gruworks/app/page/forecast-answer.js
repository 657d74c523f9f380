// A response of /v1/forecast as sentences, lines and tables.
import { make } from "/page/parts.js";
import { colour, escaped, faded } from "/page/charts.js";
import { named, say } from "/page/words.js";

// The forecasting method and its skill on the past of the series, where that was measured.
export function skilled({ weight, naive, ratio, weighed }, { answered_by, model }, ofTable) {
  const values = { model, naive: named(naive), weight: Math.round(100 * weight), gain: ratio === null ? "" : (100 * (1 - ratio)).toFixed(1) };
  if (answered_by === "autoregression") return say("answerAutoregression");
  if (answered_by === "baselines") return say("answerBaselines");
  if (answered_by === "naive") return say(model ? "skillNone" : "answerNaive", values);
  if (!weighed || ratio === null) return say("skillUnknown", values);
  return say((answered_by === "blend" ? "skillSome" : "skillAll") + (ofTable ? "Table" : ""), values);
}

export function notes({ notes }) {
  return notes.map(({ code, values }) => {
    const frequency = (kind) => say("frequency " + kind);
    const said = say("note " + code, { ...values, own: frequency(values.own), table: frequency(values.table) });
    return make("p", { className: "note", textContent: said });
  });
}

const ours = (answer, naive) => (answer.answered_by === "naive" ? say("naiveLine", { naive: named(naive) }) : say("forecastLine"));

export function fan({ history, forecast, naive, skill }, answer) {
  const last = history.y.length - 1;
  const count = Math.max(40, 6 * forecast.ds.length);
  const past = { x: history.ds.slice(-count), y: history.y.slice(-count) };
  const from = (line) => ({ x: [history.ds[last], ...forecast.ds], y: [history.y[last], ...line] });
  const bands = Object.keys(forecast.lo).sort((a, b) => b - a).flatMap((level, at) => [
    { ...from(forecast.lo[level]), mode: "lines", line: { width: 0 }, hoverinfo: "skip", showlegend: false },
    { ...from(forecast.hi[level]), mode: "lines", line: { width: 0 }, fill: "tonexty", fillcolor: faded("accent", at ? 0.22 : 0.12), name: say("band", { level }), hoverinfo: "skip" },
  ]);
  const narrow = matchMedia("(max-width: 760px)").matches;
  const main = (name) => name === "last value" || name === skill.naive;
  const others = Object.entries(naive).filter(([name]) => (main(name) || !narrow) && !(answer.answered_by === "naive" && name === skill.naive));
  const lines = others.map(([name, line], at) => ({
    ...from(line), mode: "lines", name: escaped(named(name)), visible: main(name) ? true : "legendonly", line: { color: colour("soft"), width: 1.2, dash: ["dot", "dash", "dashdot", "longdash"][at % 4] },
  }));
  return [[...bands,
    { ...past, mode: "lines", name: say("history"), line: { color: colour("ink"), width: 1.6 } }, ...lines,
    { ...from(forecast.y_hat), mode: "lines", name: escaped(ours(answer, skill.naive)), line: { color: colour("accent"), width: 2.4 } },
  ], { hovermode: "x unified", xaxis: { showgrid: false, tickangle: 0, nticks: narrow ? 4 : 10 }, ...(narrow ? { legend: { orientation: "h", x: 0, y: -0.3, font: { size: 12 } } } : {}) }];
}

export function numbers({ forecast }) {
  const levels = Object.keys(forecast.lo).sort((a, b) => a - b);
  const titles = ["", say("forecastLine"), ...levels.map((level) => say("band", { level }))];
  const body = forecast.ds.map((ds, at) => [ds, short(forecast.y_hat[at]), ...levels.map((level) => short(forecast.lo[level][at]) + " – " + short(forecast.hi[level][at]))]);
  return grid(titles, body);
}

export function tested(answer) {
  const found = answer.backtest;
  if (!found) return make("div", { className: "card" }, make("p", { className: "note", say: "noTest" }));
  const covered = found.scores.some((row) => row.coverage !== null);
  const own = (row) => row.model === found.answer;
  const body = found.scores.map((row) => [
    own(row) ? say("thisAnswer", { name: answer.model ? model(answer) : named(row.model) }) : named(row.model),
    short(row.mae), ...(covered ? [row.coverage === null ? "" : Math.round(100 * row.coverage) + " %"] : []),
  ]);
  const title = found.rows === "held out" ? "heldTitle" : answer.model ? "testTitle" : "pastTitle";
  const rows = grid([say("method"), say("mae"), ...(covered ? [say("coverage")] : [])], body);
  found.scores.forEach((row, at) => own(row) && rows.tBodies[0].rows[at].classList.add("best"));
  return make("div", { className: "card result" }, make("h2", { say: title }), make("div", { className: "wide" }, rows));
}

const model = ({ answered_by, model: name }) => (["autoregression", "baselines"].includes(answered_by) ? say(answered_by) : name);

function grid(titles, body) {
  const cell = (tag) => (text, at) => make(tag, { className: at ? "n" : "", textContent: text ?? "", scope: tag === "th" ? "col" : undefined });
  return make("table", {}, make("thead", {}, make("tr", {}, ...titles.map(cell("th")))),
    make("tbody", {}, ...body.map((row) => make("tr", {}, ...row.map(cell("td"))))));
}

const short = (value) => (value === null || value === undefined ? "" : Math.abs(value) >= 1000 ? value.toFixed(0) : Number(value).toPrecision(4));
