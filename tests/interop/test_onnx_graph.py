"""Hostile ONNX models are a WeightsError and take no memory that they claim; what exporters write is computed."""

from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from gruworks.errors import WeightsError
from gruworks.interop import find
from gruworks.interop import onnx as exchange
from tests.interop.conftest import same_bits
from tests.interop.test_onnx import node_model

Model = Any


def _model() -> Model:
    return node_model(3, 4, drop=("lengths", "h"))


def _through(*nodes: Any, **values: Any) -> Model:
    """W by nodes that make it of other constants."""
    model = _model()
    model.graph.initializer.extend(
        numpy_helper.from_array(numpy.asarray(value), name) for name, value in values.items()
    )
    model.graph.initializer[0].name = "V"
    for node in reversed(nodes):
        model.graph.node.insert(0, node)
    return model


@contextmanager
def _little_memory() -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < 2**23
    finally:
        tracemalloc.stop()


make = helper.make_node


@pytest.mark.parametrize(
    ("nodes", "values"),
    [
        ([make("Identity", ["V"], ["W"])], {}),
        ([make("Transpose", ["V"], ["a"]), make("Transpose", ["a"], ["W"], perm=[2, 1, 0])], {}),
        ([make("Reshape", ["V", "s"], ["a"]), make("Reshape", ["a", "t"], ["W"])], {"s": [0, -1], "t": [1, 12, 3]}),
        (
            [make("Split", ["V", "s"], ["a", "b"], axis=1), make("Concat", ["b", "a"], ["W"], axis=1)],
            {"s": [4, 8]},
        ),
        (
            [make("Split", ["V"], ["a", "b"], axis=1, num_outputs=2), make("Concat", ["b", "a"], ["W"], axis=1)],
            {},
        ),
        (
            [
                make("Slice", ["V", "zero", "four", "one"], ["a"]),
                make("Slice", ["V", "four", "end", "one"], ["b"]),
                make("Concat", ["b", "a"], ["W"], axis=-2),
            ],
            {"zero": [0], "four": [4], "one": [1], "end": [2**63 - 1]},
        ),
        ([make("Slice", ["V", "s", "e", "a", "b"], ["W"])], {"s": [-1], "e": [-(2**63)], "a": [1], "b": [-1]}),
        ([make("Squeeze", ["V", "a"], ["b"]), make("Unsqueeze", ["b", "a"], ["W"])], {"a": [0]}),
        ([make("Squeeze", ["V"], ["b"]), make("Unsqueeze", ["b", "a"], ["W"])], {"a": [-3]}),
        ([make("Cast", ["V"], ["b"], to=TensorProto.DOUBLE), make("Cast", ["b"], ["W"], to=TensorProto.FLOAT)], {}),
        ([make("Gather", ["V", "i"], ["W"], axis=1)], {"i": [*range(8, 12), *range(8)]}),
        (
            [make("Neg", ["V"], ["a"]), make("Mul", ["a", "h"], ["b"]), make("Sub", ["b", "h"], ["W"])],
            {"h": numpy.float32(0.5)},
        ),
        ([make("Shape", ["V"], ["s"]), make("ConstantOfShape", ["s"], ["z"]), make("Add", ["z", "V"], ["W"])], {}),
        ([make("Constant", [], ["c"], value_float=2.0), make("Div", ["V", "c"], ["W"])], {}),
        (
            [
                make("Constant", [], ["s"], value_ints=[1, 12, 1]),
                make("Expand", ["o", "s"], ["c"]),
                make("Mul", ["V", "c"], ["W"]),
            ],
            {"o": numpy.ones((1, 1, 1), numpy.float32)},
        ),
    ],
)
def test_constants_come_through_what_exporters_write(nodes: list[Any], values: dict[str, Any]) -> None:
    model = _through(*nodes, **values)
    graph = helper.make_graph(nodes, "g", [], [helper.make_empty_tensor_value_info("W")], [*model.graph.initializer])
    alone = helper.make_model(graph, opset_imports=model.opset_import, ir_version=8)
    W, R, B = ReferenceEvaluator(alone).run(["W"], {})[0], *map(numpy_helper.to_array, model.graph.initializer[1:3])
    (stack,), (expected,) = exchange.find(model), exchange.from_tensors(W, R, B)
    assert same_bits(stack.weights[0][0].w_ih, expected.w_ih)


