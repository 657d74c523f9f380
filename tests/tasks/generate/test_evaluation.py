"""Perplexity and bits per character against numbers worked out by hand."""

from __future__ import annotations

import math

import numpy
import pytest

from gruworks.data.vocabulary import Vocabulary
from gruworks.ops.language_model.kneser_ney import baseline
from gruworks.tasks.generate.evaluation import Reading, evaluation, unigram


def test_a_reading_s_sums() -> None:
    reading = Reading(["a", "b"], [math.log(0.5), math.log(0.125)], characters=4)
    assert reading.perplexity == pytest.approx(4)
    assert reading.bits_per_character == pytest.approx(1)
    assert reading.to_dict()["log_probabilities"] == [["a", math.log(0.5)], ["b", math.log(0.125)]]


def test_an_evaluation_counts_unknown_symbols_and_stands_beside_the_unigram() -> None:
    vocabulary = Vocabulary.of(["aaab"])
    assert unigram(vocabulary) == pytest.approx(numpy.log([0.1, 0.1, 0.1, 0.1, 0.4, 0.2]))
    read = [numpy.array([4, 4]), numpy.array([5, 0])]
    found = evaluation(vocabulary, read, [numpy.log([0.5, 0.5]), numpy.log([0.25, 0.25])], characters=4)
    assert (found.symbols, found.characters, found.unknown) == (4, 4, 1)
    assert found.perplexity == pytest.approx(2**1.5)
    assert found.bits_per_character == pytest.approx(1.5)
    assert found.kneser_ney_perplexity is None
    assert found.unigram_perplexity == pytest.approx((0.4 * 0.4 * 0.2 * 0.1) ** -0.25)


def test_the_5_gram_of_what_was_learnt_stands_beside_it() -> None:
    vocabulary, ids = Vocabulary.of(["ab"]), numpy.array([4, 5] * 20)
    found = evaluation(vocabulary, [ids[:6]], [numpy.log([0.5] * 6)], 6, learnt=[ids])
    assert found.kneser_ney_perplexity == baseline([ids], [ids[:6]], len(vocabulary)) < 2
