"""Additive attention: a query weighs the states of a memory, and reads their mean."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["AdditiveAttention"]


class AdditiveAttention(torch.nn.Module):
    """score(q, m) = v · tanh(W q + U m + b), weights = softmax over the memory, context = Σ weight · m.

    Bahdanau et al. 2015. U m + b, the keys, are computed once a memory.

    >>> attention = AdditiveAttention(query=3, memory=4, size=5)
    >>> memory = torch.zeros(2, 7, 4)                                          # [B, S, M]
    >>> context, weights = attention(torch.zeros(2, 6, 3), attention.keys(memory), memory)
    >>> context.shape, weights.shape
    (torch.Size([2, 6, 4]), torch.Size([2, 6, 7]))

    Args:
        query: Q, entries of a query. memory: M, entries of a memory's state. size: A, entries of a key.
    """

    def __init__(self, query: int, memory: int, size: int) -> None:
        super().__init__()
        self.query = torch.nn.Linear(query, size, bias=False)
        self.memory = torch.nn.Linear(memory, size)
        self.score = torch.nn.Parameter(torch.empty(size).uniform_(-1, 1).mul_(size**-0.5))

    def keys(self, memory: Tensor) -> Tensor:
        """[B, S, A] of a memory [B, S, M]."""
        keys: Tensor = self.memory(memory)
        return keys

    def forward(
        self, queries: Tensor, keys: Tensor, memory: Tensor, hidden: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Contexts [B, T, M] and weights [B, T, S] of T queries [B, T, Q] on each memory.

        `hidden` [B, S] is True where the memory is padding.
        """
        sums = self.query(queries)[:, :, None] + keys[:, None]
        tanh = sums.tanh() if sums.requires_grad else sums.tanh_()  # the largest tensor here: no second one
        scores = tanh @ self.score
        if hidden is not None:
            scores = scores.masked_fill(hidden[:, None], -torch.inf)
        weights = scores.softmax(-1)
        return weights @ memory, weights
