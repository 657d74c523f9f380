"""Acoustic model: strided convolutions, GRU layers with look-ahead or in both directions, CTC output."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gruworks.nn.blocks.lookahead_conv import RowConvolution
from gruworks.nn.blocks.ragged import mask
from gruworks.nn.blocks.strided_conv import StridedConvolution
from gruworks.nn.gru import GRU
from gruworks.nn.state import State, from_hidden, to_hidden
from gruworks.tasks.transcribe.attention_decoder import CTCAttentionDecoder
from gruworks.tasks.transcribe.config import Config
from gruworks.tasks.transcribe.ligru import LiGRULayer

__all__ = ["TranscribeNet"]


class TranscribeNet(torch.nn.Module):
    """Log-probabilities of CTC tokens (Graves et al. 2006) from features.

    >>> net = TranscribeNet(40, 29, Config(hidden_size=16, channels=16))
    >>> log_probabilities, lengths = net(torch.randn(2, 10, 40), torch.tensor([10, 7]))
    >>> log_probabilities.shape, lengths
    (torch.Size([2, 5, 29]), tensor([5, 4]))

    One output step covers `stride` frames. With `config.streaming` the network is causal, except for the row
    convolution after each GRU layer (Amodei et al. 2016), and can run chunk by chunk: `start`, then `step`. Whole
    recordings and chunks give the same numbers up to float32 rounding.

    Args:
        inputs: features per frame, F.
        symbols: vocabulary size V, including the blank (0).
        config: sizes and options of the network.
    """

    def __init__(self, inputs: int, symbols: int, config: Config) -> None:
        super().__init__()
        self.stride, self.bidirectional = math.prod(config.strides), not config.streaming
        self.hidden_size, self.attention = config.hidden_size, config.attention
        layers, width = range(config.layers), self.hidden_size * (2 if self.bidirectional else 1)
        sizes = [inputs] + [config.channels] * len(config.strides)
        self.convolutions = torch.nn.ModuleList(
            StridedConvolution(size, config.channels, config.kernel_size, stride)
            for size, stride in zip(sizes, config.strides, strict=False)
        )
        self.fronts = torch.nn.ModuleList(torch.nn.LayerNorm(config.channels) for _ in config.strides)
        self.grus = torch.nn.ModuleList(self._layer(width if layer else sizes[-1], config) for layer in layers)
        self.norms = torch.nn.ModuleList(torch.nn.LayerNorm(width) for _ in layers)
        ahead = 0 if self.bidirectional else config.lookahead
        self.rows = torch.nn.ModuleList(RowConvolution(width, ahead) for _ in layers if ahead)
        self.dropout = torch.nn.Dropout(config.dropout)
        self.head = torch.nn.Linear(width, symbols)
        self.attention_decoder = (
            CTCAttentionDecoder(symbols, width, self.hidden_size, config.dropout) if config.attention else None
        )

    def _layer(self, size: int, config: Config) -> GRU | LiGRULayer:
        if config.cell == "ligru":
            return LiGRULayer(size, self.hidden_size, self.bidirectional)
        return GRU(
            size, self.hidden_size, batch_first=True, bidirectional=self.bidirectional, reset=config.reset,
            weight_dropout=config.weight_dropout, recurrent_dropout=config.recurrent_dropout,
        )  # fmt: skip

    @property
    def lookahead(self) -> int:
        """Number of future frames that an output depends on, beyond its own step."""
        return sum(rows.ahead for rows in self._rows()) * self.stride

    def forward(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Log-probabilities [B, T', V], T' = ceil(T / stride), and their lengths [B], of features [B, T, F]."""
        x, lengths = self.encode(features, lengths)
        return self.answer(x), lengths

    def answer(self, x: Tensor) -> Tensor:
        """Log-probabilities of the tokens [B, T', V] of encoder outputs [B, T', M]."""
        answer: Tensor = self.head(x).log_softmax(-1)
        return answer

    def encode(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Encoder outputs [B, T', M] and their lengths [B], of features [B, T, F]."""
        x, rows = features, self._rows()
        for convolution, norm in zip(self.convolutions, self.fronts, strict=True):
            x, lengths, _ = convolution(x, lengths)
            x = self.dropout(norm(x).relu())
        for layer, (gru, norm) in enumerate(zip(self.grus, self.norms, strict=True)):
            y = self.dropout(norm(gru(mask(x, lengths), lengths=lengths)[0]))
            x = x + y if layer else y
            if rows:
                x, _ = rows[layer](x, lengths)
        return x, lengths

    def start(self, rows: int) -> State:
        """Initial state of `rows` streams, batch first."""
        state: State = {}
        for i, convolution in enumerate(self.convolutions):
            assert isinstance(convolution, StridedConvolution)
            state[f"context.{i}"] = convolution.start(rows)
        for layer in range(len(self.grus)):
            state[f"hidden.{layer}"] = self.head.weight.new_zeros(rows, 1, self.hidden_size)
        for layer, row in enumerate(self._rows()):
            state[f"held.{layer}"], state[f"count.{layer}"] = row.start(rows)
        return state

    def step(self, features: Tensor, lengths: Tensor, state: State, last: Tensor) -> tuple[Tensor, Tensor, State]:
        """Run the next chunk of each stream.

        Args:
            features: frames [B, T, F]; a row's number of frames must be a multiple of `stride` before its last chunk.
            lengths: number of frames of each row [B].
            state: the state before the chunk.
            last: True for rows that end with this chunk [B]; their outputs delayed by look-ahead are flushed.

        Returns:
            Log-probabilities [B, T', V], their lengths [B], and the state after the chunk.
        """
        after: State = {}
        x, rows = features, self._rows()
        for i, (convolution, norm) in enumerate(zip(self.convolutions, self.fronts, strict=True)):
            x, lengths, after[f"context.{i}"] = convolution(x, lengths, state[f"context.{i}"])
            x = norm(x).relu()
        for layer, (gru, norm) in enumerate(zip(self.grus, self.norms, strict=True)):
            y, hidden = gru(x, to_hidden(state[f"hidden.{layer}"]), lengths=lengths)
            after[f"hidden.{layer}"] = from_hidden(hidden)
            x = x + norm(y) if layer else norm(y)
            if rows:
                held, count = state[f"held.{layer}"], state[f"count.{layer}"]
                x, lengths, held, count = rows[layer].step(x, lengths, held, count, last)
                after[f"held.{layer}"], after[f"count.{layer}"] = held, count
        return self.answer(x), lengths, after

    def _rows(self) -> list[RowConvolution]:
        return [module for module in self.rows if isinstance(module, RowConvolution)]
