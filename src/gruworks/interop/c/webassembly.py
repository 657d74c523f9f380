"""A program as an npm package: WebAssembly with SIMD, a JavaScript module around it, and its types."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from gruworks import __version__
from gruworks.errors import ExportError
from gruworks.interop.c.program import Program
from gruworks.interop.c.programs import FOLDER

__all__ = ["FLAGS", "compiler", "write_package"]

FLAGS = (
    "-O3",
    "-mexec-model=reactor",
    "-msimd128",
    "-std=c99",
    "-Wl,--no-entry",
    "-Wl,--export=__heap_base",
    "-Wl,--strip-all",
)
TYPES = """\
export class Model {{
{methods}  reset(): void;
  save(): Uint8Array;
  load(bytes: Uint8Array): void;
}}
export function load(source?: URL | string | BufferSource): Promise<Model>;
"""
TEXT = """\
  text(token) {
    const at = this.wasm[about.name + "_text"](token), bytes = new Uint8Array(this.wasm.memory.buffer);
    return bytes.slice(at, bytes.indexOf(0, at));
  }
"""
METHODS = {
    "observe": """\
  observe(value) {
    this.call("observe", value);
    this.call("forecast", ...this.addresses);
    return this.take();
  }
""",
    "sample": """\
  sample(scores, { temperature = 0.8, topK = 0, topP = 1, minP = 0 } = {}) {
    const how = (this.how ??= this.place("how", 16));
    const random = (this.random ??= this.place("random", 4));
    this.view("scores", about.outputs.scores).set(scores);
    new Float32Array(this.wasm.memory.buffer, how, 4).set([temperature, 0, topP, minP]);
    new Int32Array(this.wasm.memory.buffer, how + 4, 1)[0] = topK;
    return this.wasm[about.name + "_sample"](this.places.scores, how, random);
  }
"""
    + TEXT,
    "accept": """\
  accept(samples) {
    const room = (this.room ??= this.place("samples", 16384)), heard = (this.heard ??= this.place("heard", 16384));
    const tokens = [];
    for (let i = 0; i < samples.length; i += 4096) {
      const part = samples.slice(i, i + 4096);
      new Float32Array(this.wasm.memory.buffer, room, part.length).set(part);
      tokens.push(...this.tokens(this.call("accept", room, part.length, heard)));
    }
    return tokens;
  }
  tokens(count) {
    return new Int32Array(this.wasm.memory.buffer, this.heard, count);
  }
  finish() {
    this.heard ??= this.place("heard", 16384);
    return [...this.tokens(this.call("finish", this.heard))];
  }
"""
    + TEXT,
}
STEP_TYPES = """\
  step(inputs: {{ {inputs} }}): {result};
  finish(): {outputs} | null;
"""
TOKEN_TYPES = "  text(token: number): Uint8Array;\n"
METHOD_TYPES = {
    "": STEP_TYPES,
    "observe": "  observe(value: number): {outputs};\n",
    "sample": STEP_TYPES
    + "  sample(scores: ArrayLike<number>, how?: {{ temperature?: number; topK?: number; topP?: number;"
    " minP?: number }}): number;\n" + TOKEN_TYPES,
    "accept": "  accept(samples: Float32Array): number[];\n  finish(): number[];\n" + TOKEN_TYPES,
}


def compiler() -> list[str] | None:
    """The command of a C compiler for WebAssembly: zig, as a program or of PyPI's ziglang; None without one."""
    if found := shutil.which("zig"):
        return [found, "cc", "-target", "wasm32-wasi"]
    if importlib.util.find_spec("ziglang"):
        return [sys.executable, "-m", "ziglang", "cc", "-target", "wasm32-wasi"]
    return None


def write_package(program: Program, folder: Path) -> list[Path]:
    """Write NAME.wasm, index.js, index.d.ts and package.json beside the program's C.

    Raises:
        ExportError: no compiler for WebAssembly, or it fails.
    """
    command = compiler()
    if command is None:
        raise ExportError("WebAssembly is compiled by zig: pip install ziglang")
    about, kind = _about(program), _kind(program)
    module = folder / f"{program.name}.wasm"
    names = [f"-Wl,--export={program.name}_{name}" for name in _functions(program)]
    done = subprocess.run(
        [*command, *FLAGS, *names, str(folder / f"{program.name}.c"), "-o", str(module)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise ExportError(f"the C was not compiled to WebAssembly: {done.stderr.strip()[-2000:]}")
    script = (FOLDER / "index.js").read_text(encoding="utf-8")
    script = script.replace("$ABOUT", json.dumps(about)).replace("$METHODS", METHODS.get(kind, ""))
    (folder / "index.js").write_text(script.replace("$NAME", program.name), encoding="utf-8")
    (folder / "index.d.ts").write_text(_types(about, kind), encoding="utf-8")
    description: dict[str, Any] = {"name": program.name, "version": __version__, "type": "module", "main": "index.js"}
    description |= {"types": "index.d.ts", "files": ["index.js", "index.d.ts", module.name]}
    (folder / "package.json").write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
    return [module, *(folder / name for name in ("index.js", "index.d.ts", "package.json"))]


def _kind(program: Program) -> str:
    return next((kind for kind in METHODS if f"{program.name}_{kind}(" in program.declarations), "")


def _functions(program: Program) -> list[str]:
    network = ["step", *["finish"] * bool(program.network.delaying)]
    own = {
        "observe": ["observe", "forecast"],
        "sample": [*network, "sample", "text"],
        "accept": ["accept", "finish", "text"],
    }.get(_kind(program), network)
    return [*own, "init", "reset", "save", "load"]


def _about(program: Program) -> dict[str, Any]:
    inputs, outputs, size = dict(program.network.inputs), program.network.output_sizes(), 4
    if _kind(program) == "observe":
        inputs, size = {}, 8
        outputs = dict.fromkeys(("median", "low", "high"), program.defines["HORIZON"])
    return {
        "name": program.name, "inputs": inputs, "outputs": outputs, "size": size, "stateBytes": program.ram + 256,
        "savedBytes": program.ram + 4, "delays": bool(program.network.delaying), **program.defines,
    }  # fmt: skip


def _types(about: dict[str, Any], kind: str) -> str:
    array = "Float64Array" if about["size"] == 8 else "Float32Array"
    outputs = "{ " + "; ".join(f"{name}: {array}" for name in about["outputs"]) + " }"
    inputs = "; ".join(f"{n}: {'ArrayLike<number>' if size else 'number'}" for n, size in about["inputs"].items())
    result = f"{outputs} | null" if about["delays"] else outputs
    return TYPES.format(methods=METHOD_TYPES[kind].format(inputs=inputs, outputs=outputs, result=result))
