"""The recurrence against every engine that a user could pick, and against what the processor can do.

    python benchmarks/bench_recurrence.py [--quick] [--keep] [--parts PART ...] [--onednn PROGRAM] [--sweep]

Engines alternate in one process, each the smallest time of several rounds with a pause before each (their pools spin
for a while after work); oneDNN (its program: onednn_gru.cc) runs in a process of its own. The limits are measured
here too (limits.cc, compiled for this processor). --parts measures some of the tables, or "others" (steps, cache
bandwidth, among operators); what it leaves out stays as the file has it, and the figures are formed of the whole.
--sweep measures the kernel alone over batches and widths instead; with GRUWORKS_KERNEL=avx2 its AVX2 build.

The other engines come from requirements-recurrence.txt; the oneDNN program is built as onednn_gru.cc says:

    python -m venv rivals && rivals/bin/pip install -r benchmarks/requirements-recurrence.txt -c constraints.txt -e .
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import recurrence_engines as engines
import torch
from record import commit, machine
from recurrence_engines import Run, Shape, least
from recurrence_sweep import sweep

import gruworks
from gruworks.ops.backend import backend
from gruworks.ops.stream import GRUStream
from gruworks.ops.weights import GRUWeights

HERE = Path(__file__).parent
SHAPES: list[Shape] = [
    (100, 1, 64, 64), (1000, 1, 128, 128), (100, 1, 256, 256), (100, 1, 512, 512), (784, 16, 1, 128),
    (100, 32, 64, 128), (200, 32, 256, 256), (100, 64, 512, 512), (50, 128, 128, 256),
]  # fmt: skip
GROUPS: dict[str, Callable[[Shape], bool]] = {
    "b1-small": lambda s: s[1] == 1 and s[3] <= 128,
    "b1-large": lambda s: s[1] == 1 and s[3] >= 256,
    "b16": lambda s: 16 <= s[1] <= 32 and s[3] == 128,
    "b32": lambda s: s[1] >= 32 and s[3] >= 256,
}
LIMITS, RESETS = "recurrence-table/limits", ("after", "before")
PARTS = ("after-fwd", "after-train", "before-fwd", "before-train", "others")
Times = dict[str, float]


def row_id(shape: Shape, reset: str, train: bool) -> str:
    return f"recurrence-table/{reset}/{'train' if train else 'fwd'}/{','.join(map(str, shape))}"


class Bench:
    def __init__(self, rounds: int, milliseconds: float, onednn: str | None) -> None:
        self.rounds, self.milliseconds = rounds, milliseconds
        self.onednn = engines.OneDnn(onednn) if onednn else None
        self.threads = torch.get_num_threads()
        self.earlier: dict[str, Any] = {}

    def times(self, shape: Shape, reset: str, train: bool) -> Times:
        """Smallest milliseconds of every engine, in alternation."""
        runs: dict[str, Run | None] = {
            "kernel": engines.kernel(shape, reset, train, self.threads),
            "gruworks": engines.gruworks_module(shape, reset, train),
            "torch": engines.torch_module(shape, reset, train),
            "onnxruntime": engines.onnxruntime_session(shape, reset, train),
            "jax": engines.jax_scan(shape, reset, train),
        }
        if reset == "before":  # what the form costs is known only where both run in turn
            runs["after"] = engines.kernel(shape, "after", train, self.threads)
        found = self.alternate({name: run for name, run in runs.items() if run}, (shape, reset, train))
        earlier = self.earlier.get(row_id(shape, reset, train), {}).get("milliseconds", {})
        found = {name: min(value, earlier.get(name, value)) for name, value in found.items()}
        kind = "train" if train else "forward"
        print(f"{reset:6} {kind:8}{shape!s:22}", "  ".join(f"{k} {v:.3f}" for k, v in found.items()), flush=True)
        return found

    def alternate(self, runs: dict[str, Run], onednn: tuple[Shape, str, bool] | None = None) -> Times:
        found = dict.fromkeys(runs, float("inf"))
        for run in runs.values():
            run()
        for _ in range(self.rounds):
            for name, run in runs.items():
                time.sleep(0.02)
                found[name] = min(found[name], least(run, self.milliseconds))
            if onednn and self.onednn:
                time.sleep(0.02)
                mine = self.onednn.least(*onednn, self.milliseconds)
                found["onednn"] = min(found.get("onednn", mine), mine)
        return found


def limits() -> dict[str, Any]:
    """Limits of the processor with the vectors of the build in use."""
    vectors = ["-mno-avx512f"] if backend().name == "avx2" else []
    with tempfile.TemporaryDirectory() as folder:
        program = f"{folder}/limits"
        flags = ["-O3", "-march=native", *vectors, "-fopenmp"]
        subprocess.run(["g++", *flags, str(HERE / "limits.cc"), "-o", program], check=True)
        found: dict[str, Any] = json.loads(subprocess.run([program], check=True, capture_output=True, text=True).stdout)
    return found


def gigaflops(shape: Shape, train: bool, milliseconds: float) -> float:
    T, B, I, H = shape  # noqa: E741
    return (3 if train else 1) * 6 * T * B * H * (H + I) / milliseconds / 1e6


def among_operators(bench: Bench) -> float:
    """Microseconds over the sum of the parts: (100, 1, 64, 64) then Linear, inference."""
    gru, linear, x = gruworks.GRU(64, 64), torch.nn.Linear(64, 64), torch.randn(100, 1, 64)
    with torch.no_grad():
        h = gru(x)[0]
        found = bench.alternate({"both": lambda: linear(gru(x)[0]), "gru": lambda: gru(x), "linear": lambda: linear(h)})
    return 1e3 * (found["both"] - found["gru"] - found["linear"])


def steps(bench: Bench) -> dict[str, float]:
    """Microseconds of one step of one session, I = 1: from C++, and what a call from Python adds (the worst)."""
    found, added = {}, []
    for H in (64, 128, 256):
        stream = GRUStream(GRUWeights.random(1, H).astype(numpy.float32))
        x = numpy.ones((1, 1), numpy.float32)

        def calls(stream: GRUStream = stream, x: Any = x) -> None:
            for _ in range(1000):
                stream.step(x)

        times = bench.alternate({"c++": lambda s=stream, x=x: s._native.repeat(x, 1000), "python": calls})
        found[f"step-h{H}/us"] = times["c++"]
        added.append(times["python"] - times["c++"])
    return {**found, "step-python/us": max(added)}


def bandwidth_share(bench: Bench, read: dict[str, float]) -> dict[int, float]:
    """Bytes of the recurrent weights per step over the bandwidth of the cache that they fit, B = 1."""
    found = {}
    for H in (256, 512):
        time_ms = bench.alternate({"kernel": engines.recurrent_part((100, 1, 0, H), bench.threads)})["kernel"]
        found[H] = 12 * H * H * 100 / time_ms / 1e6 / read[str(12 * H * H // 1000)]
    return found


def ratios(kind: str, table: dict[Shape, Times]) -> dict[str, tuple[float, str]]:
    """The figures of one table: worst shape of each class, the best other engine's time over ours."""
    found: dict[str, tuple[float, str]] = {}

    def worst(name: str, member: Callable[[Shape], bool], value: Callable[[Times], float]) -> None:
        found[name] = min((value(table[s]), f"worst at T,B,I,H = {s}") for s in table if member(s))

    others = ("torch", "onnxruntime", "jax", "onednn")
    for group, member in GROUPS.items():
        worst(f"{kind}-{group}/ratio", member, lambda t: min(t[e] for e in others if e in t) / t["gruworks"])
    worst(f"{kind}-torch/ratio", lambda s: True, lambda t: t["torch"] / t["gruworks"])
    worst(f"{kind}-torch-b1/ratio", lambda s: s[1] == 1 and s[3] <= 256, lambda t: t["torch"] / t["gruworks"])
    return found


