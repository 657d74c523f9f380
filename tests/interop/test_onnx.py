"""ONNX GRU nodes: the standard's own cases, ONNX Runtime's numbers, weights wherever a model keeps them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

import gruworks
from gruworks.errors import WeightsError
from gruworks.interop import onnx as exchange
from gruworks.interop.stack import Stack
from gruworks.ops import equations
from gruworks.ops.backend import backend
from gruworks.ops.recurrence import forward
from gruworks.ops.weights import GRUWeights
from tests.interop.conftest import same_bits
from tests.tolerances import FLOAT32_OUTPUT

ONNX_CASES = ("defaults", "with_initial_bias", "seq_length", "batchwise", "reverse", "bidirectional")


@pytest.fixture(scope="module")
def cases() -> Iterator[dict[str, Any]]:
    """The standard's cases for GRU, as the onnx package makes them."""
    with pytest.MonkeyPatch.context() as patch, numpy.errstate(all="ignore"):
        patch.setattr("warnings.warn", lambda *_, **__: None)
        from onnx.backend.test.case.node import collect_testcases

        yield {case.name.removeprefix("test_gru_"): case for case in collect_testcases("GRU")}


@pytest.mark.parametrize("kernel", [True, False])
@pytest.mark.parametrize("name", ONNX_CASES)
def test_the_standards_own_cases(name: str, kernel: bool, cases: dict[str, Any]) -> None:
    """By ops: the kernel, and the reference."""
    if kernel and backend().name == "torch":
        pytest.skip(backend().reason)
    node, (inputs, expected) = cases[name].model.graph.node[0], cases[name].data_sets[0]
    given = dict(zip(node.input, inputs, strict=False))
    model = with_weights(cases[name].model, {key: given.pop(key) for key in ("W", "R", "B") if key in given})
    (stack,) = exchange.find(model)
    x = given.pop("X").swapaxes(0, 1) if stack.batch_first else given.pop("X")
    lengths = given.pop("seq_lens", given.pop("sequence_lens", None))
    assert not {key for key in given if key}
    Y, Y_h = on_ops(stack, x, lengths, kernel)
    found = {
        "Y": Y.transpose(2, 0, 1, 3) if stack.batch_first else Y,
        "Y_h": Y_h.swapaxes(0, 1) if stack.batch_first else Y_h,
    }
    wanted = dict(zip([output for output in node.output if output], expected, strict=False))
    assert wanted
    for key, value in wanted.items():
        assert found[key].shape == value.shape
        assert numpy.abs(found[key] - value).max() < FLOAT32_OUTPUT


def test_every_case_of_the_standard_is_named_here(cases: dict[str, Any]) -> None:
    assert set(cases) == set(ONNX_CASES)


def on_ops(stack: Stack, x: Any, lengths: Any, kernel: bool) -> tuple[Any, Any]:
    """Y [T, D, B, H] and Y_h [D, B, H], as ONNX has them."""
    pairs = []
    for d, weights in enumerate(stack.weights[0]):
        reverse = stack.reverse or d == 1
        ends = None if lengths is None else lengths.astype(numpy.int64)
        if kernel:
            pairs.append(forward(weights, x=x, lengths=ends, reverse=reverse))
        else:
            h0 = numpy.zeros((x.shape[1], stack.hidden_size), x.dtype)
            pairs.append(equations.sequence(x, h0, weights, ends, reverse))
    return numpy.stack([output for output, _ in pairs], 1), numpy.stack([final for _, final in pairs])


def with_weights(model: Any, weights: dict[str, Any]) -> Any:
    """The model with some inputs made constants."""
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    for name, array in weights.items():
        changed.graph.input.remove(next(one for one in changed.graph.input if one.name == name))
        changed.graph.initializer.append(numpy_helper.from_array(array, name))
    return changed


