// The microphone, transcribed while one speaks; or a recording, words with their times.
import { upload } from "/page/server.js";
import { busy, card, choice, complain, field, head, leave, make, ofTask, remember, takesFile, wrong } from "/page/parts.js";
import { optionsOf, settings } from "/page/settings.js";
import { hush, say, tell } from "/page/words.js";

const LIVE = ["silence", "longest"]; // of a stream; a recording has no use for them
let ui = {};
let live = null;

export function build(panel, known) {
  ui = {
    model: choice(ofTask(known, "transcribe")), go: make("button", { type: "button", className: "main", say: "microphone", onclick: () => (live ? end() : begin()) }),
    error: wrong(), sure: make("span"), partial: make("span", { className: "partial" }), words: make("div", { className: "words" }), others: make("p", { className: "note" }), foot: make("div"),
    state: make("p", { className: "note", role: "status" }), options: settings(known, "transcribe", "Options", LIVE),
  };
  const chosen = () => {
    ui.options.defaults({ n_best: null, ...optionsOf(known, ui.model.value) });
    ui.foot.replaceChildren(card(known, ui.model.value));
  };
  ui.text = make("p", { className: "sheet", "aria-live": "polite" }, ui.sure, " ", ui.partial);
  ui.empty = make("p", { className: "empty", say: "emptyListen" });
  ui.out = make("div", { className: "card result" }, ui.empty, ui.text, ui.words, ui.others);
  const form = make("form", { className: "card", onsubmit: (event) => event.preventDefault() }, ui.go, ui.state, takesFile("audio/*,.wav,.flac,.ogg,.mp3", "dropAudio", takeFile), ui.options.node, field("model", ui.model), ui.error);
  ui.model.addEventListener("change", () => { if (live) close(); clear(); ui.empty.hidden = false; remember("listen", { model: ui.model.value }); chosen(); });
  chosen();
  if (!ui.model.options.length) { known.error ? complain(ui.error, known.error) : tell(ui.error, "noModel"); ui.go.disabled = true; }
  panel.append(head("listenTitle", "listenAbout"), make("div", { className: "board" }, form, ui.out, ui.foot));
}

export function open(query) {
  if (query.has("model")) ui.model.value = query.get("model");
}

function clear() {
  ui.empty.hidden = true;
  leave(ui.out);
  hush(ui.error);
  ui.sure.textContent = ui.partial.textContent = ui.others.textContent = "";
  ui.words.replaceChildren();
}

async function takeFile(file) {
  clear();
  await busy(ui.out, ui.error, async (signal) => {
    const form = new FormData();
    form.append("file", file);
    form.append("model", ui.model.value);
    for (const [name, value] of Object.entries(ui.options.values())) for (const one of [value].flat()) form.append(name, one);
    const found = await upload("/v1/transcribe", form, signal);
    ui.sure.textContent = found.text || say("heardNothing");
    ui.words.replaceChildren(...found.words.map((one) => make("span", {}, make("b", { textContent: one.word }), make("small", { textContent: one.start.toFixed(2) + " – " + one.end.toFixed(2) + " s · " + Math.round(100 * one.confidence) + " %" }))));
    ui.others.textContent = found.alternatives.length ? say("others") + ": " + found.alternatives.join(" · ") : "";
  });
}

async function begin() {
  clear();
  let media;
  try {
    media = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, echoCancellation: false, noiseSuppression: false } });
  } catch (error) {
    tell(ui.error, "noMicrophone", { why: error.message });
    return;
  }
  const context = new AudioContext();
  await context.audioWorklet.addModule("/page/tap.js");
  const address = location.origin.replace(/^http/, "ws") + "/v1/transcribe/live?model=" + encodeURIComponent(ui.model.value) + "&rate=" + context.sampleRate;
  const socket = new WebSocket(address);
  const tap = new AudioWorkletNode(context, "tap");
  live = { media, context, socket };
  socket.onmessage = (event) => live?.socket === socket && hear(JSON.parse(event.data));
  socket.onclose = () => live?.socket === socket && close();
  socket.onopen = () => {
    tap.port.onmessage = (event) => { if (socket.readyState === WebSocket.OPEN && live && !live.ended) socket.send(event.data); };
    context.createMediaStreamSource(media).connect(tap);
  };
  ui.go.dataset.say = "microphoneStop";
  ui.go.textContent = say("microphoneStop");
  ui.state.textContent = say("listening");
}

function hear(told) {
  if (told.error) { complain(ui.error, told.error); return; }
  if (told.final) ui.sure.textContent = (ui.sure.textContent + " " + told.final).trim();
  ui.partial.textContent = told.done ? "" : told.partial;
  if (told.done && !ui.sure.textContent) ui.sure.textContent = say("heardNothing");
}

function end() {
  if (!live || live.ended) return;
  live.ended = true;
  if (live.socket.readyState === WebSocket.OPEN) live.socket.send(JSON.stringify({ end: true }));
  else close();
}

function close() {
  if (!live) return;
  for (const track of live.media.getTracks()) track.stop();
  live.socket.close();
  live.context.close();
  live = null;
  ui.go.dataset.say = "microphone";
  ui.go.textContent = say("microphone");
  ui.state.textContent = "";
}
