"""The attention decoder: a probability over texts, each row as if alone, nothing from beyond a row's end."""

from __future__ import annotations

import itertools

import pytest
import torch

from gruworks.tasks.transcribe.attention_decoder import CTCAttentionDecoder, padded
from tests.tolerances import FLOAT32_DEEP


def decoder() -> CTCAttentionDecoder:
    torch.manual_seed(0)
    return CTCAttentionDecoder(symbols=3, memory=4, size=5).eval()


def test_the_texts_up_to_a_length_and_what_is_longer_make_one() -> None:
    made, memory = decoder(), torch.randn(6, 4)
    texts = [text for length in range(3) for text in itertools.product((1, 2), repeat=length)]
    told = torch.tensor(made.scores(memory, texts)).exp()
    # What does not end after two symbols: the sum over all two-symbol beginnings, less those that end there.
    longer = [[*text, last] for text in itertools.product((1, 2), repeat=2) for last in (1, 2)]
    beginnings = _beginnings(made, memory, longer).detach()
    assert float(told.sum() + beginnings) == pytest.approx(1.0, abs=1e-5)


def _beginnings(made: CTCAttentionDecoder, memory: torch.Tensor, texts: list[list[int]]) -> torch.Tensor:
    """The probability that a text begins so, from the same layers without the end."""
    symbols, _ = padded(texts)
    y, _ = made.gru(made.embedding(torch.cat([torch.zeros(len(texts), 1, dtype=torch.long), symbols[:, :-1]], 1)))
    context, _ = made.attention(y, made.attention.keys(memory[None]), memory[None])
    told = made.head(torch.cat([y, context], -1)).log_softmax(-1)
    return told.gather(2, symbols[..., None])[..., 0].sum(1).exp().sum()


def test_rows_are_as_if_alone() -> None:
    made, memory, lengths = decoder(), torch.randn(3, 6, 4), torch.tensor([6, 4, 1])
    texts = [[1, 2, 2, 1], [], [2]]
    symbols, counts = padded(texts)
    memory[1, 4:] = memory[2, 1:] = 1e3
    symbols[2, 1:] = 2
    told = made(memory, lengths, symbols, counts)
    for row, text in enumerate(texts):
        (alone,) = made.scores(memory[row, : int(lengths[row])], [text])
        assert float(told[row].detach()) == pytest.approx(alone, abs=FLOAT32_DEEP)
