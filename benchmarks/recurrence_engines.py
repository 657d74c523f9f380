"""The engines that bench_recurrence.py alternates: each gives a function, one forward or one training step."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import types
from collections.abc import Callable
from typing import Any

import numpy
import torch

import gruworks
from gruworks.ops import recurrence
from gruworks.ops.weights import GRUWeights

Run = Callable[[], Any]
Shape = tuple[int, int, int, int]  # T, B, I, H


def kernel(shape: Shape, reset: str, train: bool, threads: int) -> Run:
    """The kernel alone: results and saved buffers are there already; training packs the weights again every time."""
    T, B, I, H = shape  # noqa: E741
    weights = GRUWeights.random(I, H, reset).astype(numpy.float32)
    x = numpy.random.default_rng(0).standard_normal((T, B, I)).astype(numpy.float32)
    return _kernel(weights, threads, train, x=x)


def recurrent_part(shape: Shape, threads: int) -> Run:
    """The kernel alone without the input's product: precomputed input projections in x's place."""
    T, B, _, H = shape
    weights = GRUWeights.random(H, H).astype(numpy.float32)
    gi = numpy.random.default_rng(0).standard_normal((T, B, 3 * H)).astype(numpy.float32)
    return _kernel(weights, threads, train=False, gi=gi)


def _kernel(weights: GRUWeights, threads: int, train: bool, **given: Any) -> Run:
    output, final, kept = recurrence.forward_kept(weights, threads=threads, **given)
    layer, memory, grad = kept.layer, recurrence.MEMORY, numpy.ones_like(output)
    found = recurrence.backward(kept, grad)
    calls: dict[str, Any] = {}  # the addresses, formed once
    caught = types.SimpleNamespace(
        forward=lambda *called: calls.update(forward=called), backward=lambda *called: calls.update(backward=called)
    )
    saved = (kept.saved, None) if train else (None, None)
    memory.forward(caught, kept.operands, kept.form, (output, final), saved, threads)
    if not train:
        return lambda: (layer.forward(*calls["forward"]), output, final, kept)
    memory.backward(caught, kept.operands, kept.form, (output, kept.saved, None), (grad, None), found, threads)

    def step() -> Any:
        weights.w_hh[0, 0] += 1e-6
        layer.forward(*calls["forward"])
        layer.backward(*calls["backward"])
        return found, output, final, grad, kept  # all that is read or written, kept alive

    return step


def module(make: Callable[..., torch.nn.GRU], shape: Shape, reset: str, train: bool) -> Run:
    """A torch module: forward under no_grad, or forward and backward with a change of the weights."""
    T, B, I, H = shape  # noqa: E741
    gru = make(I, H, reset=reset) if reset == "before" else make(I, H)
    x = torch.randn(T, B, I, requires_grad=train)

    def forward() -> Any:
        with torch.no_grad():
            return gru(x)

    ones = torch.ones(T, B, H)
    corner = gru.weight_hh_l0.detach().numpy()
    leaves = [x, *gru.parameters()]  # an optimiser holds such a list, too

    def step() -> None:
        corner[0, 0] += 1e-6  # changed weights, as after an optimiser's step, at next to no time of its own
        gru(x)[0].backward(ones)
        for leaf in leaves:
            leaf.grad = None

    return step if train else forward


def gruworks_module(shape: Shape, reset: str, train: bool) -> Run:
    return module(gruworks.GRU, shape, reset, train)


def torch_module(shape: Shape, reset: str, train: bool) -> Run | None:
    return module(torch.nn.GRU, shape, reset, train) if reset == "after" else None


def onnxruntime_session(shape: Shape, reset: str, train: bool) -> Run | None:
    """ONNX Runtime's own GRU node, all threads, graph optimisations on."""
    if train:
        return None
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    T, B, I, H = shape  # noqa: E741
    draw = numpy.random.default_rng(0)
    sizes = {"W": (1, 3 * H, I), "R": (1, 3 * H, H), "Bias": (1, 6 * H)}
    values = [
        numpy_helper.from_array((0.1 * draw.standard_normal(s)).astype(numpy.float32), n) for n, s in sizes.items()
    ]
    node = helper.make_node(
        "GRU", ["X", "W", "R", "Bias"], ["Y", "Y_h"], hidden_size=H, linear_before_reset=int(reset == "after")
    )
    real = TensorProto.FLOAT
    graph = helper.make_graph(
        [node], "gru", [helper.make_tensor_value_info("X", real, [T, B, I])],
        [helper.make_tensor_value_info("Y", real, [T, 1, B, H]), helper.make_tensor_value_info("Y_h", real, [1, B, H])],
        values,
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = os.cpu_count() or 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    feed = {"X": draw.standard_normal((T, B, I)).astype(numpy.float32)}
    return lambda: session.run(None, feed)


def jax_layer(weights: Any, x: Any, reverse: bool = False) -> Any:
    """One layer and direction by jax.lax.scan, the input projections of all steps at once."""
    import jax
    import jax.numpy as jnp

    w_ih, w_hh, b_ih, b_hh = weights

    def cell(h: Any, gi: Any) -> Any:
        r, z, n = jnp.split(h @ w_hh.T + b_hh, 3, -1)
        i_r, i_z, i_n = jnp.split(gi, 3, -1)
        z, n = jax.nn.sigmoid(i_z + z), jnp.tanh(i_n + jax.nn.sigmoid(i_r + r) * n)
        h = n + z * (h - n)
        return h, h

    return jax.lax.scan(cell, jnp.zeros((x.shape[1], w_hh.shape[1])), x @ w_ih.T + b_ih, reverse=reverse)[1]


def jax_scan(shape: Shape, reset: str, train: bool) -> Run | None:
    """jax.lax.scan under jit, input terms formed at once."""
    if reset == "before":
        return None
    import jax

    T, B, I, H = shape  # noqa: E741
    keys = jax.random.split(jax.random.key(0), 5)
    p = [
        0.1 * jax.random.normal(k, s) for k, s in zip(keys, [(3 * H, I), (3 * H, H), (3 * H,), (3 * H,)], strict=False)
    ]
    x = jax.random.normal(keys[4], (T, B, I))

    if train:
        step = jax.jit(jax.grad(lambda p, x: jax_layer(p, x).sum(), (0, 1)))
        return lambda: jax.block_until_ready(step(p, x))
    forward = jax.jit(jax_layer)
    return lambda: jax.block_until_ready(forward(p, x))


class OneDnn:
    """oneDNN in a process of its own (its threads are its own too), asked a line at a time."""

    def __init__(self, program: str) -> None:
        # The package of PyPI finds a processor only through its OpenCL runtime, which lies beside it.
        opencl = {"OCL_ICD_FILENAMES": f"{sys.prefix}/lib/libintelocl.so", "LD_LIBRARY_PATH": f"{sys.prefix}/lib"}
        environment = {**os.environ, **opencl, "ONEDNN_VERBOSE": "0"}
        pipe = subprocess.PIPE
        self.process = subprocess.Popen([program], stdin=pipe, stdout=pipe, text=True, env=environment)

    def least(self, shape: Shape, reset: str, train: bool, milliseconds: float) -> float:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        line = " ".join(map(str, (*shape, reset, int(train), milliseconds)))
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        while True:
            answer = self.process.stdout.readline()
            if not answer:
                raise RuntimeError("the oneDNN program ended")
            if not answer.startswith("onednn"):
                return float(answer)


def least(run: Run, milliseconds: float) -> float:
    """The smallest time of `run` in ms, over at least three runs and about `milliseconds`."""
    found, start = [], time.perf_counter()
    while len(found) < 3 or (time.perf_counter() - start) * 1e3 < milliseconds:
        begun = time.perf_counter()
        run()
        found.append((time.perf_counter() - begun) * 1e3)
    return min(found)