def peaks(kind: str, table: dict[Shape, Times], fma: float) -> dict[str, tuple[float, str]]:
    found = {}
    for group in ("b32", "b16") if kind == "fwd" else ("b32",):
        shares = [(gigaflops(s, kind == "train", table[s]["kernel"]) / fma, s) for s in table if GROUPS[group](s)]
        share, shape = min(shares)
        found[f"{kind}-{group}/peak"] = share, f"worst at T,B,I,H = {shape}; peak {fma} GFLOP/s measured"
    return found


def tables(bench: Bench, parts: list[str]) -> dict[str, Times]:
    """Times of every engine by a row's id."""
    found: dict[str, Times] = {}
    for part in (part for part in PARTS if part in parts and part != "others"):
        reset, kind = part.split("-")
        for shape in SHAPES:
            found[row_id(shape, reset, kind == "train")] = bench.times(shape, reset, kind == "train")
    return found


def others(bench: Bench, limit: dict[str, Any]) -> dict[str, tuple[float, str]]:
    found = {"among-operators/us": (among_operators(bench), "GRU(64, 64) at (100, 1, 64), then Linear(64, 64)")}
    found |= {name: (value, "float32, warm") for name, value in steps(bench).items()}
    shares = bandwidth_share(bench, limit["read"])
    by_width = ", ".join(f"H = {H}: {share:.3g}" for H, share in shares.items())
    return {
        **found,
        "b1-bandwidth/share": (min(shares.values()), f"precomputed input projections in place of x; {by_width}"),
    }


