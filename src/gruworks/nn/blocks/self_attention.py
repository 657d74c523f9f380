"""Causal sliding-window self-attention as a residual block."""

from __future__ import annotations

import torch
from torch import Tensor

from gruworks.errors import OptionError
from gruworks.nn.blocks.stack import Block
from gruworks.nn.state import State

__all__ = ["AttentionBlock"]


class AttentionBlock(Block):
    """Self-attention of each step to itself and the `window` steps before it, with a learned bias per distance.

    >>> y, state = AttentionBlock(4, window=3, heads=2)(torch.zeros(7, 2, 4))
    >>> y.shape, state["keys"].shape, state["filled"]
    (torch.Size([7, 2, 4]), torch.Size([2, 3, 4]), tensor([3, 3]))

    The state has constant size: `keys` and `values` [B, window, H] of the last steps, and `filled` [B], how many of
    them are valid.

    Args:
        size: H.
        window: number of past steps.
        heads: number of attention heads, a divisor of H.
        dropout: dropout probability of the block's output, one mask for all steps.
    """

    def __init__(self, size: int, window: int = 64, heads: int = 4, dropout: float = 0.0) -> None:
        super().__init__(size, dropout)
        if size % heads:
            raise OptionError(
                f"the block's size must be a multiple of the number of heads: {size} is not divisible by {heads}"
            )
        self.window, self.heads = window, heads
        self.project = torch.nn.Linear(size, 3 * size)
        self.mix = torch.nn.Linear(size, size)
        self.near = torch.nn.Parameter(torch.zeros(heads, window + 1))  # by distance

    def residual(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        T, W = x.shape[0], self.window
        query, key, value = (part.transpose(0, 1) for part in self.project(x).chunk(3, -1))
        keys, values = torch.cat([state["keys"], key], 1), torch.cat([state["values"], value], 1)
        # An exported graph has one form for every T.
        banded = not torch.compiler.is_compiling() and T > 2 * W and W > 0
        y = (self._in_bands if banded else self._at_once)(query, keys, values, state["filled"])
        after = {"keys": keys[:, T:], "values": values[:, T:], "filled": (state["filled"] + T).clamp(max=W)}
        return self.mix(y.transpose(0, 1)), after

    def _at_once(self, query: Tensor, keys: Tensor, values: Tensor, filled: Tensor) -> Tensor:
        """Attention of [B, T, H] to all keys [B, W + T, H] with a mask."""
        y = torch.nn.functional.scaled_dot_product_attention(
            self._split(query), self._split(keys), self._split(values), self._bias(query.shape[1], filled)
        )
        return y.transpose(1, 2).flatten(2)

    def _in_bands(self, query: Tensor, keys: Tensor, values: Tensor, filled: Tensor) -> Tensor:
        """Banded attention, `window` queries to 2 · window keys at a time: linear in T."""
        (B, T, H), W = query.shape, self.window
        count = -(-T // W)
        rest = count * W - T

        def bands(a: Tensor, width: int) -> Tensor:
            padded = torch.nn.functional.pad(a, (0, 0, 0, rest))
            return padded.unfold(1, width, W).mT.reshape(B * count, width, H)

        there = (filled[:, None] + W * torch.arange(count, device=filled.device)).clamp(max=W)
        y = self._at_once(bands(query, W), bands(keys, 2 * W), bands(values, 2 * W), there.flatten())
        return y.view(B, count * W, H)[:, :T]

    def empty(self, rows: int) -> State:
        nothing = self.near.new_zeros(rows, self.window, len(self.norm.weight))
        filled = torch.zeros(rows, dtype=torch.int64, device=nothing.device)
        return {"keys": nothing, "values": nothing.clone(), "filled": filled}

    def _bias(self, T: int, filled: Tensor) -> Tensor:
        """Distance biases [B, heads, T, window + T]; -inf outside the window and before the first step."""
        W = self.window
        place = torch.arange(W + T, device=filled.device)
        distance = torch.arange(W, W + T, device=filled.device)[:, None] - place
        near = self.near[:, distance.clamp(0, W)]
        unseen = ((distance < 0) | (distance > W))[None] | (place < W - filled[:, None])[:, None]
        return near[None].masked_fill(unseen[:, None], float("-inf"))

    def _split(self, x: Tensor) -> Tensor:
        """[B, S, H] to [B, heads, S, H / heads]."""
        return x.reshape(*x.shape[:2], self.heads, -1).transpose(1, 2)
