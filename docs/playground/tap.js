// In the audio thread: collect samples and post them every tenth of a second.
class Tap extends AudioWorkletProcessor {
  constructor() {
    super();
    this.held = new Float32Array(Math.round(sampleRate / 10));
    this.filled = 0;
  }

  process([input]) {
    for (const sample of input[0] ?? []) {
      this.held[this.filled++] = sample;
      if (this.filled === this.held.length) {
        this.port.postMessage(this.held.slice().buffer);
        this.filled = 0;
      }
    }
    return true;
  }
}
registerProcessor("tap", Tap);
