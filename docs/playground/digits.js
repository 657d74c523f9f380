// Spoken English digits, transcribed while one speaks, or from a recording.
import { model } from "./models.js";
import { board, dropPlace, head, make } from "./parts.js";
import { Resampler, decode } from "./sound.js";
import { hush, tell } from "./words.js";

const PIECE = 4096;
let ui = {};
let net = null;
let about = null;
let live = null;

export async function build(panel) {
  ui = {
    go: make("button", { type: "button", className: "main", say: "microphone", disabled: true, onclick: () => (live ? end() : begin()) }), sample: make("button", { type: "button", className: "plain", say: "useRecording", hidden: true, onclick: () => fetch("build/spoken.wav").then((answer) => answer.arrayBuffer()).then(takeBytes) }),
    error: make("p", { className: "wrong", role: "alert" }), text: make("p", { className: "sheet", lang: "en", "aria-live": "polite" }), said: make("p", { className: "note" }), state: make("p", { className: "note", role: "status" }),
  };
  const form = make("div", { className: "card result" }, ui.go, ui.sample, dropPlace("dropAudio", "audio/*,.wav,.flac,.ogg,.mp3", (file) => file.arrayBuffer().then(takeBytes)), ui.state, ui.error);
  panel.append(head("digitsTitle", "digitsAbout"), board(form, make("div", { className: "card result" }, ui.text, ui.said, make("p", { className: "note", say: "digitsNote" }))));
  const found = await model("digits");
  if (!found) { tell(ui.error, "notBuilt"); return; }
  [net, about] = found;
  ui.go.disabled = false;
  ui.sample.hidden = !about.spoken;
  tell(ui.text, "emptyDigits");
}

const decoder = new TextDecoder();
const textOf = (tokens) => tokens.map((token) => decoder.decode(net.text(token))).join("");

function clear() {
  net.reset();
  for (const node of [ui.error, ui.text, ui.said, ui.state]) hush(node);
}

async function takeBytes(bytes) {
  if (!net) return;
  if (live) end();
  clear();
  const spoken = bytes.byteLength;
  try {
    const { samples, rate } = await decode(bytes, about.rate);
    const through = new Resampler(rate, about.rate);
    const begun = performance.now();
    for (let i = 0; i < samples.length; i += PIECE) {
      ui.text.append(textOf(net.accept(rate === about.rate ? samples.subarray(i, i + PIECE) : through.push(samples.subarray(i, i + PIECE)))));
      await new Promise((resolve) => setTimeout(resolve));
    }
    finish();
    tell(ui.state, "took", { seconds: (samples.length / rate).toFixed(1), took: ((performance.now() - begun) / 1000).toFixed(2) });
  } catch (error) {
    tell(ui.error, "noSound", { why: error.message, bytes: spoken });
  }
}

// Half a second of silence, and what the network still holds back.
function finish() {
  ui.text.append(textOf([...net.accept(new Float32Array(about.rate / 2)), ...net.finish()]));
  if (!ui.text.textContent.trim()) tell(ui.text, "heardNothing");
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
  const context = new AudioContext(), through = new Resampler(context.sampleRate, about.rate);
  await context.audioWorklet.addModule("tap.js");
  const tap = new AudioWorkletNode(context, "tap");
  live = { media, context };
  tap.port.onmessage = (event) => { if (live?.context === context) ui.text.append(textOf(net.accept(through.push(new Float32Array(event.data))))); };
  context.createMediaStreamSource(media).connect(tap);
  tell(ui.go, "microphoneStop");
  tell(ui.state, "listening");
}

function end() {
  for (const track of live.media.getTracks()) track.stop();
  live.context.close();
  live = null;
  finish();
  tell(ui.go, "microphone");
  hush(ui.state);
}
