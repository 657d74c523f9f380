"""Stacks, two directions, small units and the cost of a call, against torch, ONNX Runtime, JAX and oneDNN.

    python benchmarks/bench_stacks.py [--rounds 7] [--onednn PROGRAM]

Engines alternate in one process; the time of each is the median over the rounds of the smallest of a round. ONNX
Runtime runs by IOBinding, on one thread and on all, and the faster counts. The oneDNN program computes one layer in one
direction: of a stack or of two directions its times are added. Environment: as bench_recurrence.py.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy
import recurrence_engines as engines
import torch
from record import record, write
from recurrence_engines import Run, least

import gruworks
from gruworks.nn.recurrence import kernel
from gruworks.ops import activations
from gruworks.ops.backend import backend
from gruworks.ops.recurrence import saved_width


class Unit(NamedTuple):
    """A stack of L layers in D directions over [T, B, I]."""

    T: int
    B: int
    I: int  # noqa: E741 (the field's letter)
    H: int
    L: int = 1
    D: int = 1


LARGE = ((1000, 1, 128, 128), (100, 1, 64, 64))
SMALL = tuple((100, 1, H, H) for H in (8, 16, 24, 32))
ROWS: dict[str, tuple[list[Unit], bool]] = {
    f"{name}-{kind}": ([Unit(*shape, L, D) for shape in shapes], train)
    for name, shapes, L, D in (
        ("stack2-b1", LARGE, 2, 1), ("bi-b1", LARGE, 1, 2), ("small-b1", SMALL, 1, 1),
    )
    for kind, train in (("fwd", False), ("train", True)) if (name, train) != ("small-b1", True)
}  # fmt: skip


def by_module(make: Any, unit: Unit, train: bool) -> Run:
    gru = make(unit.I, unit.H, unit.L, bidirectional=unit.D == 2)
    x = torch.randn(unit.T, unit.B, unit.I, requires_grad=train)
    ones, corner, leaves = (
        torch.ones(unit.T, unit.B, unit.D * unit.H),
        gru.weight_hh_l0.detach().numpy(),
        [x, *gru.parameters()],
    )

    def forward() -> Any:
        with torch.no_grad():
            return gru(x)

    def step() -> None:
        corner[0, 0] += 1e-6  # changed weights, as after an optimiser's step
        gru(x)[0].backward(ones)
        for leaf in leaves:
            leaf.grad = None

    return step if train else forward


def by_onnxruntime(unit: Unit, threads: int) -> Run:
    """Its GRU nodes, one a layer, input and outputs bound once."""
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    draw, nodes, values, below, width = numpy.random.default_rng(0), [], [], "X", unit.I
    for layer in range(unit.L):
        sizes = {"W": (unit.D, 3 * unit.H, width), "R": (unit.D, 3 * unit.H, unit.H), "Bias": (unit.D, 6 * unit.H)}
        for name, size in sizes.items():
            array = (0.1 * draw.standard_normal(size)).astype(numpy.float32)
            values.append(numpy_helper.from_array(array, f"{name}{layer}"))
        direction = "bidirectional" if unit.D == 2 else "forward"
        given = [below, *(f"{name}{layer}" for name in sizes)]
        nodes.append(helper.make_node(
            "GRU", given, [f"Y{layer}"], hidden_size=unit.H, linear_before_reset=1, direction=direction
        ))  # fmt: skip
        if layer + 1 < unit.L:  # [T, D, B, H] to [T, B, D * H]
            values.append(numpy_helper.from_array(numpy.array([0, 0, -1]), f"shape{layer}"))
            nodes.append(helper.make_node("Transpose", [f"Y{layer}"], [f"S{layer}"], perm=[0, 2, 1, 3]))
            nodes.append(helper.make_node("Reshape", [f"S{layer}", f"shape{layer}"], [f"X{layer}"]))
        below, width = f"X{layer}", unit.D * unit.H
    last, real = f"Y{unit.L - 1}", TensorProto.FLOAT
    graph = helper.make_graph(
        nodes, "gru", [helper.make_tensor_value_info("X", real, [unit.T, unit.B, unit.I])],
        [helper.make_tensor_value_info(last, real, [unit.T, unit.D, unit.B, unit.H])], values,
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    bound = session.io_binding()
    bound.bind_cpu_input("X", draw.standard_normal((unit.T, unit.B, unit.I)).astype(numpy.float32))
    bound.bind_output(last, "cpu")
    return lambda: session.run_with_iobinding(bound)


def by_jax(unit: Unit, train: bool) -> Run:
    """jax.lax.scan under jit."""
    import jax
    import jax.numpy as jnp

    draw, weights = numpy.random.default_rng(0), []
    for place in range(unit.L * unit.D):
        width = unit.I if place < unit.D else unit.D * unit.H
        shapes = ((3 * unit.H, width), (3 * unit.H, unit.H), (3 * unit.H,), (3 * unit.H,))
        weights.append([jnp.asarray(0.1 * draw.standard_normal(s), jnp.float32) for s in shapes])
    x = jnp.asarray(draw.standard_normal((unit.T, unit.B, unit.I)), jnp.float32)

    def stack(p: Any, x: Any) -> Any:
        for i in range(unit.L):
            x = jnp.concatenate([engines.jax_layer(p[unit.D * i + d], x, d == 1) for d in range(unit.D)], -1)
        return x

    run = jax.jit(jax.grad(lambda p, x: stack(p, x).sum(), (0, 1)) if train else stack)
    return lambda: jax.block_until_ready(run(weights, x))


def times(unit: Unit, train: bool, rounds: int, onednn: engines.OneDnn | None) -> dict[str, float]:
    """Median milliseconds of every engine, in alternation."""
    runs = {"gruworks": by_module(gruworks.GRU, unit, train), "torch": by_module(torch.nn.GRU, unit, train),
            "jax": by_jax(unit, train)}  # fmt: skip
    if not train:
        runs |= {f"onnxruntime {n}": by_onnxruntime(unit, n) for n in {1, os.cpu_count() or 1}}
    found: dict[str, list[float]] = {name: [] for name in runs}
    for run in runs.values():
        run()
    for _ in range(rounds):
        for name, run in runs.items():
            time.sleep(0.05)  # the pool of the one before spins for a while
            found[name].append(least(run, 100))
        if onednn:
            time.sleep(0.05)
            widths = [unit.I if layer == 0 else unit.D * unit.H for layer in range(unit.L)]
            each = [onednn.least((unit.T, unit.B, width, unit.H), "after", train, 60) for width in widths]
            found.setdefault("onednn", []).append(unit.D * sum(each))
    return {name: statistics.median(values) for name, values in found.items()}


def ratios(rounds: int, onednn: engines.OneDnn | None) -> list[dict[str, Any]]:
    rows = []
    for name, (units, train) in ROWS.items():
        table = {unit: times(unit, train, rounds, onednn) for unit in units}
        for unit, found in table.items():
            print(name, tuple(unit), "  ".join(f"{k} {v:.3f}" for k, v in found.items()), flush=True)
        ratio, unit = min(
            (min(v for k, v in t.items() if k != "gruworks") / t["gruworks"], u) for u, t in table.items()
        )
        told = "; ".join(f"{tuple(u)}: " + ", ".join(f"{k} {v:.3f}" for k, v in t.items()) for u, t in table.items())
        note = f"build {backend().name}; worst at T,B,I,H,L,D = {tuple(unit)}; ms: {told}"
        rows.append(record(f"recurrence/{name}/ratio", ratio, threads=torch.get_num_threads(), note=note))
    return rows


NO_ROWS, NO_STEPS = (0, 0), (0, 0, 0)
# lengths, decay, replacement, resets, regularization
NOTHING_FURTHER = 0, NO_STEPS, NO_ROWS, NO_STEPS, (NO_ROWS, NO_STEPS, 0, 0)


def call_forward() -> tuple[Run, Run]:
    """A module's call at (1, 1, 64, 64), and its native call alone."""
    gru, x = gruworks.GRU(64, 64), torch.randn(1, 1, 64)
    output, final = torch.empty(1, 1, 64), torch.empty(1, 1, 64)
    layer, weights = kernel.cached_layer(gru.weight_hh_l0).layer, tuple(p.data_ptr() for p in gru.parameters())
    inputs = (x.data_ptr(), 64, 64), NO_STEPS, NO_ROWS, *NOTHING_FURTHER
    call = (
        (1, 1, 64, 64, False, False, *activations.Unit().codes),
        weights,
        inputs,
        (output.data_ptr(), 64, 64),
        final.data_ptr(),
        0,
        0,
    )

    def module() -> None:
        with torch.no_grad():
            for _ in range(100):
                gru(x)

    def native() -> Any:
        for _ in range(100):
            layer.forward(*call, torch.get_num_threads())
        return gru, x, output, final

    return module, native