def _doubled(count: int) -> Model:
    nodes = [make("Concat", [f"w{i}", f"w{i}"], [f"w{i + 1}"], axis=1) for i in range(count)]
    nodes[0].input[:] = ["V", "V"]
    nodes[-1].output[:] = ["W"]
    return _through(*nodes)


def _chain(count: int, first: str) -> Model:
    names = [first, *(f"w{i}" for i in range(count - 1)), "W"]
    return _through(*(make("Identity", [a], [b]) for a, b in itertools.pairwise(names)))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (lambda: _through(make("ConstantOfShape", ["s"], ["W"]), s=[1, 30_000, 30_000]), "much larger than the file"),
        (lambda: _through(make("Expand", ["V", "s"], ["W"]), s=[2**20, 12, 3]), "much larger than the file"),
        (
            lambda: _through(
                make("Gather", ["V", "i"], ["a"], axis=1),
                make("Gather", ["a", "i"], ["W"], axis=1),
                i=numpy.zeros((300, 300), "i8"),
            ),
            "larger",
        ),
        (
            lambda: _through(
                make("Add", ["a", "b"], ["W"]), a=numpy.ones((1, 9999, 1), "f4"), b=numpy.ones((1, 1, 9999), "f4")
            ),
            "larger",
        ),
        (lambda: _doubled(40), "much larger than the file"),
        (lambda: _through(make("ConstantOfShape", ["s"], ["W"]), s=[-1, 12, 3]), "can't be computed"),
        (lambda: _through(make("ConstantOfShape", ["s"], ["W"]), s=[2**62, 2**62, 2**62]), "larger"),
        (lambda: _through(make("Reshape", ["V", "s"], ["W"]), s=[2**40, 2**40]), "Reshape node .* can't be computed"),
        (lambda: _through(make("Transpose", ["V"], ["W"], perm=[7])), "can't be computed"),
        (lambda: _through(make("Transpose", ["V"], ["W"], perm="x")), "can't be computed"),
        (lambda: _through(make("Concat", ["V"], ["W"], axis=9)), "can't be computed"),
        (lambda: _through(make("Cast", ["V"], ["W"], to=99)), "can't be computed"),
        (lambda: _through(make("Constant", [], ["W"], value_string="x")), "can't be computed"),
        (
            lambda: _through(make("Split", ["V"], ["a"]), make("Identity", ["b"], ["W"])),
            "is computed from the graph's inputs",
        ),
        (lambda: _through(make("Slice", ["V"], ["W"])), "can't be computed"),
        (
            lambda: _through(make("Einsum", ["V"], ["W"], equation="a->a")),
            "'W' is computed by Einsum, which isn't supported",
        ),
        (lambda: _through(make("Identity", ["W"], ["W"])), "'W' is computed from itself"),
        (lambda: _through(make("Add", ["a", "V"], ["W"]), make("Neg", ["W"], ["a"])), "is computed from itself"),
        (lambda: _through(make("Identity", [], ["W"])), "can't be computed"),
        (
            lambda: _through(make("Identity", ["V"], ["W"]), make("Identity", ["V"], ["W"])),
            "defines 'W' more than once",
        ),
    ],
)
def test_constants_that_cannot_be_are_refused(model: Callable[[], Model], message: str) -> None:
    made = model()
    with _little_memory(), pytest.raises(WeightsError, match=f"GRU node 'unit' .*{message}|{message}"):
        exchange.find(made)


def test_long_chains_are_followed_and_many_copies_are_not_made() -> None:
    assert len(exchange.find(_chain(20_000, "V"))) == 1
    with pytest.raises(WeightsError, match="is computed from the graph's inputs"):
        exchange.find(_chain(20_000, "X"))
    model = node_model(300, 300, drop=("lengths", "h"))
    for i in range(300):
        model.graph.node.append(make("GRU", ["X", "W", "R"], [f"Y{i}"]))
    with pytest.raises(WeightsError, match="much larger than the file"):
        exchange.find(model)


def _says(**says: Any) -> Model:
    return node_model(3, 4, drop=("lengths", "h"), **says)


