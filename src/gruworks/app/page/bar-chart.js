// Bars, one for each number.
import { make } from "/page/parts.js";
import { scale, short, ticks } from "/page/scale.js";
import { draw, ink, shape } from "/page/svg.js";

const HEIGHT = 200, BOTTOM = 22, TOP = 8;

export function barChart(values, name) {
  const place = make("div", { className: "plot" });
  draw(place, (width) => {
    const marks = ticks(0, Math.max(...values.filter(Number.isFinite), 1e-9), 4);
    const left = 12 + 7.2 * Math.max(...marks.map((one) => short(one).length));
    const y = scale(0, marks.at(-1), HEIGHT - BOTTOM, TOP);
    const step = (width - left - 8) / values.length;
    const every = Math.ceil(28 / step);
    const text = (x, at, anchor, label) => Object.assign(shape("text", { x, y: at, "text-anchor": anchor, style: `fill:${ink("soft")};font-size:12px;font-family:${ink("sans")}` }), { textContent: label });
    const bar = (value, i) => shape("rect", { x: left + (i + 0.15) * step, y: y(value), width: Math.max(0.5, 0.7 * step), height: HEIGHT - BOTTOM - y(value), style: `fill:${ink("second")}` }, Object.assign(shape("title"), { textContent: `${i + 1}: ${short(value)}` }));
    place.replaceChildren(shape("svg", { class: "drawing", viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: "img", "aria-label": name },
      ...marks.flatMap((one) => [shape("line", { x1: left, x2: width - 8, y1: y(one), y2: y(one), style: `stroke:${ink("line")}` }), text(left - 6, y(one) + 4, "end", short(one))]),
      ...values.map((value, i) => (Number.isFinite(value) ? bar(value, i) : null)),
      ...values.map((_, i) => (i % every ? null : text(left + (i + 0.5) * step, HEIGHT - 6, "middle", i + 1)))));
  });
  return place;
}