def node_model(I: int, H: int, D: int = 1, seed: int = 0, drop: tuple[str, ...] = (), **says: Any) -> Any:  # noqa: E741
    """A model of one GRU node named "unit", random weights inside, inputs X, lengths and h."""
    draw = numpy.random.default_rng(seed).uniform
    sizes = {"W": (D, 3 * H, I), "R": (D, 3 * H, H), "B": (D, 6 * H)}
    values = [
        numpy_helper.from_array(draw(-0.5, 0.5, s).astype("float32"), n) for n, s in sizes.items() if n not in drop
    ]
    names = [n if n not in drop else "" for n in ("X", "W", "R", "B", "lengths", "h")]
    node = helper.make_node("GRU", names, ["Y", "Y_h"], "unit", hidden_size=H, **says)
    real, whole, info = TensorProto.FLOAT, TensorProto.INT32, helper.make_tensor_value_info
    inputs = [info("X", real, ["T", "b", I]), info("lengths", whole, ["b"]), info("h", real, [D, "b", H])]
    outputs = [info("Y", real, ["T", D, "b", H]), info("Y_h", real, [D, "b", H])]
    graph = helper.make_graph([node], "g", [one for one in inputs if one.name in names], outputs, values)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


@pytest.mark.parametrize("after", [0, 1])
@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize("bias", [True, False])
def test_a_node_gives_onnx_runtimes_outputs(direction: str, after: int, bias: bool) -> None:
    """linear_before_reset, directions, the bias split, sequence_lens and the initial state."""
    D = 2 if direction == "bidirectional" else 1
    model = node_model(3, 5, D, direction=direction, linear_before_reset=after, drop=() if bias else ("B",))
    draw = numpy.random.default_rng(1).standard_normal
    feed = {"X": draw((6, 3, 3)).astype("float32"), "lengths": numpy.array([6, 2, 4], numpy.int32)}
    feed["h"] = draw((D, 3, 5)).astype("float32")
    Y, Y_h = onnxruntime.InferenceSession(model.SerializeToString()).run(None, feed)
    gru = exchange.load_gru(model)["unit"]
    assert gru.reset == ("after" if after else "before")
    x, h = torch.from_numpy(feed["X"]), torch.from_numpy(feed["h"])
    output, final = gru(x, h, lengths=feed["lengths"].tolist())
    assert numpy.abs(output.detach().numpy() - Y.transpose(0, 2, 1, 3).reshape(6, 3, -1)).max() < FLOAT32_OUTPUT
    assert numpy.abs(final.detach().numpy() - Y_h).max() < FLOAT32_OUTPUT


@pytest.mark.parametrize("after", [0, 1])
@pytest.mark.parametrize("D", [1, 2])
@pytest.mark.parametrize("bias", [True, False])
def test_theirs_ours_theirs_is_exact(D: int, after: int, bias: bool) -> None:
    draw = numpy.random.default_rng(0).standard_normal
    W, R, B = draw((D, 12, 3)), draw((D, 12, 4)), draw((D, 24)) if bias else None
    back = exchange.to_tensors(exchange.from_tensors(W, R, B, after))
    assert all(same_bits(a, b) for a, b in zip((W, R), back[:2], strict=True))
    assert (back[2] is None and not bias) or same_bits(B, back[2])


@pytest.mark.parametrize("lengths", [False, True])
@pytest.mark.parametrize("reset", ["after", "before"])
@pytest.mark.parametrize(("layers", "both", "batch_first"), [(1, False, True), (2, True, False), (3, False, False)])
def test_a_written_model_has_real_nodes_and_the_same_numbers(
    layers: int, both: bool, batch_first: bool, reset: str, lengths: bool, tmp_path: Path
) -> None:
    """At sizes that it was not compared at when written; the state out is the state in of a stream."""
    gru = gruworks.GRU(3, 4, layers, bidirectional=both, batch_first=batch_first, reset=reset)
    exchange.save_gru(gru, tmp_path / "m.onnx", lengths)
    model = onnx.load(tmp_path / "m.onnx")
    assert [node.op_type for node in model.graph.node].count("GRU") == layers
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx")
    x, h = torch.randn(11, 5, 3), torch.randn(layers * (1 + both), 5, 4)
    x = x.transpose(0, 1) if batch_first else x
    ends = torch.tensor([11, 1, 0, 5, 3]) if lengths else None
    feed = {"input": x.numpy(), "h0": h.numpy()} | ({"lengths": ends.int().numpy()} if lengths else {})
    for found, expected in zip(session.run(None, feed), gru(x, h, lengths=ends), strict=True):
        assert numpy.abs(found - expected.detach().numpy()).max() < FLOAT32_OUTPUT
    if not both and not lengths:
        whole, final = session.run(None, feed)
        state, rows = h.numpy(), []
        for t in range(11):
            step = x[:, t : t + 1] if batch_first else x[t : t + 1]
            row, state = session.run(None, {"input": step.numpy(), "h0": state})
            rows.append(row)
        assert numpy.abs(numpy.concatenate(rows, int(batch_first)) - whole).max() < FLOAT32_OUTPUT
        assert numpy.abs(state - final).max() < FLOAT32_OUTPUT


