// History, forecast, prediction intervals and simple rules as lines and bands.
import { rule } from "/page/rules.js";
import { say } from "/page/words.js";

export function fan({ history, forecast, naive, skill }, answer) {
  const count = Math.max(40, 6 * forecast.ds.length);
  const past = history.y.slice(-count);
  const before = past.length - 1;
  const gap = Array(before).fill(null);
  const last = past.findLast((one) => one !== null) ?? null;
  const ahead = (line) => [...gap, last, ...line];
  const main = (name) => name === skill.naive;
  const byRule = answer.answered_by === "naive";
  const others = Object.entries(naive).filter(([name]) => !(byRule && main(name)));
  return {
    labels: [...history.ds.slice(-count), ...forecast.ds],
    bands: Object.keys(forecast.lo).sort((a, b) => b - a).map((level, at) => ({ name: say("band", { level }), low: ahead(forecast.lo[level]), high: ahead(forecast.hi[level]), colour: "accent", opacity: at ? 0.24 : 0.13 })),
    lines: [
      { name: say("history"), y: [...past, ...forecast.ds.map(() => null)], colour: "ink" },
      ...others.map(([name, line]) => ({ name: rule(name, answer.frequency), y: ahead(line), colour: "second", width: 1.4, dash: "5 4", extra: !main(name) })),
      { name: byRule ? rule(skill.naive, answer.frequency) : say("forecastLine"), y: ahead(forecast.y_hat), colour: "accent", width: 2.6 },
    ],
    height: matchMedia("(max-width: 760px)").matches ? 260 : 340,
  };
}
