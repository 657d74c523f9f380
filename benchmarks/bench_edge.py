"""Models as C: equality over compilers and machines, speed beside GRUStream's C++ step, WebAssembly, exported models.

    python benchmarks/bench_edge.py --part equality|speed|wasm|models|arm

Needs gcc, clang-14, arm-none-eabi-gcc, qemu-system-arm, zig and node on the PATH (ZIG names another zig), for `speed`
the core library (build/*/libgruworks_core.a, or --core), and for RNNoise --clients, the data folder's `clients`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import rnnoise
import torch
from record import ROOT, record, write

sys.path.insert(0, str(ROOT))  # for the tests' machines and models

from gruworks import GRU, Forecaster, Generator, Transcriber
from gruworks.interop import save_gru
from gruworks.interop.c import export
from gruworks.tasks import ready
from gruworks.tasks.exporting import export_c
from tests.interop.c.machines import ARM, HOST, WASM, Machine
from tests.interop.c.models import MODELS, model

SIZES = (16, 64, 256)
TASKS = {"forecast": Forecaster, "transcribe": Transcriber, "generate": Generator}
TIMED = """\
#define _POSIX_C_SOURCE 199309L
#include <stdio.h>
#include <time.h>
$INCLUDE
static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}
int main(void) {
  static float x[$I], y[$H];
  $START
  double best = 1e18;
  for (int round = 0; round < 200; ++round) {
    const double begun = now();
    for (int i = 0; i < $N; ++i) { x[0] = 0.1f * (float)(i % 7); $STEP }
    const double took = (now() - begun) / $N;
    if (took < best) best = took;
  }
  printf("%.1f %g\\n", best, (double)y[0]);
  return 0;
}
"""


def equality(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Largest differences of float32, relative to the range, and of int8's bits over all machines that are present."""
    machines = [machine for machine in (*HOST, *ARM, *WASM) if machine.present and arguments.only in machine.name]
    worst, different, tried = 0.0, 0, 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        exported = _exported(folder, arguments.clients)
        for one in exported:
            bits = set()
            for machine in machines:
                found = machine.run(folder, one, folder)
                tried += 61
                if one.endswith("int8"):
                    bits.add(found.bits)
                else:
                    worst = max(worst, found.largest / found.range)
            different += max(0, len(bits) - 1)
            print(one, worst, sorted(bits), flush=True)
    note = f"{len(machines)} compilers, flags and machines; {len(exported)} programs; tried: steps compared"
    return [
        record("edge/float-difference/abs", worst, tried=tried, note=f"relative to the range of the outputs; {note}"),
        record("edge/int8-difference/abs", float(different), tried=tried, note=f"programs whose bits differ; {note}"),
    ]


def _exported(folder: Path, clients: Path | None) -> list[str]:
    names = []
    for precision in ("float32", "int8"):
        for name in MODELS:
            names.append(f"{name}_{precision}")
            export(model(name), folder, names[-1], precision=precision, check=False)
        for task in ("forecast", "transcribe"):
            names.append(f"{task}_{precision}")
            export_c(TASKS[task].load(ready.find(task).path), folder, names[-1], precision, check=False)
        if clients:
            names.append(f"rnnoise_{precision}")
            graph = rnnoise.graph(clients / "rnnoise01" / "weights.rnn")
            export(graph, folder, names[-1], precision=precision, check=False)
    return names


