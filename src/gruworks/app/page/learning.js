// The form for a task that is fitted to a text of the visitor, with an example, and the progress of the fit.
import { complain, examples, make, takesFile, wrong } from "/page/parts.js";
import { progress } from "/page/progress.js";
import { sample as sampled } from "/page/samples.js";
import { settings } from "/page/settings.js";
import { textOf } from "/page/text-of.js";
import { hush, say, tell } from "/page/words.js";

// {node, results}: the form, and the card that shows the fit; `finished` gets the name of the new model.
export function learning(known, task, { sample, finished }) {
  const job = progress(task);
  if (!known.allow_fit || !known.forms[task]?.upload) return { node: make("p", { className: "note", say: "noFits" }), results: job.node };
  const fields = settings(known, task, "Config");
  const name = make("p", { className: "note" }), error = wrong();
  const go = make("button", { type: "button", className: "main", say: "fitNew", onclick: start });
  let given = null;

  function take(found) {
    hush(error);
    given = found;
    tell(name, "fileName", { name: `${found.name} · ${say("characters", { count: found.text.length.toLocaleString() })}` });
    if (task !== "translate") return;
    const [head] = found.text.split(/\r?\n/, 1);
    const [source, target] = head.split("\t");
    if (target && source.length < 12 && target.length < 12) { fields.set("source", source); fields.set("target", target); }
  }

  async function takeFile(file) {
    await textOf(file, known).then((text) => take({ name: file.name, text }), (found) => complain(error, found));
  }

  async function takeSample() {
    await sampled(sample).then(take, (found) => complain(error, found));
  }

  async function start() {
    hush(error);
    if (!given) { tell(error, "error no-file"); return; }
    if (task === "translate" && !given.text.includes("\t")) { tell(error, "error no-pairs"); return; }
    if (task === "generate" && given.text.length < 200) { tell(error, "error short-text", { least: 200 }); return; }
    go.disabled = true;
    const model = await job.run({ text: given.text, settings: fields.values() }, given.name);
    go.disabled = false;
    if (model) await finished(model);
  }

  const node = make("details", { className: "card", open: true }, make("summary", { say: "learn " + task }),
    make("div", { className: "fit" }, takesFile(".txt,.tsv,.csv,text/plain", "dropText " + task, takeFile), examples([["sample " + sample, takeSample]]), name, fields.node, go, error));
  return { node, results: job.node };
}

