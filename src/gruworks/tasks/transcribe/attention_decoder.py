"""Autoregressive attention decoder for joint CTC/attention training and rescoring."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gruworks.nn.blocks.additive_attention import AdditiveAttention
from gruworks.nn.gru import GRU
from gruworks.tasks.transcribe.alphabet import BLANK

__all__ = ["CTCAttentionDecoder", "padded"]

KEYS = 64  # size of the attention keys
END = BLANK  # transcripts hold no blank, so its number serves as start and end token


class CTCAttentionDecoder(torch.nn.Module):
    """Log-probability of a transcript by a GRU decoder with additive attention (Bahdanau et al. 2015).

    Its loss is added to CTC's in training, and its score to CTC's in rescoring (Watanabe et al. 2017).

    Args:
        symbols: vocabulary size V.
        memory: encoder output size M.
        size: hidden size of the decoder.
        dropout: dropout probability.
    """

    def __init__(self, symbols: int, memory: int, size: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(symbols, size)
        self.gru = GRU(size, size, batch_first=True)
        self.attention = AdditiveAttention(size, memory, KEYS)
        self.dropout = torch.nn.Dropout(dropout)
        self.head = torch.nn.Linear(size + memory, symbols)

    def forward(self, memory: Tensor, lengths: Tensor, symbols: Tensor, counts: Tensor) -> Tensor:
        """Log-probability [B] of each transcript, including its end token.

        Args:
            memory: encoder outputs [B, S, M].
            lengths: their lengths [B].
            symbols: token numbers [B, N], right-padded.
            counts: their lengths [B].
        """
        edge = symbols.new_full((len(symbols), 1), END)
        y, _ = self.gru(self.dropout(self.embedding(torch.cat([edge, symbols], 1))))
        padding = torch.arange(memory.shape[1], device=memory.device) >= lengths[:, None]
        keys = self.attention.keys(memory)
        context, _ = self.attention(y, keys, memory, padding)
        log_probabilities = self.head(self.dropout(torch.cat([y, context], -1))).log_softmax(-1)
        target = torch.cat([symbols, edge], 1).scatter(1, counts[:, None], END)
        beyond = torch.arange(target.shape[1], device=target.device) > counts[:, None]
        gathered: Tensor = log_probabilities.gather(2, target[..., None])[..., 0].masked_fill(beyond, 0)
        return gathered.sum(1)

    @torch.inference_mode()
    def scores(self, memory: Tensor, texts: Sequence[Sequence[int]]) -> list[float]:
        """Log-probabilities of several transcripts given one recording's encoder outputs [S, M]."""
        symbols, counts = padded(texts)
        lengths = torch.full((len(texts),), len(memory))
        found: list[float] = self(memory.expand(len(texts), -1, -1), lengths, symbols, counts).tolist()
        return found


def padded(texts: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Pad token numbers to [B, N] with the end token, and return them with their lengths [B]."""
    counts = torch.tensor([len(text) for text in texts])
    rows = [torch.tensor(text, dtype=torch.long) for text in texts]
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=END), counts
