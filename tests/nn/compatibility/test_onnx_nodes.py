"""torch.onnx.export by both exporters: GRU nodes with equal numbers."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import gruworks
from gruworks import GRU, GRUCell
from gruworks.errors import ExportError
from tests.tolerances import FLOAT32_OUTPUT

onnx, onnxruntime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")
pytestmark = pytest.mark.filterwarnings("ignore")  # the exporters', about themselves

FORMS = ("after", "before")


def _same(content: bytes, model: torch.nn.Module, args: tuple[torch.Tensor, ...]) -> int:
    """Check the graph's outputs and return its number of GRU nodes."""
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    given = dict(zip((one.name for one in session.get_inputs()), (a.numpy() for a in args), strict=True))
    for found, expected in zip(session.run(None, given), torch.utils._pytree.tree_leaves(model(*args)), strict=True):
        torch.testing.assert_close(torch.from_numpy(found), expected, atol=FLOAT32_OUTPUT, rtol=0)
    return sum(node.op_type == "GRU" for node in onnx.load_from_string(content).graph.node)


def _traced(model: torch.nn.Module, args: tuple[torch.Tensor, ...], **given: Any) -> int:
    file = io.BytesIO()
    torch.onnx.export(model.eval(), args, file, dynamo=False, **given)
    with torch.no_grad():
        return _same(file.getvalue(), model, args)


@pytest.mark.parametrize("reset", FORMS)
def test_the_bare_module_by_the_exporter_that_traces(reset: Any) -> None:
    torch.manual_seed(0)
    x, ends = torch.randn(5, 2, 3), torch.tensor([5, 0])
    assert _traced(GRU(3, 4, reset=reset), (x,)) == 1
    assert _traced(GRU(3, 4, reset=reset, bias=False), (x, torch.randn(1, 2, 4)), opset_version=9) == 1
    assert _traced(GRU(3, 4, reset=reset), (x, torch.randn(1, 2, 4), ends)) == 1
    stack = GRU(3, 4, 2, bidirectional=True, batch_first=True, reset=reset)
    assert _traced(stack, (x, torch.randn(4, 5, 4))) == (2 if reset == "after" else 4)
    _traced(GRUCell(3, 4, reset=reset), (x[0], torch.randn(2, 4)))


class Everything(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stack = torch.nn.GRU(3, 4, 2, bidirectional=True, batch_first=True)
        self.paper, self.cell = GRU(8, 4, reset="before"), torch.nn.GRUCell(4, 4)
        gruworks.replace(self)

    def forward(self, x: torch.Tensor, h: torch.Tensor) -> Any:
        return self.cell(self.paper(self.stack(x, h)[0])[0][-1])


def test_a_replaced_model_by_the_exporter_of_torch_export(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model, args = Everything().eval(), (torch.randn(5, 2, 3), torch.randn(4, 5, 4))
    torch.onnx.export(model, args, tmp_path / "m.onnx", dynamo=True, verbose=False, external_data=False)
    with torch.no_grad():
        assert _same((tmp_path / "m.onnx").read_bytes(), model, args) == 5


class Packed(torch.nn.Module):
    def __init__(self, gru: GRU) -> None:
        super().__init__()
        self.gru = gru

    def forward(self, x: torch.Tensor, ends: torch.Tensor) -> torch.Tensor:
        packed = pack_padded_sequence(x, ends, enforce_sorted=False)
        return pad_packed_sequence(self.gru(packed)[0])[0]


def test_packed_sequences_are_written_as_torchs_or_refused() -> None:
    args = torch.randn(5, 2, 3), torch.tensor([3, 5])
    assert _traced(Packed(GRU(3, 4)), args) == 1
    with pytest.raises(ExportError, match="PackedSequence can't be exported to ONNX from here: give padded input"):
        _traced(Packed(GRU(3, 4, reset="before")), args)


def test_what_no_node_says_is_refused_by_name() -> None:
    with pytest.raises(gruworks.GruworksError, match="no layer norm"):
        _traced(GRU(3, 4, layer_norm=True), (torch.randn(5, 2, 3),))


@pytest.mark.parametrize("reset", FORMS)
def test_torch_jit_trace_serves_training_and_inference(reset: Any) -> None:
    gru, x = GRU(3, 4, reset=reset), torch.randn(5, 2, 3)
    traced = torch.jit.trace(gru, (x,))
    longer = torch.cat([x, x])
    torch.testing.assert_close(traced(longer), gru(longer))
    found = torch.autograd.grad(traced(longer)[0].sum(), gru.weight_hh_l0)
    torch.testing.assert_close(found, torch.autograd.grad(gru(longer)[0].sum(), gru.weight_hh_l0))


@pytest.mark.parametrize("reset", FORMS)
@pytest.mark.parametrize(("candidate", "gate"), [("relu", "sigmoid"), ("linear", "hard_sigmoid")])
def test_other_activations_by_both_exporters(reset: Any, candidate: Any, gate: Any, tmp_path: Path) -> None:
    torch.manual_seed(0)
    gru = GRU(3, 4, bidirectional=True, reset=reset, candidate_activation=candidate, gate_activation=gate).eval()
    args = (torch.randn(5, 2, 3), torch.randn(2, 2, 4))
    assert _traced(gru, args) == 2
    torch.onnx.export(gru, args, tmp_path / "m.onnx", dynamo=True, verbose=False, external_data=False)
    with torch.no_grad():
        assert _same((tmp_path / "m.onnx").read_bytes(), gru, args) == 2
