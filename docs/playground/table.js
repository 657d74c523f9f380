// A CSV file as daily series: columns of dates and of numbers, a value for each day, NaN where one is missing.
const DAY = 86400000;
const LARGEST = 20000; // rows

export class TableError extends Error {
  constructor(key, values = {}) {
    super(key);
    this.key = key;
    this.values = values;
  }
}

export const dayOf = (text) => {
  const found = /^\s*(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[ T].*)?$/.exec(text);
  if (!found) return NaN;
  const [year, month, day] = found.slice(1).map(Number), date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? date.getTime() / DAY : NaN;
};

export const dateOf = (day) => new Date(day * DAY).toISOString().slice(0, 10);

export function rowsOf(text) {
  const first = text.slice(0, (text + "\n").indexOf("\n"));
  const comma = [",", ";", "\t"].reduce((best, one) => (first.split(one).length > first.split(best).length ? one : best));
  const rows = [];
  let row = [""], quoted = false;
  for (let i = 0; i < text.length; i++) {
    const sign = text[i], last = row.length - 1;
    if (sign === '"' && quoted && text[i + 1] === '"') { row[last] += '"'; i++; }
    else if (sign === '"' && (quoted || row[last] === "")) quoted = !quoted;
    else if (sign === comma && !quoted) row.push("");
    else if (sign === "\n" && !quoted) { rows.push(row); row = [""]; }
    else if (sign !== "\r" || quoted) row[last] += sign;
  }
  if (row.length > 1 || row[0]) rows.push(row);
  return rows.filter((one) => one.some((cell) => cell.trim()));
}

const missing = (cell) => /^(|na|nan|null|none|-)$/i.test((cell ?? "").trim());
const numberOf = (cell) => (missing(cell) ? NaN : Number(cell));

// {days, columns: {name: values}}
export function readTable(text) {
  const [names, ...rows] = rowsOf(text.replace(/^\ufeff/, ""));
  if (!names || rows.length < 3) throw new TableError("fewRows");
  if (rows.length > LARGEST) throw new TableError("manyRows", { most: LARGEST });
  const column = (at) => rows.map((row) => row[at] ?? "");
  const dates = names.findIndex((_, at) => column(at).every((cell) => Number.isFinite(dayOf(cell))));
  if (dates < 0) throw new TableError("noDates");
  const numeric = names.map((_, at) => at).filter((at) => at !== dates && column(at).some((cell) => !missing(cell)) && column(at).every((cell) => missing(cell) || Number.isFinite(Number(cell))));
  if (!numeric.length) throw new TableError("noNumbers");
  const days = column(dates).map(dayOf);
  const order = days.map((_, i) => i).sort((a, b) => days[a] - days[b]);
  for (let i = 1; i < order.length; i++) if (days[order[i]] === days[order[i - 1]]) throw new TableError("twice", { date: dateOf(days[order[i]]) });
  const gaps = order.slice(1).map((one, i) => days[one] - days[order[i]]).sort((a, b) => a - b);
  if (gaps[gaps.length >> 1] !== 1) throw new TableError("notDaily");
  return { days: order.map((i) => days[i]), columns: Object.fromEntries(numeric.map((at) => [names[at].trim(), order.map((i) => numberOf(rows[i][at]))])) };
}

// One value for each day from the first known one to the last day.
export function dailyOf(days, values) {
  const begin = values.findIndex(Number.isFinite);
  const found = Array(days.at(-1) - days[begin] + 1).fill(NaN);
  values.forEach((value, i) => { if (i >= begin) found[days[i] - days[begin]] = value; });
  return { first: days[begin], values: found };
}
