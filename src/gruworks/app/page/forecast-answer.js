// A response of /v1/forecast as sentences and tables.
import { make } from "/page/parts.js";
import { rule, span } from "/page/rules.js";
import { short } from "/page/scale.js";
import { say } from "/page/words.js";

// One sentence about this table: how far off this forecast was, and how far the best simple rule.
export function plainly({ plain, answered_by, model, series, frequency }) {
  if (!plain && answered_by === "naive") return say("plainRuleUnknown", { rule: rule(series[0].skill.naive, frequency) });
  if (!plain) return say("plainUnknown");
  const values = { span: span(plain.count, plain.unit), ours: short(plain.ours), best: short(plain.best), rule: rule(plain.rule, plain.kind) };
  if (answered_by === "naive") return (model ? say("plainNone", { model }) + " " : "") + say("plainRule", values);
  const key = plain.tested === "held out" ? "plainHeld" : "plainPast";
  return say(key, values) + " " + say(plain.ours < plain.best ? "plainBetter" : "plainWorse", values);
}

// The forecasting method and its weights, for those who want to know.
export function skilled({ weight, naive, ratio, weighed }, { answered_by, model, frequency }, ofTable) {
  const values = { model, naive: rule(naive, frequency), weight: Math.round(100 * weight), gain: ratio === null ? "" : (100 * (1 - ratio)).toFixed(1) };
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

export const rowsOf = ({ forecast }) => {
  const levels = Object.keys(forecast.lo).sort((a, b) => a - b);
  return { levels, rows: forecast.ds.map((ds, at) => [ds, forecast.y_hat[at], ...levels.flatMap((level) => [forecast.lo[level][at], forecast.hi[level][at]])]) };
};

export function numbers(one) {
  const { levels, rows } = rowsOf(one);
  const titles = ["", say("forecastLine"), ...levels.map((level) => say("band", { level }))];
  const body = rows.map(([ds, middle, ...ends]) => [ds, short(middle), ...levels.map((_, at) => short(ends[2 * at]) + " – " + short(ends[2 * at + 1]))]);
  return grid(titles, body);
}

export function tested(answer) {
  const found = answer.backtest;
  if (!found) return make("p", { className: "note", say: "noTest" });
  const covered = found.scores.some((row) => row.coverage !== null);
  const own = (row) => row.model === found.answer;
  const body = found.scores.map((row) => [
    own(row) ? say("thisAnswer", { name: answer.model ? model(answer) : rule(row.model, answer.frequency) }) : rule(row.model, answer.frequency),
    short(row.mae), ...(covered ? [row.coverage === null ? "" : Math.round(100 * row.coverage) + " %"] : []),
  ]);
  const title = found.rows === "held out" ? "heldTitle" : answer.model ? "testTitle" : "pastTitle";
  const rows = grid([say("method"), say("mae"), ...(covered ? [say("coverage")] : [])], body);
  found.scores.forEach((row, at) => own(row) && rows.tBodies[0].rows[at].classList.add("best"));
  return make("div", { className: "result" }, make("h3", { say: title }), make("div", { className: "wide" }, rows));
}

const model = ({ answered_by, model: name }) => (["autoregression", "baselines"].includes(answered_by) ? say(answered_by) : name);

function grid(titles, body) {
  const cell = (tag) => (text, at) => make(tag, { className: at ? "n" : "", textContent: text ?? "", scope: tag === "th" ? "col" : undefined });
  return make("table", {}, make("thead", {}, make("tr", {}, ...titles.map(cell("th")))),
    make("tbody", {}, ...body.map((row) => make("tr", {}, ...row.map(cell("td"))))));
}
