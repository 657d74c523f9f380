// The first view: 1, 2, 3, 4, 5 read step by step, and the doors to the other views.
import { post } from "/page/server.js";
import { busy, make, wrong } from "/page/parts.js";
import { heatMap } from "/page/heat-map.js";
import { stepper } from "/page/stepper.js";
import { say } from "/page/words.js";

const NUMBERS = [1, 2, 3, 4, 5];
const DOORS = [["forecast", "forecast?example=shop"], ["write", "write?form=jueju7&seed=3"], ["translate", "translate?example=hungry"], ["listen", "listen"], ["inside", "inside?example=numbers&by=cells"]];
let ui = {};
let found = null;

export function build(panel) {
  ui = { input: make("input", { value: NUMBERS.join(", "), inputMode: "decimal" }), error: wrong(), out: make("div", { className: "result" }) };
  const form = make("form", { className: "own", onsubmit: (event) => { event.preventDefault(); run(); } },
    make("label", {}, make("span", { say: "ownNumbers" }), ui.input), make("button", { className: "plain", say: "insideGo" }));
  const doors = DOORS.map(([name, link]) => make("a", { className: "door card", href: "#" + link },
    make("b", { say: "tab" + name[0].toUpperCase() + name.slice(1) }), make("span", { say: "door " + name })));
  panel.append(make("div", { className: "head" }, make("h1", { say: "startTitle" }), make("p", { say: "startAbout" })),
    make("div", { className: "card" }, ui.out, ui.error, form), make("nav", { className: "doors", sayLabel: "views" }, ...doors));
  addEventListener("language-changed", () => found && show());
}

export function open() {
  if (!found) run();
}

async function run() {
  const numbers = ui.input.value.split(/[\s,;，、]+/).filter(Boolean).map(Number);
  await busy(ui.out, ui.error, async (signal) => {
    if (numbers.length < 3 || numbers.length > 12 || !numbers.every(Number.isFinite)) throw Object.assign(new Error(), { code: "few-numbers", values: {} });
    [found] = (await post("/v1/trace", { numbers }, signal)).traces;
    show();
  });
}

function show() {
  const { inputs, gates, answer } = found;
  const units = gates["h_t"][0].map((_, unit) => unit);
  let now = 0;
  const answered = make("span", { className: "chip answer", textContent: "?" });
  const said = make("p", { className: "said", "aria-live": "polite" });
  const map = heatMap(() => ({
    values: units.map((unit) => inputs.map((_, at) => (at <= now ? gates["h_t"][at][unit] : 0))), rows: units.map((unit) => unit + 1), columns: inputs, low: -1, at: { column: now },
  }), say("hidden"));
  const steps = stepper(inputs, (step) => {
    now = step;
    map.again();
    const replaced = Math.round(100 * gates["z_t"][step].reduce((sum, one) => sum + one, 0) / units.length);
    const last = step === inputs.length - 1;
    answered.textContent = last ? String(Number(answer.toFixed(2))) : "?";
    answered.classList.toggle("now", last);
    said.textContent = say(last ? "startEnd" : "startStep", { input: inputs[step], replaced, answer: Number(answer.toFixed(3)), numbers: inputs.join(", ") });
  }, make("span", { className: "arrow" }, "→ ", answered));
  ui.out.replaceChildren(steps, said, make("div", {}, make("h2", { say: "memoryOf" }), map), make("p", { className: "note", say: "startNote" }));
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  steps.go(still ? inputs.length - 1 : 0);
  if (!still) steps.play();
}
