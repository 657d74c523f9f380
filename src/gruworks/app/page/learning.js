// The form for a task that is fitted to a text or an archive of the visitor, with an example, and the progress of the fit.
import { complain, examples, make, takesFile, wrong } from "/page/parts.js";
import { progress } from "/page/progress.js";
import { archive, sample as sampled } from "/page/samples.js";
import { Said } from "/page/server.js";
import { settings } from "/page/settings.js";
import { textOf } from "/page/text-of.js";
import { hush, say, tell } from "/page/words.js";

const SAMPLE_MINUTES = 3; // enough for the example recordings

// Throws an error with a sentence of the page where the file is too large or no zip archive.
async function archiveOf(file, known) {
  const most = known.limits.archive;
  if (most && file.size > most) throw new Said({ code: "large-file", values: { most: most / 1e6 } });
  const [first, second] = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  if (first !== 0x50 || second !== 0x4b) throw new Said({ code: "not-an-archive" });
  return file;
}

// {node, results}: the form, and the card that shows the fit; `finished` gets the name of the new model.
export function learning(known, task, { sample, finished }) {
  const job = progress(task);
  if (!known.allow_fit || !known.forms[task]?.upload) return { node: make("p", { className: "note", say: "noFits" }), results: job.node };
  const fields = settings(known, task, "Config");
  const name = make("p", { className: "note" }), error = wrong();
  const go = make("button", { type: "button", className: "main", say: "fitNew", onclick: start });
  const recordings = task === "transcribe";
  let given = null;

  function take(found) {
    hush(error);
    given = found;
    const size = recordings ? `${(found.file.size / 1e6).toFixed(1)} MB` : say("characters", { count: found.text.length.toLocaleString() });
    tell(name, "fileName", { name: `${found.name} · ${size}` });
    if (task !== "translate") return;
    const [head] = found.text.split(/\r?\n/, 1);
    const [source, target] = head.split("\t");
    if (target && source.length < 12 && target.length < 12) { fields.set("source", source); fields.set("target", target); }
  }

  async function takeFile(file) {
    const content = recordings ? archiveOf(file, known).then((whole) => ({ file: whole })) : textOf(file, known).then((text) => ({ text }));
    await content.then((found) => take({ name: file.name, ...found }), (found) => complain(error, found));
  }

  async function takeSample() {
    await (recordings ? archive(sample) : sampled(sample)).then(take, (found) => complain(error, found));
    if (recordings) fields.set("minutes", SAMPLE_MINUTES);
  }

  async function start() {
    hush(error);
    if (!given) { tell(error, "error no-file"); return; }
    if (task === "translate" && !given.text.includes("\t")) { tell(error, "error no-pairs"); return; }
    if (task === "generate" && given.text.length < 200) { tell(error, "error short-text", { least: 200 }); return; }
    go.disabled = true;
    const model = await job.run(recordings ? uploaded() : { text: given.text, settings: fields.values() }, given.name);
    go.disabled = false;
    if (model) await finished(model);
  }

  function uploaded() {
    const form = new FormData();
    form.append("archive", given.file);
    form.append("settings", JSON.stringify(fields.values()));
    return form;
  }

  const accepted = recordings ? ".zip,application/zip" : ".txt,.tsv,.csv,text/plain";
  const about = recordings ? make("p", { className: "note", say: "packRecordings" }) : null;
  const node = make("details", { className: "card", open: true }, make("summary", { say: "learn " + task }),
    make("div", { className: "fit" }, takesFile(accepted, "dropText " + task, takeFile), about, examples([["sample " + sample, takeSample]]), name, fields.node, go, error));
  return { node, results: job.node };
}