def models(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Number of models of four kinds that are exported, compiled and equal."""
    count = 0
    with tempfile.TemporaryDirectory() as name:
        for task, estimator in TASKS.items():
            count += export_c(estimator.load(ready.find(task).path), name, task).largest_difference is not None
        if arguments.clients:
            graph = rnnoise.graph(arguments.clients / "rnnoise01" / "weights.rnn")
            count += export(graph, name, "rnnoise").largest_difference is not None
    return [record("edge/models/count", count, note="ready models of three tasks, and RNNoise 0.1's stack of GRUs")]


def speed(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Time of GRUStream's C++ step over that of the generated C, gcc -O3 -march=native, worst of three sizes."""
    core = arguments.core or max(ROOT.glob("build/*/libgruworks_core.a"), key=lambda path: path.stat().st_mtime)
    told, worst = [], float("inf")
    for H in SIZES:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            ours, theirs = _compiled_c(folder, H), _compiled_stream(folder, H, core)
            times = [(_time(ours), _time(theirs)) for _ in range(5)]
        c, stream = (min(one) for one in zip(*times, strict=True))
        worst = min(worst, stream / c)
        told.append(f"H={H}: {c:.0f} ns, GRUStream {stream:.0f} ns")
        print(told[-1], flush=True)
    note = "; ".join(told) + "; I=1, least of 5 x 200 rounds"
    return [record("edge/c-stream/ratio", round(worst, 3), threads=1, note=note)]


def _compiled_c(folder: Path, H: int) -> Path:
    torch.manual_seed(0)
    export(GRU(1, H), folder, "m", check=False)
    text = _timed(H, '#include "m.h"', "static m_state s; m_init(&s);", "m_step(&s, x, y);")
    return _compile(folder, "ours", text, [str(folder / "m.c")], "gcc")


def _compiled_stream(folder: Path, H: int, core: Path) -> Path:
    start = """static float w_ih[3 * $H], w_hh[3 * $H * $H], b[3 * $H];
  for (int i = 0; i < 3 * $H * $H; ++i) w_hh[i] = 0.001f * (float)(i % 101 - 50);
  for (int i = 0; i < 3 * $H; ++i) w_ih[i] = b[i] = 0.01f * (float)(i % 7 - 3);
  const gruworks_weights w = {1, $H, 0, w_ih, w_hh, b, b};
  gruworks_stream* s;
  if (gruworks_stream_create(GRUWORKS_FLOAT32, &w, 1, NULL, 1, &s)) return 1;"""
    step = "gruworks_stream_step(s, x); memcpy(y, gruworks_stream_state(s), sizeof y);"
    text = _timed(H, '#include <string.h>\n#include "gruworks.h"', start.replace("$H", str(H)), step)
    libraries = [f"-I{ROOT / 'src/gruworks/ops/native'}", str(core), "-lstdc++", "-lgomp", "-lm", "-lpthread"]
    return _compile(folder, "theirs", text, libraries, "gcc")


def _timed(H: int, include: str, start: str, step: str) -> str:
    text = TIMED.replace("$INCLUDE", include).replace("$START", start).replace("$STEP", step)
    return text.replace("$I", "1").replace("$H", str(H)).replace("$N", str(max(100, 100_000 // H)))


def _compile(folder: Path, name: str, text: str, others: list[str], compiler: str) -> Path:
    (folder / f"{name}.c").write_text(text)
    flags = ["-O3", "-march=native", f"-I{folder}"]
    subprocess.run([compiler, *flags, str(folder / f"{name}.c"), *others, "-o", str(folder / name)], check=True)
    return folder / name


def _time(program: Path) -> float:
    one_thread = {**os.environ, "OMP_NUM_THREADS": "1"}
    told = subprocess.run([program], capture_output=True, text=True, check=True, env=one_thread)
    return float(told.stdout.split()[0])


TIMED_IN_NODE = """\
let best = Infinity;
for (let round = 0; round < 300; round++) {
  const begun = performance.now();
  for (let i = 0; i < 100; i++) await_STEP;
  best = Math.min(best, ((performance.now() - begun) / 100) * 1000);
}
console.log(best);
"""
OURS = """\
import { load } from "./index.js";
const model = await load(), x = new Float32Array([0.1]);
"""
RIVAL = """\
import * as ort from "onnxruntime-web";
import { readFileSync } from "node:fs";
ort.env.wasm.numThreads = 1;
const session = await ort.InferenceSession.create(readFileSync("m.onnx"), { executionProviders: ["wasm"] });
const [x, h] = [1, 256].map((n) => new ort.Tensor("float32", new Float32Array(n).fill(0.1), [1, 1, n]));
const given = Object.fromEntries(session.inputNames.map((name, i) => [name, i ? h : x]));
"""


def wasm(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """A step of H = 256 in Node, beside ONNX Runtime Web; the size of a transcriber's module without its constants."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        torch.manual_seed(0)
        gru = GRU(1, 256)
        export(gru, folder, "m", check=False, wasm=True)
        took = _in_node(folder, OURS + TIMED_IN_NODE.replace("await_STEP", "model.step({ x })"))
        rival = None
        if arguments.rival:
            save_gru(gru, folder / "m.onnx")
            (folder / "node_modules").symlink_to((arguments.rival / "node_modules").resolve())
            rival = _in_node(folder, RIVAL + TIMED_IN_NODE.replace("await_STEP", "await session.run(given)"))
        report = export_c(Transcriber.load(ready.find("transcribe").path), folder, "digits", check=False, wasm=True)
        size = (folder / "digits.wasm").stat().st_size - report.constants
    told = "not measured" if rival is None else f"{rival:.1f} us"
    note = f"the package's model.step in Node, float32, I=1, SIMD128; ONNX Runtime Web, one thread: {told}"
    return [
        record("edge/wasm-h256/us", round(took, 2), note=note),
        record("edge/wasm-runtime/kb", round(size / 1000, 1), note="of the ready transcriber, without constants"),
    ]


def _in_node(folder: Path, script: str) -> float:
    (folder / "time.mjs").write_text(script)
    told = subprocess.run(["node", "time.mjs"], cwd=folder, capture_output=True, text=True, check=True).stdout
    return float(told)


def arm(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Instructions of a step on the Cortex-M4, counted by QEMU; printed only."""
    machine = next(one for one in ARM if "an386" in one.name and "-O2" in one.name)
    for precision in ("float32", "int8"):
        for H in (16, 64):
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                torch.manual_seed(0)
                module = GRU(1, H)
                export(module, folder, "m", precision=precision, check=False)
                step = _instructions(machine, folder)
            count = sum(one.numel() for one in module.parameters())
            print(json.dumps({"H": H, "precision": precision, "step": step, "a parameter": round(step / count, 2)}))
    return []


COUNTED = """\
#include "m.h"
#include <stdio.h>
static volatile uint32_t *const systick = (volatile uint32_t *)0xE000E010u; /* control, reload, value */
int main(void)
{
    static m_state s;
    static float x[1] = {0.1f}, y[64];
    m_init(&s);
    systick[1] = 0xffffffu;
    systick[2] = 0u;
    systick[0] = 5u;
    for (int i = 0; i < 1000; i++)
        m_step(&s, x, y);
    printf("ticks %lu\\n", (unsigned long)(0xffffffu - systick[2]));
    return 0;
}
"""


def _instructions(machine: Machine, folder: Path) -> float:
    """Instructions of a step: with -icount shift=0 one takes a nanosecond, and SysTick counts 40 of them."""
    main = folder / "main.c"
    main.write_text(COUNTED)
    program = machine.build(folder, "m", folder, str(main))
    command = [*machine.runner.replace("-kernel", "-icount shift=0 -kernel").split(), str(program)]
    told = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout
    return int(told.split()[1]) * 40 / 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parts = {"equality": equality, "models": models, "speed": speed, "wasm": wasm, "arm": arm}
    parser.add_argument("--part", choices=parts, required=True)
    parser.add_argument("--clients", type=Path, help="folder of outside users' models")
    parser.add_argument("--rival", type=Path, help="folder in which `npm install onnxruntime-web` ran")
    parser.add_argument("--core", type=Path, help="libgruworks_core.a")
    parser.add_argument("--only", default="", help="part of the machines' names")
    arguments = parser.parse_args()
    found = parts[arguments.part](arguments)
    if found:
        print(write("edge", found))


if __name__ == "__main__":
    main()
