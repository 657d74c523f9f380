"""Weights of other frameworks give their own outputs here and go back; a step of ours beside theirs.

    python benchmarks/bench_exchange.py same --keras PYTHON --jax PYTHON [--tensorflow PYTHON]
    python benchmarks/bench_exchange.py stream           T = 1 against ONNX Runtime, 1,000 sessions against torch

PYTHON is the interpreter of an environment made from requirements-keras.txt or requirements-jax.txt, where
exchange_rivals.py runs. `same` compares float32 outputs over 30 steps at H = 8, 64, 256, ours by the native kernel,
both ways, and the bits on the way back. `stream` takes the least of 25 rounds in turns, on one thread and on all.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy
import onnxruntime
import torch
from exchange_rivals import SIZES, B, T, flat, unflat
from record import record, write

import gruworks
from gruworks.interop import equinox, flax, keras, onnx
from gruworks.interop.stack import Stack
from gruworks.interop.torch import from_module, to_module
from gruworks.ops import GRUStream, GRUWeights

RIVALS = Path(__file__).with_name("exchange_rivals.py")
TREES: dict[str, tuple[Callable[[Any], GRUWeights], Callable[[GRUWeights], Any]]] = {
    "nnx": (flax.from_nnx, flax.to_nnx),
    "linen": (flax.from_linen, flax.to_linen),
    "equinox": (equinox.from_cell, equinox.to_arrays),
}


def rival(python: str, framework: str, what: str, folder: Path, backend: str = "torch") -> None:
    environment = os.environ | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run([python, str(RIVALS), framework, what, str(folder)], check=True, env=environment)


def worst(one: Any, other: Any) -> float:
    return float(numpy.abs(numpy.asarray(one, "f4") - numpy.asarray(other, "f4")).max())


def same_bits(one: Path, other: Path) -> bool:
    """True if two Keras files hold the same GRU arrays, to the sign of a zero."""
    pairs = zip(keras.find(one), keras.find(other), strict=True)
    return all(
        a is b or (a is not None and b is not None and a.tobytes() == b.tobytes())
        for mine, theirs in pairs
        for w, v in zip(mine.each(), theirs.each(), strict=True)
        for a, b in zip(w.arrays(), v.arrays(), strict=True)
    )


@torch.no_grad()
def keras_differences(python: str, folder: Path, backend: str) -> Iterator[tuple[str, float]]:
    rival(python, "keras", "make", folder, backend)
    for path in sorted(folder.glob("*.npz")):
        seen = numpy.load(path)
        for suffix in (".keras", ".weights.h5", ".h5"):
            file = path.with_name(path.stem + suffix)
            (layer,) = keras.load_gru(file).values()
            yield f"{file.name} read", worst(layer(torch.from_numpy(seen["x"]))[0], seen["gru"])
            keras.write_back(file, [from_module(layer, keras.find(file)[0].name)], folder / f"back{suffix}")
            if not same_bits(file, folder / f"back{suffix}"):
                raise SystemExit(f"{file.name} did not go back bit for bit")
    originals = {}
    for H in SIZES:
        for reset in ("after", "before"):
            gru = gruworks.GRU(5, H, 2, batch_first=True, bidirectional=True, reset=reset)
            name, x = f"ours_{H}_{reset}", torch.randn(B, T, 5)
            keras.save_gru(gru, folder / f"{name}.keras")
            numpy.save(folder / f"{name}.x.npy", x.numpy())
            originals[name] = gru(x)[0].numpy()
    rival(python, "keras", "check", folder, backend)
    for name, expected in originals.items():
        yield f"{name} written", worst(numpy.load(folder / f"{name}.y.npy"), expected)


@torch.no_grad()
def jax_differences(python: str, folder: Path) -> Iterator[tuple[str, float]]:
    rival(python, "jax", "make", folder)
    originals = {}
    for path in sorted(folder.glob("*.npz")):
        arrays = dict(numpy.load(path))
        x, y, name = arrays.pop("x"), arrays.pop("y"), path.stem.split("_")[0]
        read, give = TREES[name]
        weights = read(unflat(arrays))
        yield f"{path.name} read", worst(to_module(Stack("", ((weights,),)))(torch.from_numpy(x))[0], y)
        if any(array.tobytes() != arrays[key].tobytes() for key, array in flat(give(weights)).items()):
            raise SystemExit(f"{path.name} did not go back bit for bit")
        ours = GRUWeights.random(x.shape[-1], weights.hidden_size).astype("f4")
        if name == "nnx":
            ours.b_hh[-weights.hidden_size :] = 0  # what it can't hold
        originals[f"ours_{path.stem}"] = to_module(Stack("", ((ours,),)))(torch.from_numpy(x))[0].numpy()
        numpy.savez(folder / f"ours_{path.stem}.npz", x=x, **flat(give(ours)))
    rival(python, "jax", "check", folder)
    for name, expected in originals.items():
        yield f"{name} written", worst(numpy.load(folder / f"{name}.y.npy"), expected)


@torch.no_grad()
def onnx_differences(folder: Path) -> Iterator[tuple[str, float]]:
    for H in SIZES:
        for reset in ("after", "before"):
            for both in (False, True):
                gru = gruworks.GRU(H // 2 + 1, H, 2, bidirectional=both, reset=reset)
                onnx.save_gru(gru, folder / "m.onnx", lengths=True)
                x, h, ends = torch.randn(T, B, H // 2 + 1), torch.randn(2 + 2 * both, B, H), torch.tensor([T, 7, 19])
                feed = {"input": x.numpy(), "h0": h.numpy(), "lengths": ends.int().numpy()}
                found = onnxruntime.InferenceSession(folder / "m.onnx").run(None, feed)
                expected = gru(x, h, lengths=ends)
                yield f"{H} {reset} {both}", max(worst(a, b) for a, b in zip(found, expected, strict=True))


def same(given: argparse.Namespace) -> list[dict[str, Any]]:
    torch.manual_seed(0)
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("keras", "tensorflow", "jax", "onnx"):
            (folder / part).mkdir()
        found["onnx"] = dict(onnx_differences(folder / "onnx"))
        found["keras"] = dict(keras_differences(given.keras, folder / "keras", "torch"))
        found["jax"] = dict(jax_differences(given.jax, folder / "jax"))
        if given.tensorflow:
            found["tensorflow"] = dict(keras_differences(given.tensorflow, folder / "tensorflow", "tensorflow"))
    largest = {name: max(cases.items(), key=lambda case: case[1]) for name, cases in found.items()}
    rows = [
        record(f"exchange-table/{name}/abs", value, note=f"largest of {len(found[name])} cases: {case}")
        for name, (case, value) in largest.items()
    ]
    name = max((name for name in largest if name != "tensorflow"), key=lambda name: largest[name][1])
    note = (
        f"{name}, {largest[name][0]}; Keras on its torch backend, ONNX Runtime, flax nnx and linen, Equinox; both ways"
    )
    return [record("exchange/worst-difference/abs", largest[name][1], note=note), *rows]


def both(ours: Callable[[], Any], theirs: Callable[[], Any], calls: int, rounds: int = 25) -> tuple[float, float]:
    """Microseconds a call of each, the least of `rounds`; they take turns, so that both see the same machine."""
    found: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for run, times in zip((ours, theirs), found, strict=True):
            begun = time.perf_counter()
            for _ in range(calls):
                run()
            times.append((time.perf_counter() - begun) / calls * 1e6)
    return min(found[0]), min(found[1])


def runtime_step(weights: GRUWeights, threads: int) -> Callable[[], Any]:
    """ONNX Runtime's step as a user writes it: the state out is fed back in."""
    with tempfile.TemporaryDirectory() as folder:
        onnx.save_gru(Stack("g", ((weights,),)), Path(folder) / "m.onnx")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(Path(folder) / "m.onnx", options)
    x = numpy.random.default_rng(0).standard_normal((1, 1, weights.input_size)).astype("f4")
    feed = {"input": x, "h0": numpy.zeros((1, 1, weights.hidden_size), "f4")}
    wanted = ["h_n"]

    def step() -> None:
        feed["h0"] = session.run(wanted, feed)[0]

    return step


