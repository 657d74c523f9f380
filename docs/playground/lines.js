// A chart as SVG: the last values of a series, and median and interval of a forecast.
import { dateOf } from "./table.js";

const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP] = [760, 340, 48, 28, 10];

function ticks(low, high) {
  const rough = (high - low) / 5, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((one) => one * power >= rough) * power;
  const found = [];
  for (let k = Math.ceil(low / step); k * step <= high; k++) found.push(Number((k * step).toPrecision(12)));
  return found;
}

// days and values of the history; median, low and high of the days after it
export function chart(first, values, { median, low, high }, label) {
  const count = values.length + median.length, known = [...values, ...low, ...high].filter(Number.isFinite);
  let [least, most] = [Math.min(...known), Math.max(...known)];
  if (least === most) [least, most] = [least - 1, most + 1];
  const width = Math.max(320, Math.min(WIDTH, innerWidth - 80)); // so that text keeps its size on a phone
  const x = (i) => LEFT + (i / (count - 1)) * (width - LEFT - 8), y = (v) => TOP + ((most - v) / (most - least)) * (HEIGHT - TOP - BOTTOM);
  const points = (list, from) => list.map((v, i) => [v, i + from]).filter(([v]) => Number.isFinite(v)).map(([v, i]) => `${x(i).toFixed(1)},${y(v).toFixed(1)}`);
  const end = values.length, last = values.findLastIndex(Number.isFinite);
  const parts = ticks(least, most).map((v) => `<line class="grid" x1="${LEFT}" x2="${width - 8}" y1="${y(v)}" y2="${y(v)}"/><text x="${LEFT - 8}" y="${y(v) + 4}" text-anchor="end">${v}</text>`);
  for (const [share, anchor] of [[0, "start"], [0.5, "middle"], [1, "end"]]) {
    const at = Math.round(share * (count - 1));
    parts.push(`<text x="${x(at)}" y="${HEIGHT - 6}" text-anchor="${anchor}">${dateOf(first + at)}</text>`);
  }
  parts.push(`<polygon class="interval" points="${[...points([...high], end), ...points([...low], end).reverse()].join(" ")}"/>`);
  parts.push(`<polyline class="history" points="${points(values, 0).join(" ")}"/>`);
  parts.push(`<polyline class="median" points="${[...points([values[last]], last), ...points([...median], end)].join(" ")}"/>`);
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
  svg.setAttribute("class", "lines");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", label);
  svg.innerHTML = parts.join("");
  return svg;
}