@pytest.mark.parametrize(
    ("says", "message"),
    [
        ({"direction": 1}, "has direction of type 2; ONNX has type 3"),
        ({"direction": b"\xff"}, "has .*direction.*expected one of forward"),
        ({"direction": "sideways"}, "'direction': 'sideways'"),
        ({"clip": "x"}, "has clip of type 3"),
        ({"activations": 1.0}, "has activations of type 1"),
        ({"activations": ["Sigmoid"]}, r"has activations=\['Sigmoid'\]: expected one of the gates"),
        ({"activations": [b"\xff", b"Tanh"]}, "has activations="),
        ({"linear_before_reset": 2}, "'linear_before_reset': 2"),
        ({"linear_before_reset": [1]}, "has linear_before_reset of type 7"),
        ({"layout": "x"}, "has layout of type 3"),
        ({"layout": -1}, "'layout': -1"),
    ],
)
def test_attributes_of_another_type_or_value_are_named(says: dict[str, Any], message: str) -> None:
    with pytest.raises(WeightsError, match=message):
        exchange.find(_says(**says))


def _functions(count: int, width: int, last: str) -> Model:
    """f0 calls f1 `width` times, and so on; the last one calls `last`."""
    model = _model()
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("own", 1)]
    for i in range(count):
        target, domain = (f"f{i + 1}", "own") if i + 1 < count else (last, "own" if last.startswith("f") else "")
        calls = [make(target, ["x"], [f"y{k}" if k else "y"], domain=domain) for k in range(width)]
        model.functions.append(helper.make_function("own", f"f{i}", ["x"], ["y"], calls, opsets))
    model.opset_import.append(opsets[1])
    model.graph.node.append(make("f0", ["X"], ["Z"], domain="own"))
    return model


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (lambda: _functions(30, 2, "Relu"), "expand to .* nodes"),
        (lambda: _functions(3, 1, "f0"), "call each other more than 32 deep"),
        (lambda: _functions(200, 1, "Relu"), "call each other more than 32 deep"),
    ],
)
def test_functions_that_grow_without_end_are_refused(model: Callable[[], Model], message: str) -> None:
    with pytest.raises(WeightsError, match=message):
        exchange.find(model())
    assert len(exchange.find(_functions(3, 2, "Relu"))) == 1


def test_an_initial_state_that_the_graph_computes_is_said() -> None:
    """A learnt state, expanded to the batch: neither constant nor the caller's. Zeros of any shape are nothing."""
    model = node_model(3, 4, drop=("lengths",))
    model.graph.input.remove(model.graph.input[1])
    batch = [make("Shape", ["X"], ["s"], start=1, end=2), make("Concat", ["one", "s", "four"], ["shape"], axis=0)]
    for node in (*reversed(batch), make("Expand", ["learnt", "shape"], ["h"])):
        model.graph.node.insert(0 if node.op_type != "Expand" else len(batch), node)
    constants = {"one": numpy.array([1]), "four": numpy.array([4]), "learnt": numpy.ones((1, 1, 4), "f4")}
    model.graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in constants.items())
    assert "its initial state ('h') is computed in the graph" in exchange.find(model)[0].warnings[0]
    with pytest.warns(UserWarning, match="pass it as hx"):
        exchange.load_gru(model)
    model.graph.initializer[-1].CopyFrom(numpy_helper.from_array(numpy.zeros((1, 1, 4), "f4"), "learnt"))
    assert exchange.find(model)[0].warnings == ()


def _external(path: Path, location: str, offset: int = 0, length: int | None = None, data: bool = True) -> Path:
    model = _model()
    W = model.graph.initializer[0]
    content = bytes(offset) + W.raw_data
    onnx.external_data_helper.set_external_data(W, location, offset, length)
    W.ClearField("raw_data")
    W.data_location = TensorProto.EXTERNAL
    path.write_bytes(model.SerializeToString())
    if data:
        (path.parent / "weights.bin").write_bytes(content)
    return path


@pytest.mark.parametrize("offset", [0, 64])
def test_external_data_is_read_from_the_models_folder(offset: int, tmp_path: Path) -> None:
    (stack,) = find(_external(tmp_path / "m.onnx", "weights.bin", offset, 144))
    assert same_bits(stack.weights[0][0].w_ih, exchange.find(_model())[0].weights[0][0].w_ih)
    with pytest.raises(WeightsError, match="give the model's path"):
        exchange.find(exchange.read_model(tmp_path / "m.onnx"))


