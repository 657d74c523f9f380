"""Additive attention: the formula, padding, one query or many."""

from __future__ import annotations

import torch

from gruworks.nn.attention import AdditiveAttention
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