def test_a_written_layer_comes_back_bit_for_bit(tmp_path: Path) -> None:
    gru = gruworks.GRU(3, 4, bidirectional=True, reset="before", dtype=torch.float64)
    exchange.save_gru(gru, tmp_path / "m.onnx")
    (loaded,) = exchange.load_gru(tmp_path / "m.onnx").values()
    assert all(
        same_bits(a.numpy(), b.numpy())
        for a, b in zip(gru.state_dict().values(), loaded.state_dict().values(), strict=True)
    )


def test_a_reversed_layer_is_written_reversed(tmp_path: Path) -> None:
    stack = Stack("r", ((GRUWeights.random(3, 4).astype(numpy.float32),),), reverse=True)
    exchange.save_gru(stack, tmp_path / "m.onnx")  # compares with ONNX Runtime
    assert exchange.find(tmp_path / "m.onnx")[0].reverse
    with pytest.raises(WeightsError, match="an ONNX GRU node can't represent"):
        exchange.save_gru(Stack("r", stack.weights, initial=numpy.ones((1, 1, 4), numpy.float32)), tmp_path / "n.onnx")


def test_a_difference_at_writing_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("gruworks.interop.onnx_write.TOLERANCE", -1.0)
    with pytest.raises(gruworks.GruworksError, match=r"differ by .* from the module's"):
        exchange.save_gru(gruworks.GRU(3, 4), tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())


def test_weights_are_found_wherever_a_model_keeps_them() -> None:
    """As constants' outputs, computed from constants, in a subgraph, and under a taken name."""
    model = node_model(3, 4, drop=("lengths", "h"))
    W = model.graph.initializer[0]
    assert W.name == "W"
    halves = [helper.make_node("Constant", [], [f"part_{k}"], value=half) for k, half in enumerate(split(W))]
    del model.graph.initializer[0]
    model.graph.node.insert(0, helper.make_node("Concat", ["part_0", "part_1"], ["W"], axis=2))
    for node in halves:
        model.graph.node.insert(0, node)
    body = helper.make_graph([helper.make_node("GRU", ["X", "W", "R"], ["Y1"], "unit")], "then", [], [info("Y1")])
    model.graph.node.append(helper.make_node("If", ["which"], ["out"], then_branch=body, else_branch=body))
    model.graph.input.append(helper.make_tensor_value_info("which", TensorProto.BOOL, []))
    stacks = exchange.find(model)
    assert [stack.name for stack in stacks] == ["unit", "unit_1", "unit_2"]
    assert [stack.bias for stack in stacks] == [True, False, False]
    expected = exchange.from_tensors(numpy_helper.to_array(W), numpy_helper.to_array(model.graph.initializer[0]))[0]
    assert all(same_bits(stack.weights[0][0].w_ih, expected.w_ih) for stack in stacks)


def split(W: Any) -> list[Any]:
    array = numpy_helper.to_array(W)
    return [numpy_helper.from_array(numpy.ascontiguousarray(part)) for part in (array[..., :1], array[..., 1:])]


def info(name: str) -> Any:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, None)


def test_a_constant_initial_state_is_kept() -> None:
    model = node_model(3, 4, drop=("lengths",))
    model.graph.input.remove(model.graph.input[1])
    h = numpy.full((1, 2, 4), 0.5, numpy.float32)
    model.graph.initializer.append(numpy_helper.from_array(h, "h"))
    x = numpy.random.default_rng(0).standard_normal((5, 2, 3)).astype(numpy.float32)
    Y, _ = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"X": x})
    output, _ = exchange.load_gru(model)["unit"](torch.from_numpy(x))
    assert numpy.abs(output.detach().numpy() - Y[:, 0]).max() < FLOAT32_OUTPUT


@pytest.mark.parametrize(
    ("says", "message"),
    [
        ({"clip": 3.0}, "GRU node 'unit' of the model has clip=3"),
        ({"activations": ["Elu", "Tanh"]}, r"'unit' of the model: it has activations=\['Elu', 'Tanh'\]: supported are"),
        ({"activations": ["Tanh", "Tanh"]}, "gates may be sigmoid or hard_sigmoid, not tanh"),
        ({"activations": ["HardSigmoid", "Tanh"], "activation_alpha": [-1.0]}, "needs a positive alpha, not -1"),
        ({"direction": "bidirectional"}, "expected hidden size 4 and 2 directions, got weights of 4 and 1"),
    ],
)
def test_what_a_gru_here_does_not_do_is_named(says: dict[str, Any], message: str) -> None:
    with pytest.raises(WeightsError, match=message):
        exchange.find(node_model(3, 4, **says))


