"""Additive attention: formula, padding, one or many queries."""

from __future__ import annotations

import pytest
import torch

from gruworks.nn.blocks import additive_attention as module
from gruworks.nn.blocks.additive_attention import AdditiveAttention, additive_scores
from tests import tolerances


def test_it_is_bahdanaus_formula() -> None:
    torch.manual_seed(0)
    attention = AdditiveAttention(query=3, memory=4, size=5)
    query, memory = torch.randn(2, 6, 3), torch.randn(2, 7, 4)
    context, weights = attention(query, attention.keys(memory), memory)
    w, u, b, v = attention.query.weight, attention.memory.weight, attention.memory.bias, attention.score
    for row in range(2):
        for t in range(6):
            scores = torch.stack([v @ torch.tanh(w @ query[row, t] + u @ m + b) for m in memory[row]])
            expected = scores.softmax(0)
            assert torch.allclose(weights[row, t], expected, atol=tolerances.FLOAT32_OUTPUT)
            assert torch.allclose(context[row, t], expected @ memory[row], atol=tolerances.FLOAT32_OUTPUT)


def test_padding_gets_no_weight() -> None:
    torch.manual_seed(0)
    attention = AdditiveAttention(3, 4, 5)
    query, memory = torch.randn(1, 2, 3), torch.randn(1, 7, 4)
    hidden = torch.arange(7)[None] >= 4
    context, weights = attention(query, attention.keys(memory), memory, hidden)
    short, short_weights = attention(query, attention.keys(memory[:, :4]), memory[:, :4])
    assert bool((weights[..., 4:] == 0).all())
    assert torch.allclose(weights[..., :4], short_weights, atol=tolerances.FLOAT32_OUTPUT)
    assert torch.allclose(context, short, atol=tolerances.FLOAT32_OUTPUT)


@pytest.mark.parametrize("entries", [1, 60, 10_000])
def test_scores_and_gradients_are_those_of_tanh(entries: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK_ENTRIES", entries)
    torch.manual_seed(0)
    shapes = (5, 3, 4), (5, 2, 4), (4,)
    queries, keys, score = operands = [torch.randn(s, dtype=torch.float64, requires_grad=True) for s in shapes]
    found = additive_scores(*operands)
    expected = torch.tanh(queries[:, :, None] + keys[:, None]) @ score
    torch.testing.assert_close(found, expected)
    grad = torch.randn_like(found)
    torch.testing.assert_close(
        torch.autograd.grad(found, operands, grad), torch.autograd.grad(expected, operands, grad)
    )


def test_sums_far_from_zero_stay_finite() -> None:
    far = torch.tensor([[[-3e3], [0.0], [3e3]]])
    assert additive_scores(far, torch.zeros(1, 1, 1), torch.ones(1)).flatten().tolist() == [-1, 0, 1]


def test_a_graph_of_it_serves_other_sizes() -> None:
    torch.manual_seed(0)
    attention = AdditiveAttention(3, 4, 5).eval()
    names = ("queries", "keys", "memory")
    given = {"queries": torch.randn(2, 6, 3), "keys": torch.randn(2, 7, 5), "memory": torch.randn(2, 7, 4)}
    batch, steps, length = (torch.export.Dim(name, min=2, max=64) for name in ("B", "T", "S"))
    shapes = {"queries": {0: batch, 1: steps}, "keys": {0: batch, 1: length}, "memory": {0: batch, 1: length}}
    graph = torch.export.export(attention, (), given, dynamic_shapes=shapes).module()
    other = torch.randn(3, 4, 3), torch.randn(3, 9, 5), torch.randn(3, 9, 4)
    found = graph(**dict(zip(names, other, strict=True)))
    for one, expected in zip(found, attention(*other), strict=True):
        torch.testing.assert_close(one, expected, atol=tolerances.FLOAT32_OUTPUT, rtol=0)
