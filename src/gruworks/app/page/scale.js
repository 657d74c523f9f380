// Scales and round ticks of numbers and dates.
const DAY = 86400e3;
const STEPS = [ // of a time axis: width in milliseconds, unit, number of units
  [60e3, "minute", 1], [300e3, "minute", 5], [900e3, "minute", 15], [1800e3, "minute", 30],
  [3600e3, "hour", 1], [3 * 3600e3, "hour", 3], [6 * 3600e3, "hour", 6], [12 * 3600e3, "hour", 12],
  [DAY, "day", 1], [2 * DAY, "day", 2], [7 * DAY, "day", 7], [14 * DAY, "day", 14],
  [30 * DAY, "month", 1], [91 * DAY, "month", 3], [182 * DAY, "month", 6],
  [365 * DAY, "year", 1], [730 * DAY, "year", 2], [1826 * DAY, "year", 5], [3652 * DAY, "year", 10],
  [9131 * DAY, "year", 25], [18262 * DAY, "year", 50], [36525 * DAY, "year", 100],
];

export function scale(low, high, from, to) {
  const span = high - low || 1;
  return (value) => from + ((value - low) / span) * (to - from);
}

// Round numbers from `low` to `high`, about `count` of them.
export function ticks(low, high, count = 5) {
  const span = high - low || Math.abs(high) || 1;
  const power = 10 ** Math.floor(Math.log10(span / count));
  const step = [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => span / one <= count) ?? 10 * power;
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  return Array.from({ length: last - first + 1 }, (_, at) => Number(((first + at) * step).toPrecision(12)));
}

export function short(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "";
  if (value !== 0 && (Math.abs(value) >= 1e7 || Math.abs(value) < 1e-4)) return value.toExponential(2);
  return Math.abs(value) >= 1000 ? value.toFixed(0) : String(Number(Number(value).toPrecision(4)));
}

// Positions on the axis: milliseconds of dates, numbers as they are.
export function positions(labels) {
  const dated = labels.every((one) => typeof one === "string" && /^\d{4,}-\d\d-\d\d/.test(one));
  return { dated, at: labels.map((one, i) => (dated ? Date.parse(one.length > 10 ? one + "Z" : one) : Number.isFinite(Number(one)) ? Number(one) : i)) };
}

export function dateTicks(low, high, count) {
  const [, unit, every] = STEPS.find(([wide]) => (high - low) / wide <= count) ?? STEPS.at(-1);
  const at = new Date(low);
  const set = {
    year: () => at.setUTCFullYear(Math.floor(at.getUTCFullYear() / every) * every, 0, 1),
    month: () => at.setUTCMonth(Math.floor(at.getUTCMonth() / every) * every, 1),
  };
  if (unit in set) { set[unit](); at.setUTCHours(0, 0, 0, 0); } else at.setTime(Math.floor(low / STEPS.find((one) => one[1] === unit && one[2] === every)[0]) * STEPS.find((one) => one[1] === unit && one[2] === every)[0]);
  const found = [];
  while (at.getTime() <= high && found.length < 100) {
    if (at.getTime() >= low) found.push(at.getTime());
    if (unit === "year") at.setUTCFullYear(at.getUTCFullYear() + every);
    else if (unit === "month") at.setUTCMonth(at.getUTCMonth() + every);
    else at.setTime(at.getTime() + every * { minute: 60e3, hour: 3600e3, day: DAY }[unit]);
  }
  const text = (time) => {
    const iso = new Date(time).toISOString();
    return { year: iso.slice(0, 4), month: iso.slice(0, 7), day: iso.slice(0, 10), hour: iso.slice(5, 16).replace("T", " "), minute: iso.slice(11, 16) }[unit];
  };
  return found.map((time) => [time, text(time)]);
}
