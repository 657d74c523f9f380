// A live session: samples of the microphone to the server, its transcripts back; the samples are kept for a player.
const MOST = 600; // seconds of a recording that are kept

// Throws the browser's error where the microphone can't be used. `heard` gets each message, `closed` the samples.
export async function live(model, { heard, closed }) {
  const media = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, echoCancellation: false, noiseSuppression: false } });
  const context = new AudioContext();
  await context.audioWorklet.addModule("/page/tap.js");
  const address = location.origin.replace(/^http/, "ws") + "/v1/transcribe/live?model=" + encodeURIComponent(model) + "&rate=" + context.sampleRate;
  const socket = new WebSocket(address);
  const tap = new AudioWorkletNode(context, "tap");
  const kept = [];
  let ended = false, open = true;

  function close() {
    if (!open) return;
    open = false;
    for (const track of media.getTracks()) track.stop();
    socket.close();
    const rate = context.sampleRate;
    context.close();
    const samples = new Float32Array(kept.reduce((sum, one) => sum + one.length, 0));
    kept.reduce((at, one) => { samples.set(one, at); return at + one.length; }, 0);
    closed(samples, rate);
  }

  function end() {
    if (ended) return;
    ended = true;
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ end: true }));
    else close();
  }

  socket.onmessage = (event) => open && heard(JSON.parse(event.data));
  socket.onclose = close;
  socket.onopen = () => {
    tap.port.onmessage = (event) => {
      if (socket.readyState !== WebSocket.OPEN || ended) return;
      if (kept.length < 10 * MOST) kept.push(new Float32Array(event.data.slice(0)));
      socket.send(event.data);
    };
    context.createMediaStreamSource(media).connect(tap);
  };
  return { end, close };
}
