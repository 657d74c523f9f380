"""Language model: embedding, residual GRU blocks with optional convolution or attention blocks, tied output layer."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from gruworks.nn.blocks.causal_conv import ConvolutionBlock
from gruworks.nn.blocks.self_attention import AttentionBlock
from gruworks.nn.blocks.stack import Block, GRUBlock, Stack, variational_dropout
from gruworks.nn.cross_entropy import linear_cross_entropy
from gruworks.nn.state import State
from gruworks.ops.weights import Reset

__all__ = ["Between", "LanguageNet"]

Between = Literal["none", "convolution", "attention"]


class LanguageNet(torch.nn.Module):
    """Autoregressive network from tokens to the distribution of the next token.

    Embedding e, L residual blocks x + GRU(norm(x)) with an optional convolution or attention block before each but the
    first, layer norm, and an output layer tied to the embedding: norm(x) · eᵀ + b (Press and Wolf 2017).

    >>> net = LanguageNet(symbols=65, hidden_size=8, layers=2)
    >>> features, state = net(torch.zeros(7, 3, dtype=torch.int64))
    >>> features.shape, sorted(state)
    (torch.Size([7, 3, 8]), ['0.hidden', '1.hidden'])

    Shapes: tokens [T, B]; features [T, B, H]; tensors of the state [B, ...].
    """

    def __init__(
        self,
        symbols: int,
        hidden_size: int = 256,
        layers: int = 2,
        *,
        dropout: float = 0.0,
        input_dropout: float = 0.0,
        output_dropout: float = 0.0,
        weight_dropout: float = 0.0,
        between: Between = "none",
        kernel_size: int = 4,
        window: int = 64,
        heads: int = 4,
        reset: Reset = "after",
    ) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(symbols, hidden_size)
        torch.nn.init.normal_(self.embedding.weight, std=hidden_size**-0.5)
        blocks: list[Block] = []
        for layer in range(layers):
            if layer and between == "convolution":
                blocks.append(ConvolutionBlock(hidden_size, kernel_size, dropout))
            elif layer and between == "attention":
                blocks.append(AttentionBlock(hidden_size, window, heads, dropout))
            blocks.append(GRUBlock(hidden_size, dropout, weight_dropout, reset))
        self.stack = Stack(blocks)
        self.norm = torch.nn.LayerNorm(hidden_size)
        self.bias = torch.nn.Parameter(torch.zeros(symbols))
        self.input_dropout, self.output_dropout = input_dropout, output_dropout

    def forward(self, tokens: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Features [T, B, H] after each of the tokens [T, B], and the state after the last."""
        x = variational_dropout(self.embedding(tokens), self.input_dropout, self.training)
        x, state = self.stack(x, state)
        return variational_dropout(self.norm(x), self.output_dropout, self.training), state

    def empty(self, rows: int) -> State:
        """Initial state of `rows` texts."""
        return self.stack.empty(rows)

    def scores(self, features: Tensor) -> Tensor:
        """Logits [..., V] of the next token from features [..., H]."""
        return torch.nn.functional.linear(features, self.embedding.weight, self.bias)

    def losses(self, features: Tensor, targets: Tensor) -> Tensor:
        """Cross-entropy [T, B] in nats, from features [T, B, H] and targets [T, B]; 0 where a target is negative."""
        flat, x = targets.flatten(), features.flatten(0, 1)
        counted = flat >= 0
        if bool(counted.all()):
            return linear_cross_entropy(x, self.embedding.weight, self.bias, flat).view_as(targets)
        places = counted.nonzero()[:, 0]  # no logits are computed for padding
        found = linear_cross_entropy(x[places], self.embedding.weight, self.bias, flat[places])
        return x.new_zeros(len(x)).index_put((places,), found).view_as(targets)
