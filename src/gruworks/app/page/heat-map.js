// A heat map on a canvas: values at the pointer, a chosen cell, zoom for many rows.
import { make } from "/page/parts.js";
import { say } from "/page/words.js";
import { colour, draw, renew, rgb, tip } from "/page/svg.js";

const TOP = 4, BOTTOM = 22, RIGHT = 4;
const wide = (label) => [...String(label)].reduce((sum, sign) => sum + (sign > "\u2e7f" ? 14 : 7.5), 0);

// `what` gives {values: [rows][columns], rows, columns: labels, low, cell: least height of a row in pixels, at: {row, column}};
// `onpick(row, column)` is called for a cell that is clicked. The card's colour stands for 0.
export function heatMap(what, name, onpick) {
  const canvas = make("canvas", { role: "img", tabIndex: 0, "aria-label": name });
  const place = make("div", { className: "plot heat" }, canvas);
  const label = tip(place);
  let frame = null;
  draw(place, (width) => { frame = paint(canvas, width, what()); });
  const found = (event) => {
    const box = canvas.getBoundingClientRect();
    const { left, cell, rows, columns } = frame;
    const column = Math.floor((event.clientX - box.left - left) / cell[0]);
    const row = Math.floor((event.clientY - box.top - TOP) / cell[1]);
    return column >= 0 && row >= 0 && column < columns.length && row < rows.length ? [row, column] : null;
  };
  const show = ([row, column], x, y) => label.show(x, y, [`${say("stepOf", { step: column + 1 })}: ${frame.columns[column]}`, `${frame.rowName ?? say("unit")} ${frame.rows[row]}`, frame.values[row][column].toFixed(4)]);
  canvas.addEventListener("pointermove", (event) => {
    const at = found(event);
    const box = canvas.getBoundingClientRect();
    if (at) show(at, event.clientX - box.left, event.clientY - box.top);
    else label.hide();
  });
  canvas.addEventListener("pointerleave", label.hide);
  canvas.addEventListener("blur", label.hide);
  canvas.addEventListener("click", (event) => { const at = found(event); if (at && onpick) onpick(...at); });
  let key = null;
  canvas.addEventListener("keydown", (event) => {
    const move = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    if (event.key === "Enter" && key && onpick) onpick(...key);
    if (!move) return;
    event.preventDefault();
    const [row, column] = key ?? [0, 0];
    key = [Math.max(0, Math.min(frame.rows.length - 1, row + (key ? move[0] : 0))), Math.max(0, Math.min(frame.columns.length - 1, column + (key ? move[1] : 0)))];
    show(key, frame.left + (key[1] + 0.5) * frame.cell[0], TOP + (key[0] + 0.5) * frame.cell[1]);
  });
  return Object.assign(place, { again: () => renew(place) });
}

function paint(canvas, width, given) {
  const { values, rows, columns, low, cell: least = 2, at, rowName, square = false } = given;
  const left = 8 + Math.max(...rows.map(wide));
  const cell = [(width - left - RIGHT) / columns.length, Math.max(least, square ? 28 : Math.min(22, 176 / rows.length))];
  if (square) cell[0] = Math.min(cell[0], 64);
  const height = TOP + BOTTOM + cell[1] * rows.length;
  const dense = devicePixelRatio || 1;
  Object.assign(canvas, { width: Math.round(width * dense), height: Math.round(height * dense) });
  Object.assign(canvas.style, { width: width + "px", height: height + "px" });
  const paper = canvas.getContext("2d");
  paper.scale(dense, dense);
  cells(paper, values, low, left, cell);
  labels(paper, rows, columns, left, cell, height);
  if (at) outline(paper, at, rows, left, cell, columns);
  return { left, cell, rows, columns, values, rowName };
}

function cells(paper, values, low, left, cell) {
  const zero = rgb("card"), one = rgb("accent"), minus = rgb("second");
  const gap = cell[0] > 8 && cell[1] > 8 ? 1 : 0;
  values.forEach((row, i) => row.forEach((value, j) => {
    const share = Math.min(1, Math.abs(value));
    const to = value < 0 && low < 0 ? minus : one;
    paper.fillStyle = `rgb(${zero.map((part, at) => Math.round(part + share * (to[at] - part)))})`;
    paper.fillRect(left + j * cell[0], TOP + i * cell[1], Math.ceil(cell[0]) - gap, Math.ceil(cell[1]) - gap);
  }));
}

function labels(paper, rows, columns, left, cell, height) {
  Object.assign(paper, { fillStyle: colour("soft"), font: "12px " + colour("sans"), textBaseline: "middle", textAlign: "right" });
  const every = Math.ceil(16 / cell[1]);
  rows.forEach((text, i) => i % every === 0 && paper.fillText(text, left - 5, TOP + (i + 0.5) * cell[1]));
  paper.textAlign = "center";
  const step = Math.ceil((Math.max(...columns.map(wide)) + 6) / cell[0]);
  columns.forEach((text, j) => j % step === 0 && paper.fillText(text, left + (j + 0.5) * cell[0], height - BOTTOM / 2));
}

function outline(paper, { row, column }, rows, left, cell, columns) {
  Object.assign(paper, { strokeStyle: colour("ink"), lineWidth: 1.5 });
  if (column !== undefined && column < columns.length) paper.strokeRect(left + column * cell[0], TOP - 1, cell[0] - 1, rows.length * cell[1] + 1);
  if (row !== undefined && row >= 0) paper.strokeRect(left + (column ?? 0) * cell[0], TOP + row * cell[1], column === undefined ? columns.length * cell[0] : cell[0] - 1, cell[1]);
}
