"""Properties of every task's export: real GRU nodes, free sizes, one graph for torch.compile and torch.export."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
import pytest
import torch
from torch._dynamo.testing import CompileCounter

from gruworks import Forecaster
from gruworks.errors import ExportError, NotFittedError, OptionError
from gruworks.ops.backend import backend
from tests import tolerances
from tests.exported import KINDS, exported

if backend().name == "torch":
    pytest.skip(backend().reason, allow_module_level=True)

GRAPHS = [("forecast", "model"), ("generate-convolution", "model"), ("generate-attention", "model"),
          ("translate", "encoder"), ("translate", "decoder"), ("translate", "reader"),
          ("translate-cho2014", "encoder"), ("translate-cho2014", "decoder"), ("transcribe", "model"),
          ("transcribe-streaming", "model"), ("transcribe-streaming", "stream")]  # fmt: skip
NODES = {"translate-cho2014/decoder", "transcribe/features", "transcribe-streaming/features"}  # without a GRU


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_holds_whole_graphs_with_gru_nodes(kind: str) -> None:
    one = exported(kind)
    says = one.says
    assert says["task"] == kind.partition("-")[0]
    assert {path.name for path in one.folder.iterdir()} == {"model.json"} | {g["file"] for g in says["graphs"].values()}
    for name, graph in says["graphs"].items():
        model = onnx.load(one.folder / graph["file"])
        onnx.checker.check_model(model, full_check=True)
        kinds = [node.op_type for node in model.graph.node]
        assert ("GRU" in kinds) != (f"{kind}/{name}" in NODES)
        assert not {"Loop", "Scan", "If"} & set(kinds)
        assert graph["largest_difference"] < tolerances.EXPORTED


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_said_of_inputs_is_what_the_graph_takes(kind: str) -> None:
    one = exported(kind)
    for graph in one.says["graphs"].values():
        session = onnxruntime.InferenceSession(one.folder / graph["file"])
        assert {i.name: i.shape for i in session.get_inputs()} == {
            name: given["shape"] for name, given in graph["inputs"].items()
        }
        assert [o.name for o in session.get_outputs()] == graph["outputs"]
        assert set(graph["carried"]) <= set(graph["outputs"])
        assert set(graph["carried"].values()) <= set(graph["inputs"])


def part_of(kind: str, name: str) -> Any:
    estimator = exported(kind).estimator
    parts, _ = importlib.import_module(f"gruworks.tasks.{estimator.task}.exporting").parts(estimator)
    return next(part for part in parts if part.name == name)


def calls(part: Any) -> list[tuple[Any, ...]]:
    """The examples whose free sizes are all above one, which torch compiles apart."""
    found = [tuple(one[name] for name in part.inputs) for one in (part.inputs, *part.others)]
    free = [(i, axis) for i, name in enumerate(part.inputs) for axis in part.free.get(name, {})]
    return [call for call in found if all(call[i].shape[axis] > 1 for i, axis in free)]


def close(found: Any, expected: Any) -> None:
    one, other = (torch.utils._pytree.tree_leaves(value) for value in (found, expected))
    for a, b in zip(one, other, strict=True):
        torch.testing.assert_close(a, b, atol=tolerances.FLOAT32_OUTPUT, rtol=tolerances.FLOAT32_OUTPUT)


@pytest.mark.parametrize(("kind", "name"), GRAPHS)
def test_compiled_whole_with_free_sizes(kind: str, name: str) -> None:
    """fullgraph=True forbids breaks; one graph serves every size."""
    part = part_of(kind, name)
    torch._dynamo.reset()
    counter = CompileCounter()
    compiled = torch.compile(part.module, fullgraph=True, dynamic=True, backend=counter)
    given = calls(part)
    assert len(given) >= 2
    with torch.no_grad():
        for call in given:
            close(compiled(*call), part.module(*call))
    assert counter.frame_count == 1


class Flat(torch.nn.Module):
    def __init__(self, module: torch.nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, *given: Any) -> Any:
        return self.module(*given)


@pytest.mark.parametrize(("kind", "name"), GRAPHS)
def test_torch_export_with_free_sizes(kind: str, name: str) -> None:
    part = part_of(kind, name)
    free = torch.export.Dim.DYNAMIC  # an error where the code fixes a size; least sizes are torch's to find
    shapes = tuple(dict.fromkeys(part.free.get(one, {}), free) for one in part.inputs)
    first, *others = calls(part)
    with torch.no_grad():
        program = torch.export.export(Flat(part.module), first, dynamic_shapes=(shapes,)).module()
        for call in others:
            close(program(*call), part.module(*call))


def test_what_cannot_be_exported_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFittedError):
        Forecaster().export(tmp_path / "onnx")
    with pytest.raises(ExportError, match="too few rows"):
        Forecaster(horizon=1).fit([1, 2, 3]).export(tmp_path / "onnx")
    with pytest.raises(OptionError, match="exported to onnx, c, not to 'tflite'"):
        exported("forecast").estimator.export(tmp_path / "onnx", to="tflite")
    assert not list(tmp_path.iterdir())
