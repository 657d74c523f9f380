// Samples at another rate, piece by piece: a windowed sinc below half of the lower rate.
export class Resampler {
  constructor(from, to) {
    this.step = from / to;
    this.cut = 0.94 * Math.min(1, to / from);
    this.half = Math.ceil(24 / this.cut);
    this.held = new Float32Array(this.half);
    this.at = this.half; // place of the next sample, from the first held one
  }
  push(samples) {
    const all = new Float32Array(this.held.length + samples.length), found = [];
    all.set(this.held);
    all.set(samples, this.held.length);
    for (; this.at + this.half < all.length; this.at += this.step) found.push(this.around(all));
    const past = Math.min(all.length, Math.max(0, Math.floor(this.at) - this.half));
    this.held = all.slice(past);
    this.at -= past;
    return Float32Array.from(found);
  }
  around(all) {
    let sum = 0;
    for (let i = Math.floor(this.at) - this.half + 1; i <= Math.floor(this.at) + this.half; i++) {
      const apart = i - this.at, angle = Math.PI * apart * this.cut;
      const sinc = angle === 0 ? 1 : Math.sin(angle) / angle;
      sum += all[i] * sinc * this.cut * (0.5 + 0.5 * Math.cos((Math.PI * apart) / this.half));
    }
    return sum;
  }
}

// Samples of a recording: its channels' mean, at its own rate where the browser tells it.
export async function decode(bytes, rate) {
  const context = new OfflineAudioContext(1, 1, rate);
  const sound = await context.decodeAudioData(bytes);
  const mixed = new Float32Array(sound.length);
  for (let channel = 0; channel < sound.numberOfChannels; channel++) sound.getChannelData(channel).forEach((value, i) => { mixed[i] += value / sound.numberOfChannels; });
  return { samples: mixed, rate: sound.sampleRate };
}
