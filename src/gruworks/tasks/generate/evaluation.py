"""Evaluation on a text: perplexity and bits per character, beside token counts and a 5-gram model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy
from numpy.typing import NDArray

from gruworks.data.vocabulary import UNKNOWN, Vocabulary
from gruworks.ops.language_model.kneser_ney import baseline

__all__ = ["Evaluation", "Reading", "evaluation", "unigram"]

Floats = NDArray[numpy.float32]
Ids = NDArray[numpy.int64]


@dataclass(frozen=True)
class Reading:
    """One text as the model read it: its symbols, and each one's natural log-probability after those before it."""

    symbols: list[str]
    log_probabilities: list[float]
    characters: int

    @property
    def nats(self) -> float:
        """Mean nats a symbol."""
        return -math.fsum(self.log_probabilities) / max(1, len(self.symbols))

    @property
    def perplexity(self) -> float:
        """Per symbol."""
        return math.exp(self.nats)

    @property
    def bits_per_character(self) -> float:
        return self.nats * len(self.symbols) / math.log(2) / max(1, self.characters)

    def to_dict(self) -> dict[str, Any]:
        """The sums, then each symbol with its log-probability."""
        pairs = zip(self.symbols, self.log_probabilities, strict=True)
        return {
            "symbols": len(self.symbols),
            "characters": self.characters,
            "nats_per_symbol": self.nats,
            "perplexity": self.perplexity,
            "bits_per_character": self.bits_per_character,
            "log_probabilities": [[symbol, value] for symbol, value in pairs],
        }


@dataclass(frozen=True)
class Evaluation:
    """The sums over a held-out text, and what two naive models reach on it: one that knows how frequent each symbol is,
    and the interpolated Kneser-Ney 5-gram of the text that was learnt from, where that is at hand.
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
    """From the symbols [N] of each document, their log-probabilities [N], and the documents that were learnt from."""
    ids, values = numpy.concatenate(read), numpy.concatenate(found).astype(numpy.float64)
    nats = -float(values.mean())
    naive = -float(unigram(vocabulary)[ids].mean())
    return Evaluation(
        len(ids), characters, int((ids == UNKNOWN).sum()), nats, math.exp(nats),
        nats * len(ids) / math.log(2) / max(1, characters), math.exp(naive),
        None if learnt is None else baseline(learnt, read, len(vocabulary)),
    )  # fmt: skip


def unigram(vocabulary: Vocabulary) -> NDArray[numpy.float64]:
    """Natural log-probability of each symbol by its count in the fitted text, one added to each."""
    counts = numpy.asarray(vocabulary.counts, numpy.float64) + 1
    answer: NDArray[numpy.float64] = numpy.log(counts / counts.sum())
    return answer
