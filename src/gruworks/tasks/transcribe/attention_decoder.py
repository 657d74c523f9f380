"""The attention decoder beside CTC: it spells a text symbol by symbol, looking at the encoder's steps."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gruworks.nn.blocks.additive_attention import AdditiveAttention
from gruworks.nn.gru import GRU
from gruworks.tasks.transcribe.alphabet import BLANK

__all__ = ["CTCAttentionDecoder", "padded"]

KEYS = 64  # entries of an attention key
END = BLANK  # nobody writes the blank, so its number begins and ends texts here


class CTCAttentionDecoder(torch.nn.Module):
    """ln p(text | recording) by a GRU that attends (Bahdanau et al. 2015), beside CTC as Watanabe et al. 2017 have it.

    In training its loss keeps the encoder's steps in touch with what was written before; in a search its opinion of
    each hypothesis counts beside CTC's and the language model's.

    Args:
        symbols: V. memory: M, entries of an encoder's step. size: of its own state.
    """

    def __init__(self, symbols: int, memory: int, size: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(symbols, size)
        self.gru = GRU(size, size, batch_first=True)
        self.attention = AdditiveAttention(size, memory, KEYS)
        self.dropout = torch.nn.Dropout(dropout)
        self.head = torch.nn.Linear(size + memory, symbols)

    def forward(self, memory: Tensor, lengths: Tensor, symbols: Tensor, counts: Tensor) -> Tensor:
        """ln p of each row's text, its end included [B].

        Shapes: memory [B, S, M], lengths of them, symbols [B, N] padded at the right, counts [B].
        """
        edge = symbols.new_full((len(symbols), 1), END)
        y, _ = self.gru(self.dropout(self.embedding(torch.cat([edge, symbols], 1))))
        hidden = torch.arange(memory.shape[1], device=memory.device) >= lengths[:, None]
        keys = self.attention.keys(memory)
        context, _ = self.attention(y, keys, memory, hidden)
        told = self.head(self.dropout(torch.cat([y, context], -1))).log_softmax(-1)
        wanted = torch.cat([symbols, edge], 1).scatter(1, counts[:, None], END)
        beyond = torch.arange(wanted.shape[1], device=wanted.device) > counts[:, None]
        gathered: Tensor = told.gather(2, wanted[..., None])[..., 0].masked_fill(beyond, 0)
        return gathered.sum(1)

    @torch.inference_mode()
    def opinions(self, memory: Tensor, texts: Sequence[Sequence[int]]) -> list[float]:
        """ln p of several texts for one recording's steps [S, M]."""
        symbols, counts = padded(texts)
        rows = len(symbols)
        shared, lengths = memory.expand(rows, -1, -1), torch.full((rows,), len(memory))
        told: list[float] = self(shared, lengths, symbols, counts).tolist()
        return told


def padded(texts: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Texts as rows [B, N] with the end's number after them, and how long each is [B]."""
    counts = torch.tensor([len(text) for text in texts])
    rows = [torch.tensor(text, dtype=torch.long) for text in texts]
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=END), counts
