"""Metrics of a language model, perplexity and bits per character, beside unigram and 5-gram baselines."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy
from numpy.typing import NDArray

from gruworks.data.text import Document
from gruworks.data.vocabulary import UNKNOWN, Vocabulary
from gruworks.ops.language_model.kneser_ney import baseline

__all__ = ["Evaluation", "Reading", "character_bits", "evaluation", "unigram"]

Floats = NDArray[numpy.float32]
Ids = NDArray[numpy.int64]


@dataclass(frozen=True)
class Reading:
    """Scores of one text: its tokens, and the natural log-probability of each given those before it."""

    symbols: list[str]
    log_probabilities: list[float]
    characters: int

    @property
    def nats(self) -> float:
        """Mean negative log-probability of a token, in nats."""
        return -math.fsum(self.log_probabilities) / max(1, len(self.symbols))

    @property
    def perplexity(self) -> float:
        """Perplexity per token."""
        return math.exp(self.nats)

    @property
    def bits_per_character(self) -> float:
        return self.nats * len(self.symbols) / math.log(2) / max(1, self.characters)

    def to_dict(self) -> dict[str, Any]:
        """Counts and metrics, then each token with its log-probability, as JSON values."""
        return {
            "symbols": len(self.symbols),
            "characters": self.characters,
            "nats_per_symbol": self.nats,
            "perplexity": self.perplexity,
            "bits_per_character": self.bits_per_character,
            "log_probabilities": list(map(list, zip(self.symbols, self.log_probabilities, strict=True))),
        }


@dataclass(frozen=True)
class Evaluation:
    """Metrics on a held-out text, with the perplexity of two baselines.

    Args:
        symbols, characters, unknown: numbers of tokens, of characters and of unknown tokens.
        nats_per_symbol: mean negative log-probability of a token, in nats.
        perplexity: perplexity per token.
        bits_per_character: total negative log-probability in bits, divided by the number of characters.
        unigram_perplexity: that of the token frequencies in the training part.
        kneser_ney_perplexity: that of an interpolated Kneser-Ney 5-gram model of the training part; None without it.
    """

    symbols: int
    characters: int
    unknown: int
    nats_per_symbol: float
    perplexity: float
    bits_per_character: float
    unigram_perplexity: float
    kneser_ney_perplexity: float | None = None

    def to_dict(self) -> dict[str, Any]:
        return dict(vars(self))


def evaluation(
    vocabulary: Vocabulary,
    read: Sequence[Ids],
    found: Sequence[Floats],
    characters: int,
    learnt: Sequence[Ids] | None = None,
) -> Evaluation:
    """Compute the metrics of a held-out text and of the baselines.

    Args:
        vocabulary: with the token counts of the training part.
        read: tokens [N] of each held-out document. found: their log-probabilities [N] by the model.
        characters: number of characters of the held-out documents.
        learnt: tokens [N] of each training document, for the 5-gram model.
    """
    ids, values = numpy.concatenate(read), numpy.concatenate(found).astype(numpy.float64)
    nats = -float(values.mean())
    return Evaluation(
        len(ids), characters, int((ids == UNKNOWN).sum()), nats, math.exp(nats),
        nats * len(ids) / math.log(2) / max(1, characters), math.exp(-unigram(vocabulary)[ids].mean()),
        None if learnt is None else baseline(learnt, read, len(vocabulary)),
    )  # fmt: skip


def character_bits(learnt: Sequence[Document], held_out: Sequence[Document]) -> float:
    """Bits per character of the held-out documents by the frequencies of the characters in the learnt ones.

    Characters that were not learnt share the frequency of one.
    """
    counts = Counter(chain.from_iterable(one.text for one in learnt))
    total, read = sum(counts.values()) + 1, Counter(chain.from_iterable(one.text for one in held_out))
    bits = sum(count * math.log2(total / counts.get(character, 1)) for character, count in read.items())
    return bits / max(1, sum(read.values()))


def unigram(vocabulary: Vocabulary) -> NDArray[numpy.float64]:
    """Natural log-probability [V] of each token by its count in the training part, with add-one smoothing."""
    counts = numpy.asarray(vocabulary.counts, numpy.float64) + 1
    found: NDArray[numpy.float64] = numpy.log(counts / counts.sum())
    return found
