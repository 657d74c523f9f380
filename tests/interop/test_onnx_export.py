"""Torch modules to ONNX: real GRU nodes, free batch and time, the module's numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import pytest
import torch
from torch._dynamo.testing import CompileCounter

import gruworks
from gruworks.errors import ExportError, OptionError
from gruworks.interop import onnx as exchange
from gruworks.interop.onnx_export import export
from gruworks.nn.functional import gru_layer
from gruworks.ops.backend import backend

if backend().name == "torch":
    pytest.skip(backend().reason, allow_module_level=True)

SIZES = {"x": {0: "T", 1: "B"}, "h": {1: "B"}}


class Tagger(torch.nn.Module):
    """A model as people write them: features, a GRU, a head; the state in and out."""

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.gru = gruworks.GRU(3, 4, 2, dropout=0.5, **options)
        self.head = torch.nn.Linear(4 * self.gru.directions, 2)

    def forward(self, x: Any, h: Any, lengths: Any = None) -> Any:
        y, h = self.gru(x.tanh(), h, lengths=lengths)
        return self.head(y), h


def inputs(T: int, B: int, D: int) -> tuple[Any, Any]:
    return torch.randn(T, B, 3), torch.randn(2 * D, B, 4)


@pytest.mark.parametrize(("reset", "both"), [("after", True), ("before", False)])
def test_a_module_becomes_a_graph_of_gru_nodes(reset: str, both: bool, tmp_path: Path) -> None:
    model, D = Tagger(reset=reset, bidirectional=both).eval(), 1 + both
    path, others = tmp_path / "m.onnx", [inputs(9, 5, D), inputs(1, 1, D)]
    worst = export(model, inputs(4, 2, D), path, inputs=["x", "h"], outputs=["y", "h_n"], dynamic=SIZES, others=others)
    assert 0 <= worst < 1e-5
    kinds = [node.op_type for node in onnx.load(path).graph.node]
    assert kinds.count("GRU") == 2 * D
    assert not {"Loop", "Scan", "Sigmoid"} & set(kinds)
    assert {stack.reset for stack in exchange.find(path)} == {reset}


def test_ragged_rows_become_sequence_lens(tmp_path: Path) -> None:
    model = Tagger(reset="before", bidirectional=True).eval()
    args = (*inputs(4, 2, 2), torch.tensor([4, 2]))
    others = [(*inputs(7, 3, 2), torch.tensor([0, 7, 3]))]
    dynamic = SIZES | {"n": {0: "B"}}
    worst = export(
        model, args, tmp_path / "m.onnx", inputs=["x", "h", "n"], outputs=["y", "h_n"], dynamic=dynamic, others=others
    )
    assert worst < 1e-5


class Terms(torch.nn.Module):
    """The operator with ready input terms, as decoders use it; `decayed` as GRU-D does."""

    def __init__(self, decayed: bool = False) -> None:
        super().__init__()
        self.weights = gruworks.GRU(3, 4)
        self.decayed = decayed

    def forward(self, gi: Any) -> Any:
        weights = self.weights.weights()
        decay = torch.full_like(gi[..., :4], 0.5) if self.decayed else None
        return gru_layer(None, None, weights, gi=gi, decay=decay)


def test_ready_terms_are_a_node_too(tmp_path: Path) -> None:
    args = (torch.randn(4, 2, 12),)
    others = [(torch.randn(6, 3, 12),)]
    path = tmp_path / "m.onnx"
    names = {"inputs": ["gi"], "outputs": ["y", "h"], "dynamic": {"gi": {0: "T", 1: "B"}}}
    assert export(Terms().eval(), args, path, others=others, **names) < 1e-5
    assert [node.op_type for node in onnx.load(path).graph.node].count("GRU") == 1


def test_what_no_node_does_is_named(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"Terms can't be exported to ONNX: .*decay"):
        export(Terms(True).eval(), (torch.randn(4, 2, 12),), tmp_path / "m.onnx", inputs=["gi"], outputs=["y", "h"])
    with pytest.raises(OptionError, match="evaluation mode"):
        export(Tagger(), inputs(4, 2, 1), tmp_path / "m.onnx", inputs=["x", "h"], outputs=["y", "h_n"])
    with pytest.raises(ExportError, match="layer norm"):
        export(gruworks.GRU(3, 4, layer_norm=True).eval(), (torch.randn(4, 2, 3),), tmp_path / "m.onnx", inputs=["x"],
               outputs=["y", "h_n"])  # fmt: skip
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("reset", ["after", "before"])
def test_torch_export_with_free_batch_and_time(reset: str) -> None:
    model = Tagger(reset=reset, bidirectional=True).eval()
    T, B = torch.export.Dim("T"), torch.export.Dim("B")
    program = torch.export.export(model, inputs(4, 2, 2), dynamic_shapes={"x": {0: T, 1: B}, "h": {1: B}})
    other = inputs(9, 5, 2)
    for found, expected in zip(program.module()(*other), model(*other), strict=True):
        torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("reset", ["after", "before"])
def test_compiled_whole_with_free_batch_and_time(reset: str) -> None:
    """fullgraph=True forbids breaks; one graph serves every size."""
    torch._dynamo.reset()
    model = Tagger(reset=reset).eval()
    counter = CompileCounter()
    compiled = torch.compile(model, fullgraph=True, dynamic=True, backend=counter)
    with torch.no_grad():
        for T, B in ((7, 5), (9, 6), (17, 11)):
            args = inputs(T, B, 1)
            for found, expected in zip(compiled(*args), model(*args), strict=True):
                torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)
    assert counter.frame_count == 1
