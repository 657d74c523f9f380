"""Additive attention (Bahdanau et al. 2015) with a memory-efficient score function."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from gruworks.nn.recurrence.operands import check_alike

__all__ = ["AdditiveAttention", "additive_scores"]

CHUNK_ENTRIES = 131_072  # elements per chunk: 512 KB of float32 fit into the L2 cache


class AdditiveAttention(torch.nn.Module):
    """score(q, m) = v · tanh(W q + U m + b), weights = softmax over the memory, context = Σ weight · m.

    Bahdanau et al. 2015. The keys U m + b are computed once per memory.

    >>> attention = AdditiveAttention(query=3, memory=4, size=5)
    >>> memory = torch.zeros(2, 7, 4)                                          # [B, S, M]
    >>> context, weights = attention(torch.zeros(2, 6, 3), attention.keys(memory), memory)
    >>> context.shape, weights.shape
    (torch.Size([2, 6, 4]), torch.Size([2, 6, 7]))

    Args:
        query: Q, size of a query.
        memory: M, size of a memory vector.
        size: A, size of a key.
    """

    def __init__(self, query: int, memory: int, size: int) -> None:
        super().__init__()
        self.query = torch.nn.Linear(query, size, bias=False)
        self.memory = torch.nn.Linear(memory, size)
        self.score = torch.nn.Parameter(torch.empty(size).uniform_(-1, 1).mul_(size**-0.5))

    def keys(self, memory: Tensor) -> Tensor:
        """Keys [B, S, A] of a memory [B, S, M]."""
        keys: Tensor = self.memory(memory)
        return keys

    def forward(
        self, queries: Tensor, keys: Tensor, memory: Tensor, hidden: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Contexts [B, T, M] and weights [B, T, S] of queries [B, T, Q] over a memory [B, S, M].

        `hidden` [B, S] is True at padding of the memory.
        """
        scores = additive_scores(self.query(queries), keys, self.score)
        if hidden is not None:
            scores = scores.masked_fill(hidden[:, None], -torch.inf)
        weights = scores.softmax(-1)
        return weights @ memory, weights


def additive_scores(queries: Tensor, keys: Tensor, score: Tensor) -> Tensor:
    """Scores v · tanh(q + k) [B, T, S] of queries [B, T, A] and keys [B, S, A]; `score` is v [A].

    >>> additive_scores(torch.zeros(1, 2, 3), torch.ones(1, 4, 3), torch.ones(3)).shape
    torch.Size([1, 2, 4])

    The tensor [B, T, S, A] is computed in chunks of rows and recomputed in the backward, because it would be by far the
    largest of a training step. tanh(x) is computed as 2 σ(2x) - 1, which is ten times as fast. Differentiable once.
    """
    check_alike(queries=queries, keys=keys, score=score)
    if torch.compiler.is_compiling():  # no loop over rows, whose number is dynamic
        return torch.tanh(queries[:, :, None] + keys[:, None]) @ score
    if torch.is_grad_enabled() and any(t.requires_grad for t in (queries, keys, score)):
        found: Tensor = _AdditiveScores.apply(queries, keys, score)  # type: ignore[no-untyped-call]
        return found
    return _scores(queries, keys, score)


def _scores(queries: Tensor, keys: Tensor, score: Tensor) -> Tensor:
    scores = queries.new_empty(*queries.shape[:2], keys.shape[1])
    queries, keys = 2 * queries, 2 * keys
    for rows in _chunks(queries, keys):
        torch.matmul(_sigmoids(queries[rows], keys[rows]), 2 * score, out=scores[rows])
    return scores.sub_(score.sum())


class _AdditiveScores(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, queries: Tensor, keys: Tensor, score: Tensor) -> Tensor:
        ctx.save_for_backward(queries, keys, score)
        return _scores(queries, keys, score)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Any:
        queries, keys, score = ctx.saved_tensors
        of_queries, of_keys = torch.empty_like(queries), torch.empty_like(keys)
        of_score = torch.zeros_like(score)
        queries, keys = 2 * queries, 2 * keys
        for rows in _chunks(queries, keys):
            s, g = _sigmoids(queries[rows], keys[rows]), grad[rows]
            of_score.addmv_(s.flatten(0, 2).t(), g.flatten())
            slope = torch.addcmul(s, s, s, value=-1, out=s).mul_(g[..., None])  # tanh'(x) = 4 (σ - σ²) at 2x
            torch.sum(slope, 2, out=of_queries[rows])
            torch.sum(slope, 1, out=of_keys[rows])
        slope = 4 * score
        return of_queries.mul_(slope), of_keys.mul_(slope), of_score.mul_(2).sub_(grad.sum())


def _sigmoids(queries: Tensor, keys: Tensor) -> Tensor:
    """σ(q + k), [B, T, S, A]."""
    return torch.add(queries[:, :, None], keys[:, None]).sigmoid_()


def _chunks(queries: Tensor, keys: Tensor) -> list[slice]:
    """Chunks of rows whose [T, S, A] fit into the cache."""
    rows = max(1, CHUNK_ENTRIES // max(1, queries.shape[1] * keys.shape[1] * keys.shape[2]))
    return [slice(start, start + rows) for start in range(0, len(queries), rows)]
