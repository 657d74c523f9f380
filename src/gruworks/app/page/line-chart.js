// Lines and bands over dates, numbers or rows, with values at the pointer and by the arrow keys.
import { make } from "/page/parts.js";
import { dateTicks, positions, scale, short, ticks } from "/page/scale.js";
import { draw, ink, renew, shape, tip } from "/page/svg.js";

const RIGHT = 8, TOP = 10, BOTTOM = 26;

// `what` gives {labels, bands: [{name, low, high, colour, opacity}], lines: [{name, y, colour, width, dash, extra}], height};
// each array is as long as `labels`, null where there is nothing. An `extra` line is hidden until its box is ticked.
export function lineChart(what, name) {
  const place = make("div", { className: "plot" });
  const legend = make("div", { className: "legend" });
  const node = make("div", { className: "chart" }, place, legend);
  const on = new Set();
  draw(place, (width) => {
    const given = what();
    const lines = given.lines.filter((one) => !one.extra || on.has(one.name));
    paint(place, width, { ...given, lines }, name);
    keys(legend, given, on, () => paint(place, width, { ...given, lines: given.lines.filter((one) => !one.extra || on.has(one.name)) }, name));
  });
  return Object.assign(node, { again: () => renew(place) });
}

function paint(place, width, { labels, bands = [], lines, height = 320 }, name) {
  const { dated, at } = positions(labels);
  const all = [...lines.flatMap((one) => one.y), ...bands.flatMap((one) => [...one.low, ...one.high])].filter((one) => one !== null && Number.isFinite(one));
  const marks = ticks(Math.min(...all), Math.max(...all), 5);
  const left = 12 + 7.2 * Math.max(...marks.map((one) => short(one).length));
  const x = scale(at[0], at.at(-1), left, width - RIGHT);
  const y = scale(marks[0], marks.at(-1), height - BOTTOM, TOP);
  const bottom = dated ? dateTicks(at[0], at.at(-1), Math.max(2, Math.floor(width / 110))) : ticks(at[0], at.at(-1), Math.max(2, Math.floor(width / 90))).filter((one) => one >= at[0] && one <= at.at(-1)).map((one) => [one, short(one)]);
  const guide = shape("line", { y1: TOP, y2: height - BOTTOM, style: `stroke:${ink("soft")};stroke-dasharray:2 3`, visibility: "hidden" });
  const svg = shape("svg", { class: "drawing", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", tabindex: 0, "aria-label": name },
    ...marks.flatMap((one) => [
      shape("line", { x1: left, x2: width - RIGHT, y1: y(one), y2: y(one), style: `stroke:${ink("line")}` }),
      text(left - 6, y(one) + 4, "end", short(one))]),
    ...bottom.map(([place, label]) => text(Math.max(left, Math.min(x(place), width - RIGHT)), height - 6, x(place) < left + 30 ? "start" : x(place) > width - 40 ? "end" : "middle", label)),
    ...bands.map((one) => shape("path", { d: area(one, at, x, y), style: `fill:${ink(one.colour)};opacity:${one.opacity}` })),
    ...lines.map((one) => shape("path", { d: path(one.y, at, x, y), fill: "none", style: `stroke:${ink(one.colour)};stroke-width:${one.width ?? 1.6};stroke-dasharray:${one.dash ?? "none"};stroke-linejoin:round` })),
    guide);
  place.replaceChildren(svg);
  point(place, svg, guide, { labels, at, x, y, bands, lines });
}

const text = (x, y, anchor, label) => Object.assign(shape("text", { x, y, "text-anchor": anchor, style: `fill:${ink("soft")};font-size:12px;font-family:${ink("sans")}` }), { textContent: label });

function path(values, at, x, y) {
  let open = false;
  return values.map((value, i) => {
    if (value === null || !Number.isFinite(value)) { open = false; return ""; }
    const step = `${open ? "L" : "M"}${x(at[i]).toFixed(1)} ${y(value).toFixed(1)}`;
    open = true;
    return step;
  }).join("");
}

function area({ low, high }, at, x, y) {
  const there = at.map((_, i) => i).filter((i) => low[i] !== null && high[i] !== null);
  const points = [...there.map((i) => [i, high[i]]), ...there.reverse().map((i) => [i, low[i]])];
  return points.length ? "M" + points.map(([i, value]) => `${x(at[i]).toFixed(1)} ${y(value).toFixed(1)}`).join("L") + "Z" : "";
}

function point(place, svg, guide, { labels, at, x, lines, bands }) {
  const label = tip(place);
  let chosen = null;
  const show = (i) => {
    chosen = i;
    const rows = lines.filter((one) => one.y[i] !== null && one.y[i] !== undefined).map((one) => `${one.name}: ${short(one.y[i])}`);
    const ranges = bands.filter((one) => one.low[i] !== null && one.band !== false && one.low[i] !== one.high[i]).map((one) => `${one.name}: ${short(one.low[i])} – ${short(one.high[i])}`);
    guide.setAttribute("x1", x(at[i]));
    guide.setAttribute("x2", x(at[i]));
    guide.setAttribute("visibility", "visible");
    label.show(x(at[i]), 60, [String(labels[i]).replace("T", " "), ...rows, ...ranges]);
  };
  const hide = () => { guide.setAttribute("visibility", "hidden"); label.hide(); };
  svg.addEventListener("pointermove", (event) => {
    const here = event.clientX - svg.getBoundingClientRect().left;
    show(at.reduce((best, one, i) => (Math.abs(x(one) - here) < Math.abs(x(at[best]) - here) ? i : best), 0));
  });
  svg.addEventListener("pointerleave", hide);
  svg.addEventListener("blur", hide);
  svg.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    show(Math.max(0, Math.min(at.length - 1, (chosen ?? (step > 0 ? -1 : at.length)) + step)));
  });
}

function keys(legend, { lines, bands = [] }, on, repaint) {
  const sample = (one) => make("i", { className: "sample", style: `background:${ink(one.colour)};opacity:${one.opacity ? Math.min(1, 2 * one.opacity) : 1}` });
  const main = [...lines.filter((one) => !one.extra), ...bands].map((one) => make("span", {}, sample(one), one.name));
  const extra = lines.filter((one) => one.extra).map((one) => {
    const box = make("input", { type: "checkbox", checked: on.has(one.name), onchange: () => { box.checked ? on.add(one.name) : on.delete(one.name); repaint(); } });
    return make("label", { className: "check" }, box, one.name);
  });
  legend.replaceChildren(...main);
  if (extra.length) legend.append(make("details", {}, make("summary", { say: "moreLines" }), make("div", { className: "row" }, ...extra)));
}