def stream(_: argparse.Namespace) -> list[dict[str, Any]]:
    """The figures are the worst over sizes, and over one thread and all of them; both engines have as many."""
    one, many = {}, {}
    for threads in sorted({1, len(os.sched_getaffinity(0))}):
        torch.set_num_threads(threads)
        one |= {(H, reset, threads): alone(H, reset, threads) for H in (64, 128, 256) for reset in ("after", "before")}
        sizes = [(64, 64), (128, 128), (256, 256), (1, 64), (1, 128), (1, 256)]
        many |= {(width, H, threads): sessions(width, H, threads) for width, H in sizes}
    worst_one, worst_many = (min(found, key=lambda key: found[key][1] / found[key][0]) for found in (one, many))
    width, H, threads = worst_many
    rate = 1000 * 2 * 3 * H * (width + H) / many[worst_many][0] / 1e3  # GFLOP/s of the products
    rows = [
        record("exchange/stream-ort/ratio", one[worst_one][1] / one[worst_one][0], threads=worst_one[2],
               note=f"worst of I = H = 64, 128, 256, both forms, one thread and all: at {worst_one}"),
        record("exchange/stream-1000/ratio", many[worst_many][1] / many[worst_many][0], threads=threads,
               note="worst of H = 64, 128, 256 with I = H and I = 1, one thread and all: at "
               f"I = {width}, H = {H}, {threads} threads; the stream does {rate:.0f} GFLOP/s there"),
        record("exchange-table/import/seconds", import_cost(), note="a stream imported and made, after numpy; median"),
    ]  # fmt: skip
    for (H, reset, n), (ours, theirs) in one.items():
        note = f"{theirs / ours:.2f} times as fast as ONNX Runtime ({theirs:.3g} us)"
        rows.append(record(f"exchange-table/stream/{H}/{reset}/{n}/us", ours, baseline=theirs, threads=n, note=note))
    for (width, H, n), (ours, theirs) in many.items():
        figure = f"exchange-table/stream-1000/{width},{H}/{n}/per-second"
        note = f"I={width}, H={H}, session steps a second: {theirs / ours:.2f} times torch.nn.GRUCell's"
        rows.append(record(figure, 1e9 / ours, baseline=1e9 / theirs, threads=n, note=note))
    return rows


