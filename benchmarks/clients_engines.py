"""Engines beside ours and torch's for bench_clients.py: ONNX Runtime, tract and ncnn, each a run and its output."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy
import torch
from numpy.typing import NDArray
from torch import nn

from gruworks.interop import onnx_write
from gruworks.interop.torch import as_stack

__all__ = ["Engine", "others", "over_frames", "over_graph", "thread_counts"]

Array = NDArray[Any]
Feeds = dict[str, Array]


class Engine(NamedTuple):
    """One computation, timed, and what it computed last."""

    run: Callable[[], Any]
    output: Callable[[], Array]


def thread_counts() -> list[int]:
    return sorted({1, os.cpu_count() or 1})


def onnx_graph(gru: nn.GRU, head: nn.Sequential | None = None) -> bytes:
    """A GRU as one node a layer; with medaka's head a linear layer and a softmax."""
    import onnx
    from onnx import helper, numpy_helper

    # save_gru would refuse medaka's: ONNX Runtime is 3e-5 from torch there
    model = onnx_write._model(helper, numpy_helper, as_stack(gru), lengths=False)
    if head is None:
        return bytes(model.SerializeToString())
    linear, graph = head[0], model.graph
    assert isinstance(linear, nn.Linear)
    values = {"weight": linear.weight.T, "bias": linear.bias}
    graph.initializer.extend(
        numpy_helper.from_array(value.detach().contiguous().numpy(), name) for name, value in values.items()
    )
    graph.node.extend([
        helper.make_node("MatMul", ["output", "weight"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["sum"]),
        helper.make_node("Softmax", ["sum"], ["answer"], axis=-1),
    ])  # fmt: skip
    graph.output.insert(0, helper.make_tensor_value_info("answer", onnx.TensorProto.FLOAT, None))
    return bytes(model.SerializeToString())


def onnxruntime_session(model: bytes | str, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def by_onnxruntime(model: bytes, feeds: Feeds, threads: int) -> Engine:
    """Inputs and the first output bound once."""
    session = onnxruntime_session(model, threads)
    bound = session.io_binding()
    for name, array in feeds.items():
        bound.bind_cpu_input(name, array)
    bound.bind_output(session.get_outputs()[0].name, "cpu")
    return Engine(lambda: session.run_with_iobinding(bound), lambda: bound.copy_outputs_to_cpu()[0])


def tract_model(path: str, feeds: Sequence[Array]) -> Any:
    import tract

    model = tract.onnx().load(path)
    for i, array in enumerate(feeds):
        model.set_input_fact(i, ",".join([*map(str, array.shape), "f32"]))
    return model.into_model().into_runnable()


def by_tract(model: bytes, feeds: Feeds) -> Engine:
    """One thread; it has no others here."""
    import tract

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        path.write_bytes(model)
        runnable = tract_model(str(path), list(feeds.values()))
    given = [tract.Tensor.from_numpy(array) for array in feeds.values()]
    return Engine(lambda: runnable.run(given), lambda: runnable.run(given)[0].to_numpy())


def by_ncnn(gru: nn.GRU, head: nn.Sequential | None, x: Array, threads: int) -> Engine:
    """Its own format, written here: a row a step, no batch."""
    import ncnn

    lines, weights, below = ["Input x 0 1 x"], b"", "x"
    for layer in range(gru.num_layers):
        made = _ncnn_gru(gru, layer)
        weights += b"".join(bytes(4) + array.tobytes() for array in made)  # 4 bytes: not compressed
        direction = 2 if gru.bidirectional else 0
        lines.append(f"GRU gru{layer} 1 1 {below} y{layer} 0={gru.hidden_size} 1={made[0].size} 2={direction}")
        below = f"y{layer}"
    if head is not None:
        matrix, bias = (parameter.detach().numpy() for parameter in head[0].parameters())
        weights += bytes(4) + matrix.tobytes() + bias.tobytes()
        lines.append(f"InnerProduct linear 1 1 {below} sum 0={len(bias)} 1=1 2={matrix.size}")
        lines.append("Softmax softmax 1 1 sum answer 0=1 1=1")
        below = "answer"
    net = ncnn.Net()
    net.opt.num_threads = threads
    for name in ("use_fp16_storage", "use_fp16_packed", "use_fp16_arithmetic", "use_bf16_storage"):
        setattr(net.opt, name, False)
    with tempfile.TemporaryDirectory() as folder:
        param, binary = Path(folder) / "net.param", Path(folder) / "net.bin"
        param.write_text(f"7767517\n{len(lines)} {len(lines)}\n" + "\n".join(lines) + "\n", encoding="utf-8")
        binary.write_bytes(weights)
        if net.load_param(str(param)) or net.load_model(str(binary)):
            raise RuntimeError("ncnn refuses the network")

    def run() -> Any:
        extractor = net.create_extractor()
        extractor.input("x", ncnn.Mat(x))
        return extractor.extract(below)[1]

    return Engine(run, lambda: numpy.array(run()))


def _ncnn_gru(gru: nn.GRU, layer: int) -> list[Array]:
    """Of each direction: input weights, bias [4, H] of r, z, n's input and n's state, recurrent weights."""
    H, found = gru.hidden_size, []
    for suffix in ("", "_reverse")[: 2 if gru.bidirectional else 1]:
        names = "weight_ih", "weight_hh", "bias_ih", "bias_hh"
        w_ih, w_hh, b_ih, b_hh = (getattr(gru, f"{name}_l{layer}{suffix}").detach().numpy() for name in names)
        gates = numpy.concatenate([b_ih[: 2 * H] + b_hh[: 2 * H], b_ih[2 * H :], b_hh[2 * H :]])
        found.append((w_ih, gates, w_hh))
    return [numpy.stack(arrays) for arrays in zip(*found, strict=True)]


def others(gru: nn.GRU, x: torch.Tensor, head: nn.Sequential | None = None) -> dict[str, Callable[[], Engine]]:
    """Makers of every engine for a GRU over x, with `head` after it."""
    graph, (B, array) = onnx_graph(gru, head), (x.shape[0 if gru.batch_first else 1], x.numpy().copy())
    h0 = numpy.zeros((gru.num_layers * (1 + gru.bidirectional), B, gru.hidden_size), numpy.float32)
    made = over_graph(graph, {"input": array, "h0": h0})
    if B == 1:
        single = array.squeeze(0 if gru.batch_first else 1)
        made |= {f"ncnn {n}": lambda n=n: by_ncnn(gru, head, single, n) for n in thread_counts()}  # type: ignore[misc]
    return made


def over_graph(graph: bytes, feeds: Feeds) -> dict[str, Callable[[], Engine]]:
    made: dict[str, Callable[[], Engine]] = {"tract": lambda: by_tract(graph, feeds)}
    for threads in thread_counts():
        made[f"onnxruntime {threads}"] = lambda n=threads: by_onnxruntime(graph, feeds, n)  # type: ignore[misc]
    return made


def over_frames(path: Path, frames: list[Array]) -> dict[str, Callable[[], Engine]]:
    """A streaming graph, frame and caches in, frame and caches out."""
    made: dict[str, Callable[[], Engine]] = {"tract": lambda: _tract_frames(path, frames)}
    for threads in thread_counts():
        made[f"onnxruntime {threads}"] = lambda n=threads: _onnxruntime_frames(path, frames, n)  # type: ignore[misc]
    return made


def _onnxruntime_frames(path: Path, frames: list[Array], threads: int) -> Engine:
    """Everything bound once: caches are written to the other of two sets in turn."""
    from onnxruntime import OrtValue

    session = onnxruntime_session(str(path), threads)
    (frame_in, *caches_in), (frame_out, *caches_out) = session.get_inputs(), session.get_outputs()
    zeros = [numpy.zeros(cache.shape, numpy.float32) for cache in caches_in]
    sets = [[OrtValue.ortvalue_from_numpy(array.copy()) for array in zeros] for _ in range(2)]
    frame, answer = (OrtValue.ortvalue_from_numpy(numpy.zeros_like(frames[0])) for _ in range(2))
    bindings, outputs = [], numpy.zeros((len(frames), *frames[0].shape), numpy.float32)
    for before, after in (sets, sets[::-1]):
        bound = session.io_binding()
        bound.bind_ortvalue_input(frame_in.name, frame)
        bound.bind_ortvalue_output(frame_out.name, answer)
        for cache, value in zip(caches_in, before, strict=True):
            bound.bind_ortvalue_input(cache.name, value)
        for cache, value in zip(caches_out, after, strict=True):
            bound.bind_ortvalue_output(cache.name, value)
        bindings.append(bound)

    def run() -> None:
        for value, zero in zip(sets[0], zeros, strict=True):
            value.update_inplace(zero)
        for t, array in enumerate(frames):
            frame.update_inplace(array)
            session.run_with_iobinding(bindings[t % 2])
            outputs[t] = answer.numpy()

    return Engine(run, lambda: outputs)


def _tract_frames(path: Path, frames: list[Array]) -> Engine:
    import tract

    session = onnxruntime_session(str(path), 1)  # for the shapes of the caches
    zeros = [numpy.zeros(cache.shape, numpy.float32) for cache in session.get_inputs()[1:]]
    runnable = tract_model(str(path), [frames[0], *zeros])
    outputs = numpy.zeros((len(frames), *frames[0].shape), numpy.float32)

    def run() -> None:
        caches = [tract.Tensor.from_numpy(array) for array in zeros]
        for t, array in enumerate(frames):
            answer, *caches = runnable.run([array, *caches])
            outputs[t] = answer.to_numpy()

    return Engine(run, lambda: outputs)
