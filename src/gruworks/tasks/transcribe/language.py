"""The language model of the training transcripts: n-grams of words, or of symbols where these are words or pairs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy
from numpy.typing import NDArray

from gruworks.ops.lexicon import Language
from gruworks.ops.ngram import KneserNey
from gruworks.tasks.transcribe.alphabet import Alphabet

__all__ = ["learn_language"]


class _Grams:
    """`KneserNey` as a search asks it: one context at a time."""

    def __init__(self, model: KneserNey) -> None:
        self.model = model

    def log_probabilities(self, context: tuple[int, ...]) -> NDArray[numpy.float64]:
        row = numpy.array([context], numpy.int64).reshape(1, len(context))
        told: NDArray[numpy.float64] = numpy.log(self.model.distribution(row)[0])
        return told


def learn_language(texts: Sequence[str], alphabet: Alphabet, order: int) -> Language:
    """An interpolated Kneser-Ney model of `texts` up to n-grams of `order`, each text ending in an end symbol.

    Words where the alphabet's units are characters, else its symbols by their numbers. A word that never came shares
    what the model leaves to what it has not seen.
    """
    words = alphabet.units == "characters"
    rows = [text.split() if words else [str(n) for n in alphabet.encode(text)] for text in texts]
    numbers = {word: number for number, word in enumerate(sorted({word for row in rows for word in row}))}
    end, unknown = len(numbers), len(numbers) + 1
    documents = [[*(numbers[word] for word in row), end] for row in rows]
    model = KneserNey(documents, len(numbers) + 2, order)
    return Language(_Grams(model), numbers, (model.begin,), end, unknown, order)
