// Simple rules (naive forecasts) and spans of time in everyday words.
import { say } from "/page/words.js";

const SEASONS = { "D 7": "week", "B 5": "week", "open 5": "week", "open 6": "week", "h 168": "week", "h 24": "day", "min 1440": "day", "W 52": "year", "M 12": "year", "Q 4": "year", "D 365": "year", "D 366": "year" };

// "seasonal naive (7)" of daily values: last week's value.
export function rule(name, kind) {
  const [, plain, number] = /^(.*?)(?: \(?(\d+)\)?)?$/.exec(name);
  const season = plain === "seasonal naive" ? SEASONS[`${kind} ${number}`] : undefined;
  const key = "rule " + (season ?? (name === "climatology + AR(1)" ? name : plain));
  const said = say(key, { number });
  return said === key ? name : said;
}

export const span = (count, unit) => say("span " + unit + (count === 1 ? " one" : ""), { count });
