// A fit as a job: settings, start, progress, cancel.
import { events, post, remove, Said } from "/page/server.js";
import { complain, make, takesFile, wrong } from "/page/parts.js";
import { settings } from "/page/settings.js";
import { hush, tell } from "/page/words.js";

// `prepare` gives the data as {body, name}, or null where they can't be fitted; `finished` gets the name of the new model.
export function fitForm(known, task, { prepare, finished, without = [] }) {
  const fields = settings(known, task, "Config", without);
  const bar = make("progress", { hidden: true, max: 1, value: 0 });
  const said = make("p", { className: "note", role: "status" });
  const error = wrong();
  const cancel = make("button", { type: "button", className: "plain", say: "cancel", hidden: true });
  const go = make("button", { type: "button", className: "plain", say: "fitNew", onclick: start });
  const node = make("fieldset", { className: "fit" }, make("legend", { say: "fitSettings" }), fields.node, make("div", { className: "row" }, go, cancel), bar, said, error);

  async function start() {
    hush(said);
    hush(error);
    go.disabled = true;
    try {
      const data = await prepare();
      if (data) await run(data);
    } catch (found) {
      hush(said);
      complain(error, found);
    }
    go.disabled = false;
    cancel.hidden = bar.hidden = true;
  }

  async function run({ body, name }) {
    const { job } = await post("/v1/fit", { task, ...body, settings: fields.values() });
    cancel.hidden = bar.hidden = false;
    bar.removeAttribute("value");
    cancel.onclick = () => remove("/v1/jobs/" + job).catch((found) => complain(error, found));
    let ended = false;
    for await (const { kind, data } of events("/v1/jobs/" + job + "/events", null)) {
      ended ||= kind !== "progress";
      await follow(kind, data, name);
    }
    if (!ended) throw new Said({ code: "no-server" });
  }

  async function follow(kind, data, name) {
    if (kind === "progress") {
      if (data.step) bar.value = data.step / data.steps;
      tell(said, data.seconds_left ? "fittingLeft" : "fitting", { step: data.step, steps: data.steps, left: data.seconds_left, name });
    } else if (kind === "done") {
      tell(said, "fitted", { model: data.model });
      await finished(data.model);
    } else if (kind === "cancelled") tell(said, "cancelled");
    else throw new Said({ code: "fit-failed", values: { why: data.message.includes("--") ? "" : data.message } }); // no flags: this is no command line
  }

  return { node, set: fields.set, busy: () => !cancel.hidden, error };
}

// The form for a task that is fitted to a text file; null where the server allows no fits.
export function fitFile(known, task, finished) {
  if (!known.allow_fit || !known.forms[task]?.upload) return null;
  let file = null;
  const name = make("p", { className: "note" });
  const take = (found) => { file = found; tell(name, "fileName", { name: found.name }); };
  const prepare = async () => {
    if (!file) throw new Said({ code: "no-file" });
    return { body: { text: await textOf(file, known) }, name: file.name };
  };
  const form = fitForm(known, task, { prepare, finished });
  form.node.querySelector("legend").replaceWith(takesFile(".txt,.tsv,text/plain", "dropText " + task, take), name);
  return make("details", { className: "card" }, make("summary", { say: "fitSettings" }), form.node);
}

// The text of a file.
// Throws an error with a sentence of the page where the file is too large or not UTF-8.
export async function textOf(file, known) {
  const most = known.limits.body;
  if (most && file.size > 0.95 * most) throw new Said({ code: "large-file", values: { most: Math.floor(most / 1e5) / 10 } });
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
  } catch {
    throw new Said({ code: "not-text" });
  }
}
