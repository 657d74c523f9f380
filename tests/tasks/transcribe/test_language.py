"""The language model of the transcripts as a search asks it."""

from __future__ import annotations

import numpy
import pytest

from gruworks.ops.ngram import KneserNey
from gruworks.tasks.transcribe.alphabet import Alphabet
from gruworks.tasks.transcribe.language import learn_language

TEXTS = ["go left", "go right", "go left now", "stop"]


@pytest.mark.parametrize("units", ["characters", "words"])
def test_it_is_kneser_ney_over_words(units: str) -> None:
    alphabet = Alphabet.of(TEXTS, units)
    language = learn_language(TEXTS, alphabet, 3)
    assert language.order == 3
    names = [word if units == "characters" else str(alphabet.numbers[word]) for word in ("go", "left", "right", "stop")]
    go, left, right, stop = (language.numbers[name] for name in names)
    start = numpy.exp(language.model.log_probabilities(language.start))
    assert start.sum() == pytest.approx(1)
    assert start[go] > start[stop] > start[left]
    after = numpy.exp(language.model.log_probabilities(language.after(language.start, go)))
    assert after[left] > after[right] > after[language.unknown] > 0
    assert after.argmax() == left


def test_its_probabilities_are_the_model_s() -> None:
    language = learn_language(TEXTS, Alphabet.of(TEXTS, "characters"), 2)
    numbers, end = language.numbers, language.end
    model = KneserNey([[*(numbers[word] for word in text.split()), end] for text in TEXTS], len(numbers) + 2, 2)
    context, total = language.start, 0.0
    for number in [numbers["go"], numbers["left"], end]:
        total += language.model.log_probabilities(context)[number]
        context = language.after(context, number)
    assert total == pytest.approx(model.score([numbers["go"], numbers["left"], end]).sum())
