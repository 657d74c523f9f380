// A model compiled to WebAssembly: const model = await load(), whose methods index.d.ts lists
const about = $ABOUT;

export class Model {
  constructor(wasm) {
    this.wasm = wasm;
    this.base = wasm.memory.grow(about.pages) * 65536;
    this.call("init");
  }
  array(name) {
    const [type, place, length] = about.arrays[name];
    return new globalThis[type](this.wasm.memory.buffer, this.base + place, length);
  }
  at(...names) { return names.map((name) => this.base + about.arrays[name][1]); }
  call(name, ...given) { return this.wasm[about.name + "_" + name](this.base, ...given); }
  put(name, values) {
    const array = this.array(name);
    if (values?.length !== array.length) throw new RangeError(`${name}: expected ${array.length} numbers, got ${values?.length}`);
    array.set(values);
    return array.byteOffset;
  }
  take() { return Object.fromEntries(about.outputs.map((name) => [name, this.array(name).slice()])); }
  reset() { this.call("reset"); }
  save() {
    this.call("save", ...this.at("saved"));
    return this.array("saved").slice();
  }
  load(bytes) {
    if (!this.call("load", this.put("saved", bytes))) throw new Error("the state of another model");
  }
$METHODS}

export async function load(source = new URL("$NAME.wasm", import.meta.url)) {
  let bytes = source;
  if (source instanceof URL || typeof source === "string") {
    const url = new URL(source, import.meta.url), file = url.protocol === "file:" && (await import("node:fs/promises"));
    bytes = await (file ? file.readFile(url) : (await fetch(url)).arrayBuffer());
  }
  return new Model((await WebAssembly.instantiate(bytes, {})).instance.exports);
}
