"""Kneser-Ney models against the formula in plain Python, and against an example computed by hand."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gruworks.errors import DataError, OptionError, ShapeError
from gruworks.ops.language_model.kneser_ney import KneserNey, baseline

DOCUMENTS = st.lists(st.lists(st.integers(0, 3), max_size=12), min_size=1, max_size=6).filter(any)


class Literal:
    """Chen and Goodman 1998, eq. 23, one n-gram at a time, written as the formula."""

    def __init__(self, documents: Sequence[Sequence[int]], size: int, order: int, modified: bool) -> None:
        self.size, self.order = size, order
        rows = [(size, *one) for one in documents]
        raw = [Counter(row[i : i + k] for row in rows for i in range(len(row) - k + 1)) for k in range(order + 1)]
        self.counts: list[dict[tuple[int, ...], int]] = [{} for _ in range(order + 1)]
        for k in range(1, order + 1):
            before = defaultdict(set)
            for gram in raw[k + 1] if k < order else ():
                before[gram[1:]].add(gram[0])
            for gram, count in raw[k].items():
                if gram != (size,):
                    self.counts[k][gram] = count if k == order or gram[0] == size else len(before[gram])
        self.discounts = [self._discounts(Counter(one.values()), modified) for one in self.counts]

    @staticmethod
    def _discounts(n: Counter[int], modified: bool) -> list[float]:
        if not n[1] or not n[2]:
            return [0.5] * 3
        y = n[1] / (n[1] + 2 * n[2])
        if not modified or not n[3] or not n[4]:
            return [y] * 3
        found = (1 - 2 * y * n[2] / n[1], 2 - 3 * y * n[3] / n[2], 3 - 4 * y * n[4] / n[3])
        return [min(max(d, 0.01), high) for d, high in zip(found, (1, 2, 3), strict=True)]

    def probability(self, context: tuple[int, ...], word: int) -> float:
        context = context[max(0, len(context) - self.order + 1) :]
        k = len(context) + 1
        lower = self.probability(context[1:], word) if context else 1 / self.size
        rows = {gram[-1]: count for gram, count in self.counts[k].items() if gram[:-1] == context}
        if not rows:
            return lower
        total = sum(rows.values())
        taken = {one: self.discounts[k][min(count, 3) - 1] for one, count in rows.items()}
        return (rows.get(word, 0) - taken.get(word, 0)) / total + sum(taken.values()) / total * lower


@given(DOCUMENTS, st.integers(1, 5), st.booleans(), st.lists(st.integers(0, 3), min_size=1, max_size=8))
def test_it_is_the_formula(documents: list[list[int]], order: int, modified: bool, text: list[int]) -> None:
    model, literal = KneserNey(documents, 4, order, modified), Literal(documents, 4, order, modified)
    rows = [(4, *text[:t]) for t in range(len(text))]
    expected = [literal.probability(row, word) for row, word in zip(rows, text, strict=True)]
    numpy.testing.assert_allclose(numpy.exp(model.score(text)), expected, rtol=1e-12)
    padded = [[-1] * (len(text) - len(row)) + list(row) for row in rows]
    found = model.distribution(padded)
    numpy.testing.assert_allclose(found[range(len(text)), text], expected, rtol=1e-12)
    assert model.perplexity([text]) == pytest.approx(math.exp(-numpy.log(expected).mean()))


@given(DOCUMENTS, st.integers(1, 5), st.booleans(), st.lists(st.integers(-1, 4), min_size=4, max_size=4))
def test_probabilities_sum_to_one(documents: list[list[int]], order: int, modified: bool, context: list[int]) -> None:
    model = KneserNey(documents, 4, order, modified)
    found = model.distribution([context])
    assert found.shape == (1, 4)
    assert found.min() > 0
    assert found.sum() == pytest.approx(1.0, rel=1e-12)


def test_a_small_case_by_hand() -> None:
    """0 1 0 1 2 after its beginning B. Bigrams: B0 1, 01 2, 10 1, 12 1: n1 = 3, n2 = 1, D = 3/5.

    Different symbols stand before 0: B 1; before 1: 0; before 2: 1. So a = 2, 1, 1 and D = 2 / (2 + 2) = 1/2 for the
    unigrams: p(0) = 1.5/4 + 1.5/4/3 = 1/2, p(1) = p(2) = .5/4 + .125 = 1/4.
    p(1 | 0) = 1.4/2 + .6/2 · 1/4 = .775; p(0 | 0) = .3/2 = .15; p(2 | 1) = .4/2 + 2 · .6/2 · 1/4 = .35.
    """
    model = KneserNey([[0, 1, 0, 1, 2]], size=3, order=2)
    assert model.base == pytest.approx([0.5, 0.25, 0.25])
    assert model.distribution([[0], [1]]).ravel() == pytest.approx([0.15, 0.775, 0.075, 0.5, 0.15, 0.35])
    assert model.score([1, 2], context=[0]) == pytest.approx(numpy.log([0.775, 0.35]))


def test_a_text_goes_on_from_its_context() -> None:
    model, text = KneserNey([[0, 1, 2, 3, 2, 1, 0, 0, 1]], 4), [0, 1, 2, 2, 3, 1, 0]
    whole = model.score(text, context=[1, 0, 1, 2])
    numpy.testing.assert_array_equal(model.score(text[3:], context=[1, 2, *text[:3]]), whole[3:])


def test_the_baseline_is_the_model_of_order_five() -> None:
    train, test = [[0, 1, 2, 0, 1, 3]] * 2 + [[1, 0, 2]], [[0, 1, 2], [3, 1]]
    assert baseline(train, test, 4) == KneserNey(train, 4, 5).perplexity(test)
    scores = numpy.concatenate([KneserNey(train, 4, 5).score(one) for one in test])
    assert baseline(train, test, 4) == pytest.approx(numpy.exp(-scores.mean()))


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(DataError, match="every document is empty"):
        KneserNey([[], []], 3)
    with pytest.raises(DataError, match=r"0 … 2, not 0 … 3"):
        KneserNey([[0, 3]], 3)
    with pytest.raises(OptionError, match="order >= 1"):
        KneserNey([[0]], 3, order=0)
    with pytest.raises(ShapeError, match="integers"):
        KneserNey([[0.5]], 3)
    model = KneserNey([[0, 1]], 3)
    with pytest.raises(DataError, match="no symbol to score"):
        model.perplexity([[]])
    with pytest.raises(DataError, match="context tokens must be from 0"):
        model.distribution([[4]])
    with pytest.raises(ShapeError, match="contexts"):
        model.distribution([0])
