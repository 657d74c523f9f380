"""The network: strided convolutions, GRU layers with look-ahead or in both directions, symbols' log-probabilities."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

from gruworks.nn.blocks.lookahead_conv import RowConvolution
from gruworks.nn.blocks.ragged import mask
from gruworks.nn.blocks.strided_conv import StridedConvolution
from gruworks.nn.gru import GRU
from gruworks.nn.state import State, from_hidden, to_hidden
from gruworks.ops.weights import Reset
from gruworks.tasks.transcribe.attention_decoder import CTCAttentionDecoder
from gruworks.tasks.transcribe.ligru import LiGRULayer

__all__ = ["TranscribeNet"]


class TranscribeNet(torch.nn.Module):
    """From features to log-probabilities of symbols, the blank among them, as CTC reads them (Graves et al. 2006).

    A step is `stride` frames long. Without `bidirectional` the network is causal but for the row convolution after
    each GRU layer (Amodei et al. 2016), so that it runs in pieces: `start`, then `step` with the frames as they come.
    Both ways give the same numbers to float32 rounding.

    Shapes: features [B, T, F], lengths [B]; answer [B, ceil(T / stride), V].

    Args:
        inputs: F. symbols: V, the blank is 0. channels, kernel_size, strides: of the convolutions, one for each stride.
        lookahead: steps that the row convolution after each GRU layer sees ahead; one for all layers.
        cell: "ligru" takes light GRUs instead. attention: share of an attention decoder in the loss; 0 makes none.
        weight_dropout, recurrent_dropout: of the GRUs in training, as `gruworks.GRU` has them.
    """

    def __init__(
        self,
        inputs: int,
        symbols: int,
        channels: int = 128,
        kernel_size: int = 5,
        strides: tuple[int, ...] = (2,),
        hidden_size: int = 128,
        layers: int = 2,
        lookahead: int = 0,
        bidirectional: bool = False,
        dropout: float = 0.0,
        reset: Reset = "after",
        cell: Literal["gru", "ligru"] = "gru",
        attention: float = 0.0,
        weight_dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.stride, self.bidirectional = math.prod(strides), bidirectional
        width = hidden_size * (2 if bidirectional else 1)
        sizes = [inputs] + [channels] * len(strides)
        self.convolutions = torch.nn.ModuleList(
            StridedConvolution(size, channels, kernel_size, stride)
            for size, stride in zip(sizes, strides, strict=False)
        )
        self.fronts = torch.nn.ModuleList(torch.nn.LayerNorm(channels) for _ in strides)
        entries = [sizes[-1]] + [width] * (layers - 1)
        self.grus = torch.nn.ModuleList(
            GRU(
                size,
                hidden_size,
                batch_first=True,
                bidirectional=bidirectional,
                reset=reset,
                weight_dropout=weight_dropout,
                recurrent_dropout=recurrent_dropout,
            )
            if cell == "gru"
            else LiGRULayer(size, hidden_size, bidirectional)
            for size in entries
        )
        self.norms = torch.nn.ModuleList(torch.nn.LayerNorm(width) for _ in range(layers))
        ahead = 0 if bidirectional else lookahead
        self.rows = torch.nn.ModuleList(RowConvolution(width, ahead) for _ in range(layers if ahead else 0))
        self.dropout = torch.nn.Dropout(dropout)
        self.head = torch.nn.Linear(width, symbols)
        self.attention = attention
        self.attention_decoder = CTCAttentionDecoder(symbols, width, hidden_size, dropout) if attention else None

    @property
    def lookahead(self) -> int:
        """Frames of future that an answer waits for, beyond its own step."""
        return sum(rows.ahead for rows in self._rows()) * self.stride

    def forward(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Whole recordings: log-probabilities [B, T', V] and how many steps of each row count [B]."""
        x, lengths = self.encode(features, lengths)
        return self.answer(x), lengths

    def answer(self, x: Tensor) -> Tensor:
        """The symbols' log-probabilities [B, T', V] of encoded steps."""
        answer: Tensor = self.head(x).log_softmax(-1)
        return answer

    def encode(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Whole recordings as the steps that CTC and the attention read [B, T', M], and how many count [B]."""
        x, rows = features, self._rows()
        for convolution, norm in zip(self.convolutions, self.fronts, strict=True):
            x, lengths, _ = convolution(x, lengths)
            x = self.dropout(norm(x).relu())
        for layer, (gru, norm) in enumerate(zip(self._grus(), self.norms, strict=True)):
            y = self.dropout(norm(gru(mask(x, lengths), lengths=lengths)[0]))
            x = x + y if layer else y
            if rows:
                x, _ = rows[layer](x, lengths)
        return x, lengths

    def start(self, rows: int) -> State:
        """The state before the first frame, batch first."""
        state: State = {f"context.{i}": c.start(rows) for i, c in enumerate(self._convolutions())}
        for layer, gru in enumerate(self._grus()):
            state[f"hidden.{layer}"] = self.head.weight.new_zeros(rows, 1, gru.hidden_size)
        for layer, row in enumerate(self._rows()):
            state[f"held.{layer}"], state[f"count.{layer}"] = row.start(rows)
        return state

    def step(self, features: Tensor, lengths: Tensor, state: State, last: Tensor) -> tuple[Tensor, Tensor, State]:
        """The next frames of each row [B, T, F]: what is ready [B, T', V], how much of it [B], the state after it.

        A row's frames must be a multiple of `stride` until its `last` [B] piece, which gives all that still waits.
        """
        after: State = {}
        x, rows = features, self._rows()
        for i, (convolution, norm) in enumerate(zip(self.convolutions, self.fronts, strict=True)):
            x, lengths, after[f"context.{i}"] = convolution(x, lengths, state[f"context.{i}"])
            x = norm(x).relu()
        for layer, (gru, norm) in enumerate(zip(self._grus(), self.norms, strict=True)):
            y, hidden = gru(x, to_hidden(state[f"hidden.{layer}"]), lengths=lengths)
            after[f"hidden.{layer}"] = from_hidden(hidden)
            x = x + norm(y) if layer else norm(y)
            if rows:
                held, count = state[f"held.{layer}"], state[f"count.{layer}"]
                x, lengths, held, count = rows[layer].step(x, lengths, held, count, last)
                after[f"held.{layer}"], after[f"count.{layer}"] = held, count
        return self.answer(x), lengths, after

    def _convolutions(self) -> list[StridedConvolution]:
        return [module for module in self.convolutions if isinstance(module, StridedConvolution)]

    def _grus(self) -> list[GRU | LiGRULayer]:
        return [module for module in self.grus if isinstance(module, GRU | LiGRULayer)]

    def _rows(self) -> list[RowConvolution]:
        return [module for module in self.rows if isinstance(module, RowConvolution)]