def call_training() -> tuple[Run, Run]:
    """Forward and backward of a module at (10, 1, 16, 16), and its native calls alone."""
    gru, x, grad = gruworks.GRU(16, 16), torch.randn(10, 1, 16, requires_grad=True), torch.randn(10, 1, 16)
    leaves = [x, *gru.parameters()]
    output, final, saved = torch.empty(10, 1, 16), torch.empty(1, 1, 16), torch.empty(10, saved_width(16, False))
    made, weights = [torch.empty_like(t) for t in leaves], tuple(p.data_ptr() for p in gru.parameters())
    layer, threads = kernel.cached_layer(gru.weight_hh_l0).layer, torch.get_num_threads()
    inputs = (x.data_ptr(), 16, 16), NO_STEPS, NO_ROWS, *NOTHING_FURTHER
    shared = (10, 1, 16, 16, False, False, *activations.Unit().codes), weights, inputs, (output.data_ptr(), 16, 16)
    given = (grad.data_ptr(), 16, 16), NO_ROWS, (made[0].data_ptr(), 16, 16), NO_STEPS, NO_STEPS
    flat = 0, *(t.data_ptr() for t in made[1:]), 0, 0, 0

    def module() -> None:
        for _ in range(20):
            for leaf in leaves:
                leaf.grad = None
            gru(x)[0].backward(grad)

    def native() -> Any:
        for _ in range(20):
            layer.forward(*shared, final.data_ptr(), saved.data_ptr(), 0, threads)
            layer.backward(*shared, saved.data_ptr(), 0, given, flat, threads)
        return leaves, output, final, made, grad

    return module, native


def overheads(rounds: int) -> list[dict[str, Any]]:
    rows = []
    cases: dict[str, tuple[Callable[[], tuple[Run, Run]], int]] = {
        "fwd": (call_forward, 100),
        "train": (call_training, 20),
    }
    for kind, (make, calls) in cases.items():
        module, native = make()
        module(), native()
        pairs = [(least(module, 60), least(native, 60)) for _ in range(rounds)]
        whole, alone = (statistics.median(values) * 1e3 / calls for values in zip(*pairs, strict=True))
        print(f"overhead-{kind}: module {whole:.2f} us, native {alone:.2f} us", flush=True)
        rows.append(record(f"recurrence/overhead-{kind}/us", whole - alone, threads=torch.get_num_threads(),
                           note=f"build {backend().name}; module {whole:.2f} us, native {alone:.2f} us"))  # fmt: skip
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--onednn", help="the program built from onednn_gru.cc")
    options = parser.parse_args()
    onednn = engines.OneDnn(options.onednn) if options.onednn else None
    write("stacks", [*overheads(options.rounds), *ratios(options.rounds, onednn)])


if __name__ == "__main__":
    main()
