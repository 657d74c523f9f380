// The answer to a table: the plain sentence, the chart, what can be done with it, and the details.
import { choice, field, make } from "/page/parts.js";
import { csv, png, save } from "/page/download.js";
import { fan } from "/page/forecast-chart.js";
import { notes, numbers, plainly, rowsOf, skilled, tested } from "/page/forecast-answer.js";
import { lineChart } from "/page/line-chart.js";
import { copy, saves, share } from "/page/share.js";
import { say } from "/page/words.js";

export function answered(shown) {
  const { answer, asked, name } = shown;
  const which = choice(answer.series.map((one, at) => [String(at), one.id]), shown.at);
  const chart = make("div"), rows = make("div", { className: "wide" }), skill = make("p", { className: "note" });
  const one = () => answer.series[Number(which.value)];
  const picked = () => {
    shown.at = which.value;
    skill.textContent = skilled(one().skill, answer, Boolean(asked.csv));
    rows.replaceChildren(numbers(one()));
    chart.replaceChildren(lineChart(() => fan(one(), answer), say("chartOf", { name: one().id })));
  };
  which.addEventListener("change", picked);
  const sentence = plainly(answer);
  const box = make("div", { className: "card result" }, make("p", { className: "said plain", textContent: sentence }), ...notes(answer),
    answer.series.length > 1 ? field("shownSeries", which) : null, chart, tools(answer, asked, name, sentence, chart),
    make("details", {}, make("summary", { say: "details" }), make("div", {}, skill, tested(answer))),
    make("details", {}, make("summary", { say: "inNumbers" }), make("div", {}, rows)));
  picked();
  return box;
}

function tools(answer, asked, name, sentence, chart) {
  const file = (name ?? "forecast").replace(/\.\w+$/, "");
  const { csv: _, ...rest } = asked;
  const model = answer.model && !answer.model.startsWith("ready/");
  return share([
    copy(() => sentence), saves("saveCsv", () => save(file + "-forecast.csv", table(answer), "text/csv")), saves("savePng", () => png(chart, file + "-forecast.png")),
    model ? saves("saveModel", () => { location.href = "/v1/models/" + encodeURIComponent(answer.model) + "/archive"; }) : null,
  ].filter(Boolean), () => ({ path: "/v1/forecast", body: rest, file: asked.csv && { field: "csv", name } }));
}

function table(answer) {
  const { levels } = rowsOf(answer.series[0]);
  const titles = ["series", "time", "forecast", ...levels.flatMap((level) => [`low ${level} %`, `high ${level} %`])];
  return csv([titles, ...answer.series.flatMap((one) => rowsOf(one).rows.map((row) => [one.id, ...row]))]);
}
