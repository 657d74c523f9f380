// A model compiled to WebAssembly: const model = await load(); model.step({x: [0.1, 0.2]}).y
const about = $ABOUT;
const round = (bytes) => (bytes + 15) & ~15;

export class Model {
  constructor(wasm) {
    this.wasm = wasm;
    this.free = round(wasm.__heap_base.value);
    this.places = {};
    this.state = this.place("state", about.stateBytes);
    for (const [name, size] of Object.entries({ ...about.inputs, ...about.outputs })) this.place(name, about.size * (size || 1));
    this.saved = this.place("saved", about.savedBytes);
    this.call("init");
  }
  place(name, bytes) {
    const at = (this.places[name] = this.free);
    this.free = round(at + bytes);
    const missing = this.free - this.wasm.memory.buffer.byteLength;
    if (missing > 0) this.wasm.memory.grow(Math.ceil(missing / 65536));
    return at;
  }
  call(name, ...given) {
    return this.wasm[about.name + "_" + name](this.state, ...given);
  }
  view(name, size) {
    const Numbers = about.size === 8 ? Float64Array : Float32Array;
    return new Numbers(this.wasm.memory.buffer, this.places[name], size);
  }
  give(inputs) {
    return Object.entries(about.inputs).map(([name, size]) => {
      if (!size) return inputs[name];
      if (inputs[name]?.length !== size) throw new RangeError(`${name}: expected ${size} numbers, got ${inputs[name]?.length}`);
      this.view(name, size).set(inputs[name]);
      return this.places[name];
    });
  }
  take() {
    return Object.fromEntries(Object.entries(about.outputs).map(([name, size]) => [name, this.view(name, size).slice()]));
  }
  get addresses() {
    return Object.keys(about.outputs).map((name) => this.places[name]);
  }
  step(inputs) {
    const ready = this.call("step", ...this.give(inputs), ...this.addresses);
    return about.delays && !ready ? null : this.take();
  }
  finish() {
    return this.call("finish", ...this.addresses) ? this.take() : null;
  }
  reset() {
    this.call("reset");
  }
  save() {
    this.call("save", this.saved);
    return new Uint8Array(this.wasm.memory.buffer, this.saved, about.savedBytes).slice();
  }
  load(bytes) {
    new Uint8Array(this.wasm.memory.buffer, this.saved, about.savedBytes).set(bytes);
    if (!this.call("load", this.saved)) throw new Error("the state of another model");
  }
$METHODS}

export async function load(source = new URL("$NAME.wasm", import.meta.url)) {
  const bytes = source instanceof URL || typeof source === "string" ? await read(source) : source;
  return new Model((await WebAssembly.instantiate(bytes, {})).instance.exports);
}

async function read(source) {
  const url = new URL(source, import.meta.url);
  if (url.protocol === "file:") return (await import("node:fs/promises")).readFile(url);
  return (await fetch(url)).arrayBuffer();
}