@pytest.mark.parametrize(
    ("location", "offset", "length", "message"),
    [
        ("/etc/passwd", 0, 144, "must be in the model's folder"),
        ("../m/weights.bin", 0, 144, "must be in the model's folder"),
        ("..\\m\\weights.bin", 0, 144, "must be in the model's folder"),
        ("C:\\weights.bin", 0, 144, "must be in the model's folder"),
        ("\\\\host\\weights.bin", 0, 144, "must be in the model's folder"),
        ("", 0, 144, "must be in the model's folder"),
        (".", 0, 144, "it is a folder"),
        ("link", 0, 144, "a link out of the model's folder"),
        ("missing.bin", 0, 144, "nothing is there"),
        ("weights.bin", 4, 2**40, "doesn't fill"),
        ("weights.bin", 2**40, 144, "doesn't fill"),
        ("weights.bin", -5, 144, "offset or length '-5'"),
    ],
)
def test_external_data_elsewhere_or_of_another_size_is_refused(
    location: str, offset: int, length: int, message: str, tmp_path: Path
) -> None:
    folder = tmp_path / "m"
    folder.mkdir()
    (tmp_path / "outside").write_bytes(bytes(144))
    (folder / "link").symlink_to(tmp_path / "outside")
    with _little_memory(), pytest.raises(WeightsError, match=message):
        find(
            _external(folder / "m.onnx", location, offset if 0 <= offset < 2**20 else 0, length)
            if 0 <= offset < 2**20
            else _moved(folder, location, offset)
        )


def _moved(folder: Path, location: str, offset: int) -> Path:
    path = _external(folder / "m.onnx", location)
    model = onnx.load(path, load_external_data=False)
    model.graph.initializer[0].external_data.add(key="offset", value=str(offset))
    path.write_bytes(model.SerializeToString())
    return path


def _changed(change: Callable[[Any], None]) -> Model:
    model = _model()
    change(model.graph.initializer[0])
    return model


def _field(tensor: Any, field: str, count: int) -> None:
    tensor.ClearField("raw_data")
    getattr(tensor, field).extend([0] * count)


@pytest.mark.parametrize(
    "change",
    [
        *(
            lambda W, kind=kind: setattr(W, "data_type", kind)
            for kind in (0, 2, 3, 5, 8, 12, 14, 15, 17, 19, 23, 99, 2**31 - 1)
        ),
        lambda W: W.dims.__setitem__(1, 2**40),
        lambda W: W.dims.__setitem__(1, -12),
        lambda W: W.dims.__setitem__(1, 0),
        lambda W: W.dims.extend([2**62, 2**62]),
        lambda W: W.ClearField("dims"),
        lambda W: W.dims.extend([1] * 99),
        lambda W: (W.dims.extend([0, 2**62, 2**62]), W.ClearField("raw_data")),
        lambda W: setattr(W, "raw_data", b""),
        lambda W: W.ClearField("raw_data"),
        lambda W: setattr(W.segment, "begin", 0),
        lambda W: _field(W, "int64_data", 36),
        lambda W: _field(W, "double_data", 36),
        lambda W: _field(W, "float_data", 35),
        lambda W: setattr(W, "data_type", TensorProto.INT32),
        lambda W: setattr(W, "name", "R"),
    ],
)
def test_tensors_that_lie_are_refused(change: Callable[[Any], None]) -> None:
    model = _changed(change)
    with _little_memory(), pytest.raises(WeightsError, match="the model"):
        exchange.find(model)


@pytest.mark.parametrize("field", ["float_data", "raw_data"])
@pytest.mark.parametrize("kind", [TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16])
def test_every_place_and_type_of_weights_is_read(kind: int, field: str) -> None:
    model = _model()
    for i, tensor in enumerate(list(model.graph.initializer)):
        values = numpy_helper.to_array(tensor).astype("float64").round(1) * 8
        array = values.astype(helper.tensor_dtype_to_np_dtype(kind))
        made = helper.make_tensor(
            tensor.name, kind, tensor.dims, array.tobytes() if field == "raw_data" else array, field == "raw_data"
        )
        model.graph.initializer[i].CopyFrom(made)
    expected = numpy_helper.to_array(model.graph.initializer[0]).astype("float64")
    (stack,) = exchange.find(model)
    found = numpy.concatenate(
        [stack.weights[0][0].w_ih[4:8], stack.weights[0][0].w_ih[:4], stack.weights[0][0].w_ih[8:]]
    )
    assert numpy.array_equal(found, expected[0])


def test_sparse_weights_are_named(tmp_path: Path) -> None:
    model = _model()
    W = model.graph.initializer[0]
    values = helper.make_tensor("W", TensorProto.FLOAT, [1], [1.0])
    model.graph.sparse_initializer.append(
        helper.make_sparse_tensor(values, helper.make_tensor("i", TensorProto.INT64, [1], [0]), W.dims)
    )
    del model.graph.initializer[0]
    with pytest.raises(WeightsError, match=r"its W \('W'\)"):
        exchange.find(model)
