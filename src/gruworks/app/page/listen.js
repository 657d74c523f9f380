// The microphone, transcribed while one speaks; or a recording, words with their times; a player for both; a model of
// one's own recordings.
import { models, upload } from "/page/server.js";
import { busy, card, choice, complain, examples, field, fill, head, leave, make, ofTask, remember, takesFile, wrong } from "/page/parts.js";
import { save, wav } from "/page/download.js";
import { learning } from "/page/learning.js";
import { live } from "/page/microphone.js";
import { optionsOf, settings } from "/page/settings.js";
import { recording } from "/page/samples.js";
import { copy, saves, share } from "/page/share.js";
import { hush, say, tell } from "/page/words.js";

const EXAMPLES = { digits: "digits", vowels: "recordings" }; // samples of the package
const LIVE = ["silence", "longest"]; // of a stream; a recording has no use for them
let ui = {};
let session = null;

export function build(panel, known) {
  ui = {
    known, model: choice(ofTask(known, "transcribe")), go: make("button", { type: "button", className: "main", say: "microphone", onclick: () => (session ? session.end() : begin()) }),
    error: wrong(), fileError: wrong(), sure: make("span"), partial: make("span", { className: "partial" }), words: make("div", { className: "words" }), others: make("p", { className: "note" }), foot: make("div"),
    state: make("p", { className: "note", role: "status" }), options: settings(known, "transcribe", "Options", LIVE), player: make("div"), tools: make("div"), doubt: make("p", { className: "note warn" }),
  };
  ui.text = make("p", { className: "sheet", "aria-live": "polite" }, ui.sure, " ", ui.partial);
  ui.empty = make("p", { className: "empty", say: "emptyListen" });
  ui.out = make("div", { className: "card result" }, ui.player, ui.empty, ui.text, ui.doubt, ui.words, ui.others, ui.tools);
  const form = make("form", { className: "card", onsubmit: (event) => event.preventDefault() }, ui.go, ui.state, takesFile("audio/*,.wav,.flac,.ogg,.mp3", "dropAudio", takeFile),
    examples([["exampleDigits", () => takeExample("digits")], ["exampleVowels", () => takeExample("vowels")]]), ui.fileError, ui.options.node, field("model", ui.model), ui.error);
  ui.model.addEventListener("change", () => { session?.close(); clear(); ui.empty.hidden = false; remember("listen", { model: ui.model.value }); chosen(); });
  ui.learn = learning(known, "transcribe", { sample: "recordings", finished: fitDone });
  chosen();
  if (!ui.model.options.length) known.error ? complain(ui.error, known.error) : tell(ui.error, "noModel");
  panel.append(head("listenTitle", "listenAbout"), make("div", { className: "board" }, form, make("div", { className: "result" }, ui.learn.results, ui.out), make("div", { className: "side" }, ui.foot, ui.learn.node)));
}

// A bidirectional model needs the end of a recording: it has no use for a microphone.
function chosen() {
  const found = ui.known.models.find((one) => one.name === ui.model.value);
  ui.options.defaults({ n_best: null, ...optionsOf(ui.known, ui.model.value) });
  ui.foot.replaceChildren(card(ui.known, ui.model.value));
  ui.go.disabled = !found?.settings.streaming;
  found && ui.go.disabled ? tell(ui.state, "notLive") : hush(ui.state);
}

async function fitDone(model) {
  session?.close();
  clear();
  ui.empty.hidden = false;
  ui.known = await models(true);
  fill(ui.model, ofTask(ui.known, "transcribe"), model);
  chosen();
}

export function open(query) {
  if (query.has("model")) { ui.model.value = query.get("model"); chosen(); }
  if (query.get("example") in EXAMPLES) takeExample(query.get("example"));
}

function clear() {
  ui.empty.hidden = true;
  leave(ui.out);
  for (const one of [ui.error, ui.fileError, ui.doubt]) hush(one);
  ui.sure.textContent = ui.partial.textContent = ui.others.textContent = "";
  for (const one of [ui.words, ui.player, ui.tools]) one.replaceChildren();
}

// A player of a recording, and what can be done with its transcript.
function offer(blob, name) {
  ui.player.replaceChildren(make("audio", { controls: true, src: URL.createObjectURL(blob), ariaLabel: say("player") }));
  const text = () => ui.sure.textContent.trim();
  ui.tools.replaceChildren(share([copy(text), saves("saveText", () => save("transcript.txt", text() + "\n", "text/plain")), saves("saveRecording", () => save(name, blob))],
    () => ({ path: "/v1/transcribe", form: { file: "@" + name, model: ui.model.value } })));
}

async function takeExample(name) {
  clear();
  await busy(ui.out, ui.fileError, async () => recording(EXAMPLES[name])).then((file) => file && takeFile(file));
  remember("listen", { model: ui.model.value, example: name });
}

async function takeFile(file) {
  clear();
  remember("listen", { model: ui.model.value });
  await busy(ui.out, (error) => (error.where === "file" ? ui.fileError : ui.error), async (signal) => {
    const form = new FormData();
    form.append("file", file);
    form.append("model", ui.model.value);
    for (const [name, value] of Object.entries(ui.options.values())) for (const one of [value].flat()) form.append(name, one);
    const found = await upload("/v1/transcribe", form, signal);
    offer(file, file.name);
    show(found);
  });
}

function show(found) {
  ui.sure.textContent = found.text || say("heardNothing");
  if (found.doubtful) tell(ui.doubt, "noDigits", { words: found.doubtful.join(", ") });
  ui.words.replaceChildren(...found.words.map((one) => make("span", {}, make("b", { textContent: one.word }), make("small", { textContent: one.start.toFixed(2) + " – " + one.end.toFixed(2) + " s · " + Math.round(100 * one.confidence) + " %" }))));
  ui.others.textContent = found.alternatives.length ? say("others") + ": " + found.alternatives.join(" · ") : "";
}

async function begin() {
  clear();
  session = await live(ui.model.value, { heard, closed }).catch((error) => { tell(ui.error, "noMicrophone", { why: error.message }); return null; });
  if (!session) return;
  tell(ui.go, "microphoneStop");
  tell(ui.state, "listening");
}

function heard(told) {
  if (told.error) { complain(ui.error, told.error); return; }
  if (told.final) ui.sure.textContent = (ui.sure.textContent + " " + told.final).trim();
  ui.partial.textContent = told.done ? "" : told.partial;
  if (told.done && !ui.sure.textContent) ui.sure.textContent = say("heardNothing");
}

function closed(samples, rate) {
  session = null;
  tell(ui.go, "microphone");
  hush(ui.state);
  if (samples.length) offer(wav(samples, rate), "recording.wav");
}
