"""Backoff models: equal to the interpolated model, and to the definition on a hand-made example."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gruworks.errors import DataError, OptionError
from gruworks.ops.language_model.backoff import Backoff, Order
from gruworks.ops.language_model.kneser_ney import KneserNey
from tests.ops.language_model.test_kneser_ney import DOCUMENTS

KEYS = numpy.array([0, 1, 2])  # two symbols and the beginning


def by_hand() -> Backoff:
    """p(0) = .6, p(1) = .4, p(1 | 0) = .9, b(0) = .5; p(0 | begin 1) = .7, b(begin 1) = .2, b(1) = .8."""
    first = Order(KEYS, numpy.log([0.6, 0.4, 1e-9]), numpy.log([0.5, 0.8, 1.0]))
    second = Order(numpy.array([0 * 3 + 1, 2 * 3 + 1]), numpy.log([0.9, 0.3]), numpy.log([1.0, 0.2]))
    third = Order(numpy.array([1 * 3 + 0]), numpy.log([0.7]), numpy.zeros(1))
    return Backoff(2, [first, second, third])


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ((), [0.6, 0.4]),
        ((0,), [0.5 * 0.6, 0.9]),
        ((1,), [0.8 * 0.6, 0.8 * 0.4]),
        ((2, 1), [0.7, 0.2 * 0.8 * 0.4]),
        ((0, 1), [0.8 * 0.6, 0.8 * 0.4]),
        ((0, 0, 2, 1), [0.7, 0.2 * 0.8 * 0.4]),
        ((2,), [0.6, 0.3]),
    ],
)
def test_each_rule_of_backing_off(context: Sequence[int], expected: list[float]) -> None:
    assert numpy.exp(by_hand().log_probabilities(context)) == pytest.approx(expected)


@given(DOCUMENTS, st.integers(1, 5), st.booleans())
def test_it_is_the_interpolated_model(documents: list[list[int]], order: int, modified: bool) -> None:
    model = KneserNey(documents, 4, order, modified)
    form = Backoff.of(model)
    assert form.order == order
    for length in range(min(3, order + 1)):
        for context in itertools.product(range(5), repeat=length):
            if 4 in context[1:]:
                continue  # a text begins once
            expected = model.distribution([context] if context else numpy.zeros((1, 0), int))[0]
            assert numpy.exp(form.log_probabilities(context)) == pytest.approx(expected, abs=1e-12)


def test_grams_are_ordered_by_their_index() -> None:
    form = by_hand()
    for order in (1, 2, 3):
        assert [form.locate(gram) for gram in form.grams(order).tolist()] == list(range(len(form.grams(order))))
    assert form.grams(3).tolist() == [[2, 1, 0]]
    assert form.locate((1, 1)) == form.locate((7,)) == form.locate((-1,)) == -1
    with pytest.raises(OptionError, match="orders 1 to 3, not 4"):
        form.grams(4)


def test_orders_that_do_not_fit_are_refused() -> None:
    with pytest.raises(DataError, match="lists each of them and the beginning"):
        Backoff(3, by_hand().orders)