def figures(rows: dict[str, Any], limit: dict[str, Any]) -> dict[str, tuple[float, str]]:
    found: dict[str, tuple[float, str]] = {}
    table = {
        (reset, train): {s: rows[row_id(s, reset, train)]["milliseconds"] for s in SHAPES}
        for reset in RESETS for train in (False, True)
    }  # fmt: skip
    for kind, train in (("fwd", False), ("train", True)):
        after, before = table["after", train], table["before", train]
        found |= ratios(kind, after) | peaks(kind, after, limit["fma"])
        cost = max(
            (before[s]["kernel"] / before[s]["after"], f"kernel alone, worst at {s}") for s in SHAPES if s[1] >= 16
        )
        found["before-train/cost" if train else "before-b16/cost"] = cost
    before = table["before", False]
    found["before-b1-ort/ratio"] = min(
        (before[s]["onnxruntime"] / before[s]["gruworks"], f"worst at {s}") for s in SHAPES if s[1] == 1
    )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="three short rounds")
    parser.add_argument(
        "--keep", action="store_true", help="keep earlier results' smaller times, of every engine alike"
    )
    parser.add_argument("--parts", nargs="+", default=list(PARTS), choices=PARTS, help="what to measure (all)")
    parser.add_argument("--onednn", help="the program built from onednn_gru.cc")
    parser.add_argument("--out", default=str(HERE / "results" / "recurrence.json"))
    parser.add_argument("--sweep", action="store_true", help="the kernel alone over batches and widths")
    parser.add_argument("--forms", nargs="+", default=["after"], choices=["after", "before"], help="of the sweep")
    options = parser.parse_args()
    bench = Bench(3 if options.quick else 6, 120 if options.quick else 250, options.onednn)
    out = Path(options.out)
    earlier = {row["id"]: row for row in json.loads(out.read_text(encoding="utf-8"))} if out.exists() else {}
    bench.earlier = earlier if options.keep else {}
    limit = limits()
    print(backend(), limit, flush=True)
    if options.sweep:
        bench.rounds, bench.milliseconds = 4, 40
        sweep(bench, limit, tuple(options.forms))
        return
    if options.keep and LIMITS in earlier:
        limit["fma"] = max(limit["fma"], earlier[LIMITS]["limits"]["fma"])
    rows = earlier | measure(bench, options.parts, limit)
    if all(row_id(shape, *part) in rows for shape in SHAPES for part in itertools.product(RESETS, (False, True))):
        rows |= {f"recurrence/{name}": described(bench, f"recurrence/{name}", *value)
                 for name, value in figures(rows, limit).items()}  # fmt: skip
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(list(rows.values()), indent=1) + "\n", encoding="utf-8")


def measure(bench: Bench, parts: list[str], limit: dict[str, Any]) -> dict[str, Any]:
    """The rows of these parts, by id."""
    rows = {LIMITS: {**described(bench, LIMITS, limit["fma"]), "limits": limit}}
    for name, times in tables(bench, parts).items():
        _, _, kind, sizes = name.split("/")
        T, B, I, H = map(int, sizes.split(","))  # noqa: E741
        rate = gigaflops((T, B, I, H), kind == "train", times["kernel"])
        rows[name] = {**described(bench, name, times["gruworks"]), "milliseconds": times, "gigaflops": rate}
    if "others" in parts:
        for name, value in others(bench, limit).items():
            rows[f"recurrence/{name}"] = described(bench, f"recurrence/{name}", *value)
    return rows


def described(bench: Bench, name: str, value: float, note: str = "") -> dict[str, Any]:
    row = {
        "id": name, "value": value, "command": "python benchmarks/bench_recurrence.py --quick --keep --onednn PROGRAM",
        "commit": commit(), "machine": f"{machine()}, build {backend().name}", "threads": bench.threads,
    }  # fmt: skip
    return {**row, "note": note} if note else row


if __name__ == "__main__":
    main()
