// The gates of a GRU of hidden size 8 that was trained on other number lines, step by step, in double precision.
import { facts } from "./models.js";
import { board, field, head, make } from "./parts.js";
import { hush, say, tell } from "./words.js";

const SHOWN = [["z", "update", 0], ["r", "reset", 0], ["n", "candidate", -1], ["h", "state", -1]];
const PACE = 1100; // milliseconds a step
let ui = {};
let unit = null;
let steps = [];
let at = 0;
let chosen = 0;
let playing = 0;

const sigmoid = (x) => 1 / (1 + Math.exp(-x));

// Gates, candidate and state after each input; rows of the weights are r, z, n, and their z keeps the state.
export function trace(weights, inputs) {
  const H = weights.recurrent[0].length, units = [...Array(H).keys()], found = [];
  let h = Array(H).fill(0);
  const sum = (row, x, state) => weights.bias[row] + weights.input[row] * x + weights.recurrent[row].reduce((total, w, i) => total + w * state[i], 0);
  for (const x of inputs) {
    const before = h;
    const r = units.map((i) => sigmoid(sum(i, x, before)));
    const z = units.map((i) => 1 - sigmoid(sum(H + i, x, before)));
    const reset = before.map((value, i) => r[i] * value);
    const n = units.map((i) => Math.tanh(sum(2 * H + i, x, reset)));
    h = units.map((i) => (1 - z[i]) * before[i] + z[i] * n[i]);
    found.push({ x, before, r, z, n, h });
  }
  return found;
}

export function answer(weights, h) {
  return (weights.readoutBias + weights.readout.reduce((total, w, i) => total + w * h[i], 0)) * weights.scale + weights.shift;
}

export async function build(panel) {
  ui = {
    numbers: make("input", { value: "1, 2, 3, 4, 5", inputMode: "decimal", onchange: read }), error: make("p", { className: "wrong", role: "alert" }),
    play: make("button", { type: "button", className: "main", say: "play", onclick: () => (playing ? pause() : play()) }),
    step: make("button", { type: "button", className: "plain", say: "step", onclick: () => { pause(); go(at + 1); } }),
    back: make("button", { type: "button", className: "plain", say: "back", onclick: () => { pause(); go(0); } }),
    said: make("p", { className: "said", "aria-live": "polite" }), grids: make("div", { className: "grids" }), formula: make("pre", { className: "formula" }), of: make("h2"),
  };
  const form = make("form", { className: "card", onsubmit: (event) => { event.preventDefault(); read(); } },
    field("numbers", ui.numbers), make("div", { className: "row" }, ui.play, ui.step, ui.back), ui.error, make("p", { className: "note", say: "gatesNote" }));
  panel.append(head("gatesTitle", "gatesAbout"), board(form, make("div", { className: "card result" }, ui.said, ui.grids), make("div", { className: "card result" }, ui.of, ui.formula)));
  unit = await facts("gates");
  if (unit) read();
  else tell(ui.error, "notBuilt");
}

function read() {
  const numbers = ui.numbers.value.split(/[\s,;，、]+/).filter(Boolean).map(Number);
  pause();
  hush(ui.error);
  if (!unit || numbers.length < 2 || numbers.length > 12 || !numbers.every(Number.isFinite)) { tell(ui.error, "notNumbers"); return; }
  steps = trace(unit, numbers.map((y) => (y - unit.shift) / unit.scale));
  ui.read = numbers;
  go(0);
}

function play() {
  if (at === steps.length) go(0);
  tell(ui.play, "pause");
  const next = () => { go(at + 1); if (at === steps.length) pause(); };
  next();
  playing = setInterval(next, PACE);
}

function pause() {
  clearInterval(playing);
  playing = 0;
  tell(ui.play, "play");
}

function go(to) {
  at = Math.min(to, steps.length);
  ui.step.disabled = at === steps.length;
  ui.back.disabled = at === 0;
  ui.grids.replaceChildren(...SHOWN.map(grid));
  if (!at) tell(ui.said, "beforeFirst");
  else tell(ui.said, at === steps.length ? "afterLast" : "afterStep", { number: ui.read[at - 1], step: at, answer: answer(unit, steps[at - 1].h).toFixed(3) });
  formula();
}

// Gates are between 0 and 1, states between -1 and 1; the colour of the card stands for 0.
function shade(value, low) {
  const side = low < 0 && value < 0 ? "second" : "accent";
  return `color-mix(in srgb, var(--${side}) ${Math.round(100 * Math.min(1, Math.abs(value)))}%, var(--card))`;
}

function grid([name, key, low]) {
  const box = make("div", { className: "heat", role: "group", label: key });
  box.style.gridTemplateColumns = `24px repeat(${steps.length}, minmax(0, 1fr))`;
  box.append(make("span"), ...ui.read.map((number) => make("span", { textContent: number })));
  for (let i = 0; i < steps[0].h.length; i++) {
    box.append(make("span", { textContent: i + 1 }));
    steps.forEach((one, t) => {
      const title = `${name}${i + 1} = ${one[name][i].toFixed(3)}`;
      const cell = make("button", { type: "button", disabled: t >= at, title: t < at ? title : "", onclick: () => { pause(); chosen = i; go(t + 1); } });
      if (t < at) cell.style.background = shade(one[name][i], low);
      cell.setAttribute("aria-label", t < at ? title : say("notYet"));
      cell.setAttribute("aria-pressed", i === chosen && t === at - 1);
      box.append(cell);
    });
  }
  return make("div", {}, make("h3", { say: key }), box);
}

// The equations of the chosen unit with its numbers.
function formula() {
  tell(ui.of, "unitOf", { unit: chosen + 1, step: at });
  if (!at) { ui.formula.textContent = "z = σ(Wz · [h, x])\nr = σ(Wr · [h, x])\nh̃ = tanh(W · [r * h, x])\nh ← (1 − z) * h + z * h̃"; return; }
  const [one, i] = [steps[at - 1], chosen], f = (value) => value.toFixed(3).replace("-", "−");
  ui.formula.textContent = `x = ${ui.read[at - 1]}    h = ${f(one.before[i])}\nz = σ(Wz · [h, x]) = ${f(one.z[i])}\nr = σ(Wr · [h, x]) = ${f(one.r[i])}\nh̃ = tanh(W · [r * h, x]) = ${f(one.n[i])}\nh ← (1 − ${f(one.z[i])}) × ${f(one.before[i])} + ${f(one.z[i])} × ${f(one.n[i])} = ${f(one.h[i])}`;
}
