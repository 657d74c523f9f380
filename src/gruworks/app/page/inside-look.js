// One traced cell: heat maps of its gates, sorted and zoomed; steps with one unit's arithmetic; memory lengths.
import { choice, field, make } from "/page/parts.js";
import { barChart } from "/page/bar-chart.js";
import { csv, png, save } from "/page/download.js";
import { heatMap } from "/page/heat-map.js";
import { saves, share } from "/page/share.js";
import { arithmetic, stepper } from "/page/stepper.js";
import { say } from "/page/words.js";

// Arrays shown for each cell, with the lower end of their scale.
const SHOWN = {
  gru: [["z_t", "update", 0], ["r_t", "reset", 0], ["h̃_t", "candidate", -1], ["h_t", "hidden", -1]],
  lstm: [["f_t", "gateF", 0], ["i_t", "gateI", 0], ["o_t", "gateO", 0], ["g_t", "gateG", -1], ["c_t", "cellState", -1], ["h_t", "hidden", -1]],
  rnn: [["h_t", "hidden", -1]],
};
const FEW = 32; // units up to which each has a label and no zoom is needed

export function looked(one, model, asked) {
  const units = one.hidden[0].map((_, unit) => unit);
  const state = { step: 0, unit: 0, zoom: 1, order: units };
  const sums = make("div");
  const maps = SHOWN[one.cell].map(([name, key, low]) => [key, heatMap(() => ({
    values: state.order.map((unit) => one.gates[name].map((row) => row[unit])), rows: state.order.map((unit) => unit + 1), columns: one.inputs, low,
    cell: (units.length > FEW ? (units.length > 400 ? 1 : 2) : 6) * state.zoom, at: { row: state.order.indexOf(state.unit), column: state.step },
  }), say(key), (row, step) => { state.unit = state.order[row]; steps.go(step); })]);
  const renew = () => maps.forEach(([, map]) => map.again());
  const unit = make("input", { type: "number", min: 1, max: units.length, value: 1, onchange: () => { state.unit = Math.max(1, Math.min(units.length, Number(unit.value) || 1)) - 1; steps.go(state.step); } });
  const steps = stepper(one.inputs, (step) => {
    state.step = step;
    unit.value = state.unit + 1;
    sums.replaceChildren(arithmetic(one, state.unit, step));
    renew();
  });
  const long = one.inputs.length > 60;
  const charts = maps.map(([key, map]) => {
    if (long) map.style.minWidth = one.inputs.length + 60 + "px";
    return make("div", {}, make("h3", { say: key }), make("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": say(key) }, map));
  });
  const box = make("div", { className: long ? "cells long" : "cells" }, ...charts);
  if (one.memory) box.append(make("div", {}, make("h3", { say: "memory" }), barChart(one.memory.map((length) => (length === null ? null : Math.min(length, 1e4))), say("memory"))));
  const node = make("div", { className: "card result" }, make("h2", { textContent: title(one, model) }),
    one.answer !== undefined ? make("p", { className: "said", textContent: say("answerIs", { numbers: one.inputs.join(", "), answer: Number(one.answer.toFixed(3)) }) }) : null,
    steps, make("div", { className: "row" }, field("unitNumber", unit), ...ordered(one, state, renew), ...(units.length > FEW ? [zooms(state, renew)] : [])), sums, box,
    share([saves("savePng", () => png(box, one.cell + ".png")), saves("saveCsv", () => save(one.cell + ".csv", csv(rows(one)), "text/csv"))], () => ({ path: "/v1/trace", body: asked })));
  requestAnimationFrame(() => steps.go(0));
  return node;
}

function title(one, model) {
  if (model) return say("firstUnit", { model });
  if (one.answer !== undefined) return say("trainedOn", { cell: one.cell.toUpperCase() });
  return say("untrained", { cell: one.cell.toUpperCase(), units: one.hidden[0].length });
}

// Units in their own order, by memory length, or by the mean of the state.
function ordered(one, state, renew) {
  const own = one.hidden[0].map((_, unit) => unit);
  const mean = own.map((unit) => one.hidden.reduce((sum, row) => sum + row[unit], 0));
  const by = { own, memory: [...own].sort((a, b) => (one.memory?.[b] ?? Infinity) - (one.memory?.[a] ?? Infinity)), state: [...own].sort((a, b) => mean[b] - mean[a]) };
  const select = choice([["own", null, "orderOwn"], ...(one.memory ? [["memory", null, "orderMemory"]] : []), ["state", null, "orderState"]], "own");
  select.addEventListener("change", () => { state.order = by[select.value]; renew(); });
  return [field("order", select)];
}

function zooms(state, renew) {
  const range = make("input", { type: "range", min: 1, max: 8, step: 1, value: 1, oninput: () => { state.zoom = Number(range.value); renew(); } });
  return field("zoom", range);
}

function rows(one) {
  const names = SHOWN[one.cell].map(([name]) => name);
  return [["step", "input", "unit", ...names], ...one.inputs.flatMap((input, step) => one.hidden[step].map((_, unit) => [step + 1, input, unit + 1, ...names.map((name) => one.gates[name][step][unit])]))];
}
