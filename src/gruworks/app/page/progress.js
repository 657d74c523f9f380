// A fit as a job: started, followed with its learning curve and what the model writes by then, cancelled.
import { events, post, remove, Said, upload } from "/page/server.js";
import { complain, make, wrong } from "/page/parts.js";
import { lineChart } from "/page/line-chart.js";
import { hush, say, tell } from "/page/words.js";

// {node, error, busy(), run(request, name)}: `request` is that of a fit, or the form of an upload; `run` gives the name of
// the new model, or null where the fit was cancelled or failed, which `error` then tells.
export function progress(task) {
  const bar = make("progress", { max: 1, value: 0, sayLabel: "working" });
  const said = make("p", { className: "note", role: "status" });
  const error = wrong();
  const cancel = make("button", { type: "button", className: "plain", say: "cancel" });
  const work = make("div", { className: "row" }, bar, cancel);
  const curve = make("div");
  const sample = make("div", { className: "sample-text", "aria-live": "off" });
  const node = make("div", { className: "card result fitting", hidden: true }, said, work, error, sample, curve);
  let running = false, chart = null;

  async function run(request, name) {
    running = true;
    node.hidden = work.hidden = false;
    hush(error);
    chart = null;
    curve.replaceChildren();
    sample.replaceChildren();
    bar.removeAttribute("value");
    tell(said, "fitStarts", { name });
    const history = { steps: [], loss: [], val: [] };
    const leaving = new AbortController();
    cancel.onclick = () => leaving.abort(); // until there is a job
    try {
      const { job: own } = await (request instanceof FormData ? upload("/v1/fit/recordings", request, leaving.signal) : post("/v1/fit", { task, ...request }));
      cancel.onclick = () => remove("/v1/jobs/" + own).catch((found) => complain(error, found));
      if (leaving.signal.aborted) cancel.onclick();
      for await (const { kind, data } of events("/v1/jobs/" + own + "/events", null)) {
        if (kind === "progress") follow(data, name, history);
        else return ended(kind, data);
      }
      throw new Said({ code: "no-server" });
    } catch (found) {
      if (found.name === "AbortError") { tell(said, "cancelled"); return null; }
      hush(said);
      complain(error, found);
      return null;
    } finally {
      work.hidden = true;
      running = false;
    }
  }

  function follow(data, name, history) {
    if (data.state === "waiting") { tell(said, "fitWaits"); return; }
    if (data.step) bar.value = data.step / data.steps;
    tell(said, data.seconds_left ? "fittingLeft" : data.step ? "fitting" : "fitStarts", { step: data.step, steps: data.steps, left: lasting(data.seconds_left), name });
    if (data.step && data.step !== history.steps.at(-1)) {
      history.steps.push(data.step);
      history.loss.push(data.loss);
      history.val.push(data.val_loss);
      if (history.steps.length === 2) curve.replaceChildren(make("h3", { say: "learningCurve" }), chart = lineChart(() => ({ labels: history.steps, height: 180, lines: [{ name: say("lossTraining"), y: history.loss, colour: "soft" }, { name: say("lossValidation"), y: history.val, colour: "accent", width: 2 }] }), say("learningCurve")));
      else chart?.again();
    }
    if (data.sample) sample.replaceChildren(make("h3", { textContent: say("writesByNow", { step: data.step }) }), make("p", { className: "prose low", textContent: data.sample }));
  }

  function ended(kind, data) {
    if (kind === "done") { tell(said, "fitted", { model: data.model }); return data.model; }
    if (kind === "cancelled") { tell(said, "cancelled"); return null; }
    throw new Said({ code: data.code || "fit-failed", values: { ...data.values, why: data.message.includes("--") ? "" : data.message } }); // no flags: this is no command line
  }

  return { node, error, busy: () => running, run, hide: () => { if (!running) node.hidden = true; } };
}

// Seconds in words: "40 s", "3 min".
export const lasting = (seconds) => (seconds < 90 ? `${Math.max(1, Math.round(seconds))} s` : `${Math.round(seconds / 60)} min`);
