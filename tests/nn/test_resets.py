"""Resets inside a sequence: equal to computing the sequences between them one by one, in every form and layout."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import gruworks
from gruworks import GRU, GRUCell
from gruworks.errors import DtypeError, ExportError, OptionError, ShapeError
from gruworks.nn.functional import gru_layer
from gruworks.ops.backend import backend, native
from tests.tolerances import FLOAT32_OUTPUT, FLOAT64

T, B, I, H = 9, 5, 3, 18  # noqa: E741 (the field's letters)


def operands(gru: GRU, seed: int = 0) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """x, hx, reset_state and resets; row 0 has none, row 1 one at step 0, row 2 one at each step."""
    draw = torch.Generator().manual_seed(seed)
    x = torch.randn(T, B, I, generator=draw, dtype=torch.float64)
    states = torch.randn(2, gru.num_layers * gru.directions, B, H, generator=draw, dtype=torch.float64)
    resets = torch.rand(T, B, generator=draw) < 0.3
    resets[:, 0], resets[0, 1], resets[:, 2] = False, True, True
    return x.requires_grad_(), states[0].clone().requires_grad_(), states[1].clone().requires_grad_(), resets


def one_by_one(
    gru: GRU, x: Tensor, hx: Tensor, reset_state: Tensor, resets: Tensor, lengths: list[int]
) -> tuple[Tensor, Tensor]:
    """Each sequence between resets by itself, without `resets`."""
    outputs, finals = [], []
    ways = torch.arange(len(hx)) % gru.directions
    for b, length in enumerate(lengths):
        starts = [t for t in range(length) if t == 0 or resets[t, b]]
        ends = [*starts[1:], length][: len(starts)]
        parts, first, last = [], None, hx[:, b]
        for start, end in zip(starts, ends, strict=True):
            fresh = bool(resets[start, b]), end < length  # of the forward and the reverse direction
            state = torch.stack([(reset_state if fresh[way] else hx)[k, b] for k, way in enumerate(ways)])
            output, last = gru(x[start:end, b], state)
            first = last if first is None else first
            parts.append(output)
        parts.append(x.new_zeros(T - length, gru.directions * H))
        outputs.append(torch.cat(parts))
        if first is not None:
            last = torch.where((ways == 1)[:, None], first, last)
        finals.append(last)
    return torch.stack(outputs, 1), torch.stack(finals, 1)


def compare(
    gru: GRU, found: tuple[Tensor, Tensor], expected: tuple[Tensor, Tensor], leaves: list[Tensor], other: Any = None
) -> None:
    """Compare results and all gradients; `other` is the module of the expected ones, `gru` by default."""
    results = []
    for (output, final), module in ((found, gru), (expected, other or gru)):
        loss = (output * torch.arange(output.numel()).reshape(output.shape).sin()).sum() + final.square().sum()
        grads = torch.autograd.grad(loss, [*leaves, *module.parameters()], allow_unused=True, materialize_grads=True)
        results.append((output, final, *grads))
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(a, b, rtol=10 * FLOAT64, atol=10 * FLOAT64)


FORMS: list[dict[str, Any]] = [
    {}, {"reset": "before"}, {"bidirectional": True}, {"num_layers": 2, "bidirectional": True, "reset": "before"},
    {"num_layers": 2, "bias": False}, {"recompute": 4, "bidirectional": True}, {"candidate_activation": "softsign"},
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("ragged", [False, True])
def test_results_are_those_of_the_single_sequences(form: dict[str, Any], ragged: bool) -> None:
    torch.manual_seed(0)
    gru = GRU(I, H, dtype=torch.float64, **form)
    plain = GRU(I, H, dtype=torch.float64, **{name: value for name, value in form.items() if name != "recompute"})
    plain.load_state_dict(gru.state_dict())
    x, hx, reset_state, resets = operands(gru)
    lengths = [9, 4, 7, 0, 1] if ragged else [T] * B
    found = gru(x, hx, lengths=lengths if ragged else None, resets=resets, reset_state=reset_state)
    expected = one_by_one(plain, x, hx, reset_state, resets, lengths)
    compare(gru, found, expected, [x, hx, reset_state], plain)


@pytest.mark.parametrize("build", native.builds() if backend().name != "torch" else [])
def test_every_build(build: str) -> None:
    before = native.build()
    native.choose_build(build)
    try:
        for bidirectional in (False, True):
            gru = GRU(I, H, dtype=torch.float64, bidirectional=bidirectional)
            x, hx, reset_state, resets = operands(gru)
            found = gru(x, hx, resets=resets, reset_state=reset_state)
            expected = one_by_one(gru, x, hx, reset_state, resets, [T] * B)
            compare(gru, found, expected, [x, hx, reset_state])
    finally:
        native.choose_build(before)


def test_numbers_lists_and_layouts_mean_the_same() -> None:
    gru = GRU(I, H)
    first = GRU(I, H, batch_first=True)
    first.load_state_dict(gru.state_dict())
    x, resets = torch.randn(T, B, I), torch.rand(T, B) < 0.3
    output, final = gru(x, resets=resets)
    assert torch.equal(gru(x, resets=resets.float())[0], output)
    assert torch.equal(gru(x, resets=resets.tolist())[0], output)
    assert torch.equal(first(x.transpose(0, 1), resets=resets.t())[0].transpose(0, 1), output)
    for b in range(B):
        alone, last = gru(x[:, b], resets=resets[:, b])
        torch.testing.assert_close(alone, output[:, b], rtol=0, atol=FLOAT32_OUTPUT)
        torch.testing.assert_close(last, final[:, b], rtol=0, atol=FLOAT32_OUTPUT)


def test_without_a_reset_state_it_is_zero_whatever_hx_is() -> None:
    gru, cell = GRU(I, H), GRUCell(I, H)
    cell.load_state_dict({name.removesuffix("_l0"): value for name, value in gru.state_dict().items()})
    x, h, resets = torch.randn(T, B, I), torch.randn(B, H), torch.rand(T, B) < 0.3
    output, _ = gru(x, h[None], resets=resets)
    for t in range(T):
        h = cell(x[t], torch.where(resets[t][:, None], 0, h))
        torch.testing.assert_close(output[t], h, rtol=0, atol=FLOAT32_OUTPUT)


def test_a_cell_replaces_its_state() -> None:
    cell, other, x, h = GRUCell(I, H), torch.randn(B, H), torch.randn(B, I), torch.randn(B, H)
    resets = torch.tensor([True, False, True, False, False])
    expected = cell(x, torch.where(resets[:, None], other, h))
    assert torch.equal(cell(x, h, resets=resets, reset_state=other), expected)
    assert torch.equal(cell(x, h, resets=resets.float()), cell(x, torch.where(resets[:, None], 0, h)))
    assert torch.equal(cell(x[0], h[0], resets=torch.tensor(True)), cell(x[0]))
    assert torch.equal(cell(x, resets=resets), cell(x))
    with pytest.raises(ShapeError, match=r"resets must be \[5\]"):
        cell(x, h, resets=resets[:4])


@pytest.mark.parametrize("lengths", [[9, 9, 9, 9, 9], [9, 7, 7, 3, 1]])
def test_packed_input_takes_packed_resets(lengths: list[int]) -> None:
    gru = GRU(I, H, 2, bidirectional=True)
    x, hx, resets = torch.randn(T, B, I), torch.randn(4, B, H), torch.rand(T, B) < 0.3
    packed, marks = pack_padded_sequence(x, lengths), pack_padded_sequence(resets, lengths)
    output, final = gru(packed, hx, resets=marks, reset_state=hx)
    expected, last = gru(x, hx, lengths=lengths, resets=resets, reset_state=hx)
    torch.testing.assert_close(pad_packed_sequence(output)[0], expected, rtol=0, atol=FLOAT32_OUTPUT)
    torch.testing.assert_close(final, last, rtol=0, atol=FLOAT32_OUTPUT)
    with pytest.raises(ShapeError, match="must be packed as it is"):
        gru(packed, hx, resets=resets)


def test_many_rows_of_different_lengths_are_grouped() -> None:
    gru, lengths = GRU(I, H), sorted([400, *[3] * 30], reverse=True)
    x, resets = torch.randn(400, 31, I), torch.rand(400, 31) < 0.2
    output, _ = gru(pack_padded_sequence(x, lengths), resets=pack_padded_sequence(resets, lengths))
    expected, _ = gru(x, lengths=lengths, resets=resets)
    torch.testing.assert_close(pad_packed_sequence(output)[0], expected, rtol=0, atol=FLOAT32_OUTPUT)


def test_the_functional_layer_with_decay_and_masks() -> None:
    gru = GRU(I, H, dtype=torch.float64)
    x, _, other, resets = operands(gru)
    decay = torch.rand(T, B, H, dtype=torch.float64)
    for reverse in (False, True):
        marks = resets if not reverse else torch.cat([resets[1:], torch.zeros(1, B, dtype=torch.bool)])
        gone = decay * ~marks[..., None]  # a decay of 0 is a reset
        found = gru_layer(x, None, gru.weights(), resets=resets, decay=decay, replacement=other[0], reverse=reverse)
        expected = gru_layer(x, None, gru.weights(), decay=gone, replacement=other[0], reverse=reverse)
        compare(gru, found, expected, [x, other])
    mask = (torch.rand(B, H, dtype=torch.float64) < 0.5).double() * 2
    found = gru_layer(x, None, gru.weights(), resets=resets, mask=mask)
    h, outputs = x.new_zeros(B, H), []
    for t in range(T):
        h = gru_layer(x[t : t + 1], torch.where(resets[t][:, None], 0, h), gru.weights(), mask=mask)[1]
        outputs.append(h)
    compare(gru, found, (torch.stack(outputs), h), [x])


def test_higher_derivatives_and_transforms() -> None:
    gru = GRU(2, 3, dtype=torch.float64)
    x, resets = torch.randn(4, 2, 2, dtype=torch.float64), torch.tensor([[0, 1], [1, 0], [0, 0], [1, 1]])
    start = torch.randn(1, 2, 3, dtype=torch.float64)

    def last(x: Tensor, start: Tensor) -> Tensor:
        return gru(x, resets=resets, reset_state=start)[0]

    leaves = x.requires_grad_(), start.requires_grad_()
    assert torch.autograd.gradcheck(last, leaves)
    assert torch.autograd.gradgradcheck(last, leaves)
    many = torch.randn(3, 4, 2, 2, dtype=torch.float64)
    mapped = torch.func.vmap(last, (0, None))(many, start)
    torch.testing.assert_close(mapped, torch.stack([last(one, start) for one in many]))


@pytest.mark.skipif(backend().name == "torch", reason="the native kernel does not run here")
def test_compiled_and_exported() -> None:
    gru, x, resets = GRU(I, H, bidirectional=True).eval(), torch.randn(T, B, I), torch.rand(T, B) < 0.3
    expected, _ = gru(x, resets=resets)
    torch._dynamo.reset()
    compiled = torch.compile(gru, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x, resets=resets)[0], expected)
    program = torch.export.export(gru, (x, None, None, resets))
    torch.testing.assert_close(program.module()(x, None, None, resets)[0], expected)


@pytest.mark.skipif(backend().name == "torch", reason="the native kernel does not run here")
def test_the_kernel_computes_it() -> None:
    gru = GRU(I, H)
    explanation = gruworks.explain(gru, torch.randn(T, B, I), resets=torch.zeros(T, B, dtype=torch.bool))[0]
    assert explanation.chosen.name == "native kernel"


def test_mistakes_are_named() -> None:
    gru, x = GRU(I, H), torch.randn(T, B, I)
    with pytest.raises(ShapeError, match=r"resets must be \[9, 5\].*got \[5, 9\]"):
        gru(x, resets=torch.zeros(B, T))
    with pytest.raises(OptionError, match=r"reset_state.*needs resets"):
        gru(x, reset_state=torch.zeros(1, B, H))
    with pytest.raises(ShapeError, match=r"expected reset_state \[1, 5, 18\]"):
        gru(x, resets=torch.zeros(T, B), reset_state=torch.zeros(B, H))
    with pytest.raises(DtypeError, match="bools or numbers"):
        gru(x, resets=[[1], [1, 2]])


@pytest.mark.skipif(backend().name == "torch", reason="the native kernel does not run here")
def test_an_onnx_graph_refuses_them(tmp_path: Any) -> None:
    pytest.importorskip("onnxscript")
    from gruworks.interop.onnx_export import export

    with pytest.raises(ExportError, match="resets"):
        export(
            _Resetting(), (torch.randn(T, B, I), torch.zeros(T, B)), tmp_path / "m.onnx", inputs=["x", "resets"],
            outputs=["y"],
        )  # fmt: skip


class _Resetting(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gru = GRU(I, H)
        self.eval()

    def forward(self, x: Tensor, resets: Tensor) -> Tensor:
        output: Tensor = self.gru(x, resets=resets)[0]
        return output
