"""benchmarks/ngram_baseline.py: the cut-off of the Kneser-Ney baseline, and the recipes' choice."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import numpy
import pytest

from gruworks.ops.language_model.kneser_ney import KneserNey

TEXT = [[0, 1, 2, 0, 1, 2, 0, 1, 3, 2, 2, 1, 0, 3]]


@pytest.fixture
def baseline(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr(sys, "path", [str(Path(__file__).parents[2] / "benchmarks"), *sys.path])
    return importlib.import_module("ngram_baseline")


def test_without_a_cut_off_it_is_the_plain_model(baseline: ModuleType) -> None:
    plain = KneserNey(TEXT, 4, 3, modified=True)
    assert baseline.Choice(3, True).model(TEXT, 4).perplexity(TEXT) == plain.perplexity(TEXT)


def test_a_trigram_of_count_1_that_is_cut_off_has_the_bigrams_probability(baseline: ModuleType) -> None:
    """In the text above 1 3 is followed by 2 alone, once: without that trigram 2 after 1 3 is as likely as after 3."""
    model = baseline.Choice(3, False, cut_from=3).model(TEXT, 4)
    trigram, bigram = model.distribution([[1, 3]])[0], model.distribution([[-1, 3]])[0]
    assert trigram == pytest.approx(bigram)
    assert KneserNey(TEXT, 4, 3).distribution([[1, 3]])[0] != pytest.approx(bigram)


def test_probabilities_add_up_to_1_at_every_choice(baseline: ModuleType) -> None:
    contexts = numpy.array([[-1, -1, -1, -1], [4, 0, 1, 2], [0, 1, 3, 2]])
    for choice in baseline.GRID:
        assert choice.model(TEXT, 4).distribution(contexts).sum(1) == pytest.approx(1)


def test_the_best_is_the_lowest(baseline: ModuleType) -> None:
    chosen, found = baseline.best(lambda choice: abs(choice.order - 6) + choice.modified + bool(choice.cut_from))
    assert chosen == baseline.Choice(6, False)
    assert found.keys() == set(baseline.GRID)