def alone(H: int, reset: Any, threads: int) -> tuple[float, float]:
    """Microseconds a step of one session, I = H: the stream's and ONNX Runtime's."""
    weights = GRUWeights.random(H, H, reset).astype("f4")
    ours, x = GRUStream(weights, threads=threads), numpy.random.default_rng(0).standard_normal((1, H)).astype("f4")
    return both(lambda: ours.step(x), runtime_step(weights, threads), 300)


def sessions(I: int, H: int, threads: int) -> tuple[float, float]:  # noqa: E741 (the field's letter)
    """Microseconds a step of 1,000 sessions: the stream's and the cell's."""
    x = numpy.random.default_rng(0).standard_normal((1000, I)).astype("f4")
    ours = GRUStream(GRUWeights.random(I, H).astype("f4"), 1000, threads=threads)
    cell, given, state = torch.nn.GRUCell(I, H), torch.from_numpy(x), [torch.zeros(1000, H)]

    def step() -> None:
        state[0] = cell(given, state[0])

    with torch.no_grad():
        return both(lambda: ours.step(x), step, 10)


def import_cost() -> float:
    """Seconds from `import numpy` to a stream that can step, each in a process of its own."""
    code = "import time, numpy; begun = time.perf_counter(); from gruworks.ops import GRUStream, GRUWeights; "
    code += "GRUStream(GRUWeights.random(2, 3)); print(time.perf_counter() - begun)"
    runs = [subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True) for _ in range(10)]
    return statistics.median(float(run.stdout) for run in runs[1:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=["same", "stream"])
    parser.add_argument("--keras", default=sys.executable)
    parser.add_argument("--jax", default=sys.executable)
    parser.add_argument("--tensorflow")
    given = parser.parse_args()
    records = same(given) if given.part == "same" else stream(given)
    # The command names no one's folders.
    for one in records:
        one["command"] = f"python benchmarks/bench_exchange.py {given.part}" + (
            " --keras PYTHON --jax PYTHON --tensorflow PYTHON" if given.part == "same" else ""
        )
        print(f"{one['id']:44}{one['value']:.4g}  {one.get('note', '')}")
    write("exchange", records)


if __name__ == "__main__":
    main()
