"""The JavaScript of a program as WebAssembly: methods, arrays at fixed places of its memory, and types."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from gruworks.interop.c.program import Program
from gruworks.interop.c.programs import FOLDER

__all__ = ["Interface", "interface", "script", "types"]

BYTES = {"Float32Array": 4, "Float64Array": 8, "Int32Array": 4, "Uint32Array": 4, "Uint8Array": 1}
PIECE = 4096  # samples that `accept` hands over at once
STEP = """\
  step(inputs) {
    const given = about.inputs.map((name) => (name in about.arrays ? this.put(name, inputs[name]) : inputs[name]));
    return this.call("step", ...given, ...this.at(...about.outputs)) === 0 ? null : this.take();
  }
"""
FINISH = """\
  finish() { return this.call("finish", ...this.at(...about.outputs)) ? this.take() : null; }
"""
FORECAST = """\
  forecast() {
    this.call("forecast", ...this.at(...about.outputs));
    return this.take();
  }
  observe(value) {
    this.call("observe", value);
    return this.forecast();
  }
"""
BEGIN = """\
  begin(value, steps) {
    this.call("begin", value, steps);
    return this.forecast();
  }
"""
SAMPLE = """\
  seed(number) { this.array("random")[0] = number; }
  sample(scores, { temperature = 0.8, topK = 0, topP = 1, minP = 0 } = {}) {
    this.put("how", [temperature, 0, topP, minP]);
    this.array("topK")[0] = topK;
    return this.wasm[about.name + "_sample"](this.put("scores", scores), ...this.at("how", "random"));
  }
"""
TOKENS = """\
  text(token) {
    const at = this.wasm[about.name + "_text"](token), bytes = new Uint8Array(this.wasm.memory.buffer);
    return bytes.slice(at, bytes.indexOf(0, at));
  }
"""
FOUND = """\
  found(count) { return [...this.array("tokens").subarray(0, count)]; }
  finish() { return this.found(this.call("finish", ...this.at("tokens"))); }
"""
FRAME = """\
  acceptFrame(bands) { return this.found(this.call("accept_frame", this.put("bands", bands), ...this.at("tokens"))); }
"""
ACCEPT = """\
  accept(samples) {
    const tokens = [], room = this.array("samples").length;
    for (let i = 0; i < samples.length; i += room) {
      const part = samples.slice(i, i + room);
      this.array("samples").set(part);
      tokens.push(...this.found(this.call("accept", ...this.at("samples"), part.length, ...this.at("tokens"))));
    }
    return tokens;
  }
"""
# Method of the JavaScript → its text, and its type.
METHODS = {
    "step": (STEP, "step(inputs: {{ {inputs} }}): {result};"),
    "finish": (FINISH, "finish(): {outputs} | null;"),
    "forecast": (FORECAST, "forecast(): {outputs};\n  observe(value: number): {outputs};"),
    "begin": (BEGIN, "begin(value: number, steps: number): {outputs};"),
    "sample": (
        SAMPLE,
        "seed(number: number): void;\n  sample(scores: ArrayLike<number>, how?: {{ temperature?: number; "
        "topK?: number; topP?: number; minP?: number }}): number;",
    ),
    "text": (TOKENS, "text(token: number): Uint8Array;"),
    "found": (FOUND, "finish(): number[];"),
    "accept_frame": (FRAME, "acceptFrame(bands: ArrayLike<number>): number[];"),
    "accept": (ACCEPT, "accept(samples: Float32Array): number[];"),
}
TYPES = """\
export class Model {{
{methods}
  reset(): void;
  save(): Uint8Array;
  load(bytes: Uint8Array): void;
}}
export function load(source?: URL | string | BufferSource): Promise<Model>;
"""


@dataclass(frozen=True)
class Interface:
    """Methods of the JavaScript, functions of the C that they call, inputs (0: one number), outputs, and arrays.

    An array of `arrays` has a type, a place after the beginning of the added memory pages, and a length.
    """

    methods: list[str]
    functions: list[str]
    inputs: dict[str, int]
    outputs: list[str]
    arrays: dict[str, tuple[str, int, int]]
    pages: int


def interface(program: Program) -> Interface:
    """The interface of a program: that of a module's step, or of the task that its declarations name."""
    named = [one for one in METHODS if f"{program.name}_{one}(" in program.declarations]
    own = ["init", "reset", "save", "load"]
    inputs, outputs = dict(program.network.inputs), dict(program.network.output_sizes())
    if "forecast" in named:
        outputs = dict.fromkeys(("median", "low", "high"), program.defines["HORIZON"])
        arrays, pages = _placed(program, dict.fromkeys(outputs, "Float64Array"), outputs)
        return Interface(named, [*own, *named, "observe"], {}, list(outputs), arrays, pages)
    if "accept_frame" in named:
        sizes = {"bands": program.defines["BANDS"], "samples": PIECE, "tokens": PIECE}
        kinds = {"bands": "Float32Array", "samples": "Float32Array", "tokens": "Int32Array"}
        arrays, pages = _placed(program, kinds, sizes)
        methods = (
            [one for one in named if one not in ("finish", "accept_frame")]
            if "accept" in named
            else ["text", "accept_frame"]
        )
        return Interface(["found", *methods], [*own, *named], {}, [], arrays, pages)
    stepping = ["step", *["finish"] * bool(program.network.delaying)]
    sizes = {name: size for name, size in (inputs | outputs).items() if size}
    kinds = dict.fromkeys(sizes, "Float32Array")
    if "sample" in named:
        sizes, kinds = sizes | {"how": 4, "random": 1}, kinds | {"how": "Float32Array", "random": "Uint32Array"}
    arrays, pages = _placed(program, kinds, sizes)
    if "sample" in named:
        arrays["topK"] = ("Int32Array", arrays["how"][1] + 4, 1)  # within the C's struct
    return Interface([*stepping, *named], [*own, *stepping, *named], inputs, list(outputs), arrays, pages)


def _placed(program: Program, kinds: dict[str, str], sizes: dict[str, int]) -> tuple[dict[str, Any], int]:
    """Arrays after the state, each at a multiple of 16 bytes, and the pages of 64 kB that they take."""
    place, found = _round(program.ram + 256), {}  # with padding of the struct
    for name, kind in ({"saved": "Uint8Array"} | kinds).items():
        size = program.ram + 4 if name == "saved" else sizes[name]
        found[name] = (kind, place, size)
        place = _round(place + BYTES[kind] * size)
    return found, -(-place // 65536)


def _round(size: int) -> int:
    return size + 15 & ~15


def script(name: str, made: Interface) -> str:
    """Content of `index.js`."""
    about = {"name": name, "inputs": list(made.inputs), "outputs": made.outputs, "arrays": made.arrays}
    text = (FOLDER / "index.js").read_text(encoding="utf-8")
    methods = "".join(METHODS[one][0] for one in made.methods)
    text = text.replace("$ABOUT", json.dumps(about | {"pages": made.pages})).replace("$METHODS", methods)
    return text.replace("$NAME", name)


def types(made: Interface) -> str:
    """Content of `index.d.ts`."""
    outputs = "{ " + "; ".join(f"{name}: {made.arrays[name][0]}" for name in made.outputs) + " }"
    inputs = "; ".join(f"{n}: {'ArrayLike<number>' if size else 'number'}" for n, size in made.inputs.items())
    values = {"inputs": inputs, "outputs": outputs}
    values["result"] = f"{outputs} | null" if "finish" in made.methods else outputs
    methods = "\n".join("  " + METHODS[one][1].format(**values) for one in made.methods)
    return TYPES.format(methods=methods)