def test_default_activations_may_be_written_out() -> None:
    assert exchange.find(node_model(3, 4, 2, direction="bidirectional", activations=["Sigmoid", "Tanh"] * 2))


@pytest.mark.parametrize("linear_before_reset", [0, 1])
@pytest.mark.parametrize(
    "says",
    [
        {"activations": ["Sigmoid", "Relu"]},
        {"activations": ["HardSigmoid", "Tanh"]},  # with ONNX' defaults, 0.2 and 0.5
        {"activations": ["HardSigmoid", "Softsign"], "activation_alpha": [0.3], "activation_beta": [0.4]},
        {"activations": ["HardSigmoid", "HardSigmoid"], "activation_alpha": [0.3, 0.1], "activation_beta": [0.5, 0.6]},
        {"activations": ["Sigmoid", "Affine"], "activation_alpha": [0.5], "activation_beta": [0.25]},
        {"activations": ["Sigmoid", "Sigmoid"]},
    ],
)
def test_other_activations_are_onnx_runtimes(says: dict[str, Any], linear_before_reset: int, tmp_path: Path) -> None:
    model = node_model(3, 4, drop=("lengths", "h"), linear_before_reset=linear_before_reset, **says)
    x = numpy.random.default_rng(0).standard_normal((5, 2, 3)).astype(numpy.float32) * 2
    Y, _ = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"X": x})
    gru = exchange.load_gru(model)["unit"]
    assert numpy.abs(gru(torch.from_numpy(x))[0].detach().numpy() - Y[:, 0]).max() < FLOAT32_OUTPUT
    exchange.save_gru(gru, tmp_path / "again.onnx")  # held against ONNX Runtime as it is written
    again = exchange.load_gru(tmp_path / "again.onnx")["gru_0"]
    torch.testing.assert_close(again(torch.from_numpy(x))[0], gru(torch.from_numpy(x))[0])


def test_weights_from_an_input_are_named() -> None:
    model = node_model(3, 4)
    del model.graph.initializer[0]
    model.graph.input.append(helper.make_tensor_value_info("W", TensorProto.FLOAT, [1, 12, 3]))
    with pytest.raises(WeightsError, match=r"its W \('W'\) is computed from the graph's inputs"):
        exchange.find(model)


def test_constant_lengths_and_wrong_sizes_are_named() -> None:
    model = node_model(3, 4)
    model.graph.input.remove(model.graph.input[1])
    model.graph.initializer.append(numpy_helper.from_array(numpy.array([2, 3], numpy.int32), "lengths"))
    with pytest.raises(WeightsError, match="constant sequence_lens"):
        exchange.find(model)
    for W, R, B in (((1, 9, 3), (1, 12, 4), None), ((1, 12, 3), (1, 12, 5), None), ((1, 12, 3), (1, 12, 4), (1, 12))):
        with pytest.raises(WeightsError, match=r"W must be|B must be"):
            exchange.from_tensors(numpy.ones(W), numpy.ones(R), None if B is None else numpy.ones(B))


@pytest.mark.parametrize("share", [0.0, 0.2, 0.6, 0.99])
def test_a_file_that_is_cut_off_is_said(share: float, tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    exchange.save_gru(gruworks.GRU(30, 40), path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(WeightsError, match=r"m\.onnx is not a complete ONNX file"):
        exchange.find(path)


def test_files_of_another_kind_are_said(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_text("a,b\n1,2\n" * 100)
    with pytest.raises(WeightsError, match=r"m\.onnx is not a complete ONNX file"):
        exchange.find(tmp_path / "m.onnx")
    with pytest.raises(WeightsError, match="is not a file"):
        exchange.find(tmp_path / "missing.onnx")
    graph = helper.make_graph([helper.make_node("Relu", ["X"], ["Y"])], "g", [info("X")], [info("Y")])
    with pytest.raises(WeightsError, match="has no GRU node; its nodes are: Relu"):
        exchange.find(helper.make_model(graph))
