"""Peak memory of one training step, ours and torch's, plain and with recompute, beside its time.

    python benchmarks/bench_memory.py [--quick | --curve] [--shape T B I H] [--no-times]

Each cell is a fresh process: it builds a GRU (B = 16, I = 64, H = 128 and others) and its input, does one step at
T = 10 so that everything is loaded, then one at T: forward, sum of squares, backward. Memory is the peak of the
resident set over what stood there before that step. Time is the smallest of three further steps, on one thread; on a
machine that does other work --no-times leaves it out of the notes.
--curve varies the steps between kept states, and draws docs/memory.png: time over memory.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy
from record import ROOT, record, write

SHAPES = (
    (1000, 16, 64, 128),
    (10_000, 16, 64, 128),
    (10_000, 1, 64, 128),
    (10_000, 8, 256, 256),
    (100_000, 1, 64, 128),
)
ENGINES = ("torch", "ours", "recompute")
CURVE, SEGMENTS = ((10_000, 16, 64, 128), (10_000, 1, 64, 128)), (1, 3, 10, 30, 100, 300, 1000, 3000)


def cell(engine: str, T: int, B: int, inputs: int, hidden: int) -> dict[str, float]:
    import torch

    from gruworks import GRU

    torch.manual_seed(0)
    torch.set_num_threads(1)
    steps = int(engine) if engine.isdigit() else engine == "recompute"
    made = torch.nn.GRU(inputs, hidden) if engine == "torch" else GRU(inputs, hidden, recompute=steps)
    made.load_state_dict(torch.nn.GRU(inputs, hidden).state_dict())

    def step(x: torch.Tensor) -> float:
        made.zero_grad()
        begun = time.perf_counter()
        output, _ = made(x)
        output.square().sum().backward()
        return time.perf_counter() - begun

    step(torch.randn(10, B, inputs))
    x = torch.randn(T, B, inputs)
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew from what is resident now
    before = resident()
    step(x)
    used = peak() - before
    seconds = min(step(x) for _ in range(3))
    return {"MB": used / 1024, "ms": 1000 * seconds}


def peak() -> int:
    """Kilobytes of the largest resident set since the peak was reset."""
    return field("VmHWM")


def resident() -> int:
    return field("VmRSS")


def field(name: str) -> int:
    text = Path("/proc/self/status").read_text()
    return int(text.partition(f"{name}:")[2].split()[0])


def apart(engine: str, shape: tuple[int, ...]) -> dict[str, float]:
    command = [sys.executable, __file__, "--cell", engine, *map(str, shape)]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the first two shapes; nothing is recorded")
    parser.add_argument("--curve", action="store_true", help="by the steps between kept states")
    parser.add_argument("--shape", nargs=4, type=int, metavar=tuple("TBIH"), help="this shape of the table alone")
    parser.add_argument("--no-times", action="store_true", help="record memory alone")
    parser.add_argument("--cell", nargs=5, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.cell:
        print(json.dumps(cell(args.cell[0], *map(int, args.cell[1:]))))
        return
    if args.curve:
        curve()
        return
    figures = []
    for shape in [tuple(args.shape)] if args.shape else SHAPES[: 2 if args.quick else None]:
        found = {engine: apart(engine, shape) for engine in ENGINES}
        T, B, inputs, hidden = shape
        times = {engine: "" if args.no_times else f" in {one['ms']:.0f} ms" for engine, one in found.items()}
        told = ", ".join(f"{engine} {one['MB']:.0f} MB{times[engine]}" for engine, one in found.items())
        print(f"T = {T}, B = {B}, I = {inputs}, H = {hidden}: {told}", flush=True)
        for engine in ENGINES[1:]:
            name = "train-memory" if engine == "recompute" else "train-memory-plain"
            mark = "" if shape in SHAPES[:2] else f"-b{B}-h{hidden}"
            ratio = found[engine]["MB"] / found["torch"]["MB"]
            figures.append(
                record(
                    f"recurrence/{name}-t{T}{mark}/ratio", ratio, note=f"B = {B}, I = {inputs}, H = {hidden}; {told}"
                )
            )
    if not args.quick:
        write("memory", figures)


def curve() -> None:
    """Memory and time by k, the steps between two kept states, beside no recomputing and the k that True chooses."""
    from gruworks.plots.curves import Curve, Panel, draw_curves

    panels, figures = [], []
    for shape in CURVE:
        T, B, inputs, hidden = shape
        found = {engine: apart(engine, shape) for engine in ("ours", "recompute", *map(str, SEGMENTS))}
        said = {"ours": "all kept", "recompute": "k chosen"} | {str(k): f"k = {k}" for k in SEGMENTS}
        for engine, one in found.items():
            note = f"T = {T}, B = {B}, I = {inputs}, H = {hidden}; {said[engine]}: {one['ms']:.0f} ms"
            print(f"{one['MB']:.0f} MB; {note}", flush=True)
            figures.append(record(f"recurrence/memory-curve-b{B}/{engine}/mb", one["MB"], note=note, threads=1))
        points = [found[str(k)] for k in SEGMENTS]
        lines = {f"k = {SEGMENTS[0]} to {SEGMENTS[-1]}": points}
        lines |= {said[engine]: [found[engine]] for engine in ("ours", "recompute")}
        curves = {
            name: Curve(numpy.array([one["MB"] for one in some]), numpy.array([one["ms"] for one in some]))
            for name, some in lines.items()
        }
        panels.append(
            Panel(f"T = {T:,}, B = {B}, H = {hidden}", curves, x_axis="MB", y_axis="ms a step", logarithmic=False)
        )
    draw_curves(panels, ROOT / "docs" / "memory.png", "A training step's time over its peak memory, by k")
    write("memory", figures)


if __name__ == "__main__":
    main()
