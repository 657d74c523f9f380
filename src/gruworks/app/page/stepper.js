// A sequence step by step: chips of the inputs, play and arrows, the arithmetic of one unit at the step.
import { make } from "/page/parts.js";
import { say } from "/page/words.js";

const PAUSE = 900; // milliseconds a step

// `inputs` are labels; `onstep(step)` is told each step from 0. The node has `go(step)` and `play()`.
export function stepper(inputs, onstep, tail = null) {
  const chips = inputs.map((label, at) => make("button", { type: "button", className: "chip", textContent: label, ariaLabel: say("stepOf", { step: at + 1 }) + ": " + label, onclick: () => { stop(); go(at); } }));
  const said = make("span", { className: "note" });
  const button = (key, text, action) => make("button", { type: "button", className: "small", sayLabel: key, ariaLabel: say(key), textContent: text, onclick: action });
  const playing = button("play", "▶", () => (timer ? stop() : play()));
  const node = make("div", { className: "stepper" }, make("div", { className: "chips" }, ...chips, tail),
    make("div", { className: "row" }, button("stepBack", "◀", () => { stop(); go(Math.max(0, step - 1)); }), playing, button("stepOn", "▶|", () => { stop(); go(Math.min(inputs.length - 1, step + 1)); }), said));
  let step = 0, timer = null;

  function go(to) {
    step = to;
    chips.forEach((chip, at) => { chip.classList.toggle("now", at === to); chip.classList.toggle("read", at < to); chip.setAttribute("aria-pressed", at === to); });
    said.textContent = say("stepCount", { step: to + 1, steps: inputs.length });
    onstep(to);
  }

  function stop() {
    clearTimeout(timer);
    timer = null;
    playing.textContent = "▶";
  }

  function play() {
    if (step === inputs.length - 1) go(0);
    playing.textContent = "❚❚";
    const next = () => {
      if (!node.isConnected || step >= inputs.length - 1) { stop(); return; }
      go(step + 1);
      timer = setTimeout(next, PAUSE);
    };
    timer = setTimeout(next, PAUSE);
  }

  return Object.assign(node, { go, play, at: () => step });
}

const sigmoidInput = (gate) => Math.log(gate / (1 - gate));
const number = (value) => (Number.isFinite(value) ? value.toFixed(3).replace("-", "−") : value > 0 ? "∞" : "−∞");

// The equations of one unit at one step, with their numbers: the state before it is 0.
export function arithmetic({ cell, gates }, unit, step) {
  const value = (name, at = step) => (at < 0 ? 0 : gates[name][at][unit]);
  const of = { gru, lstm, rnn }[cell](value, step);
  return make("div", { className: "arithmetic" }, ...of.map(([key, text]) => make("div", {}, make("span", { className: "note", say: key }), make("code", { textContent: text }))));
}

const gate = (name, at) => `${name} = σ(${number(sigmoidInput(at))}) = ${number(at)}`;
const squashed = (name, at) => `${name} = tanh(${number(Math.atanh(at))}) = ${number(at)}`;
const signed = (value) => (value < 0 ? `(${number(value)})` : number(value));

function gru(value, step) {
  const [z, r, c, before, after] = [value("z_t"), value("r_t"), value("h̃_t"), value("h_t", step - 1), value("h_t")];
  return [["update", gate("z", z)], ["reset", gate("r", r)], ["candidate", squashed("h̃", c)],
    ["hidden", `h = (1 − z) · h₍ₜ₋₁₎ + z · h̃ = (1 − ${number(z)}) · ${signed(before)} + ${number(z)} · ${signed(c)} = ${number(after)}`]];
}

function lstm(value, step) {
  const [f, i, o, g, before, c, h] = [value("f_t"), value("i_t"), value("o_t"), value("g_t"), value("c_t", step - 1), value("c_t"), value("h_t")];
  return [["gateF", gate("f", f)], ["gateI", gate("i", i)], ["gateO", gate("o", o)], ["gateG", squashed("g", g)],
    ["cellState", `c = f · c₍ₜ₋₁₎ + i · g = ${number(f)} · ${signed(before)} + ${number(i)} · ${signed(g)} = ${number(c)}`],
    ["hidden", `h = o · tanh(c) = ${number(o)} · tanh(${number(c)}) = ${number(h)}`]];
}

const rnn = (value) => [["hidden", squashed("h", value("h_t"))]];

