"""Labels of state tracking against products of permutations, sums and an undo history worked out word by word."""

from __future__ import annotations

import itertools

import numpy
import pytest
import torch

from gruworks.errors import OptionError
from gruworks.lab.problems.automata import AUTOMATA, track

T, ROWS = 30, 40
PERMUTATIONS = sorted(
    itertools.permutations(range(5)), key=lambda one: sum(one[i] > one[j] for i in range(5) for j in range(i, 5))
)


def is_even(element: tuple[int, ...]) -> bool:
    matrix = numpy.eye(5)[list(element)]
    return bool(round(float(numpy.linalg.det(matrix))) == 1)


def words(task: str) -> tuple[list[list[int]], list[list[int]]]:
    """Symbols and labels of each word."""
    x, asked, y = track(AUTOMATA[task], ROWS, T, 7)
    assert asked.all()
    assert (x.sum(-1) == 1).all()
    return x.argmax(-1).T.tolist(), y.view(T, ROWS).T.tolist()


@pytest.mark.parametrize(("task", "modulus"), [("parity", 2), ("addition", 5)])
def test_the_label_is_the_sum_so_far(task: str, modulus: int) -> None:
    for word, labels in zip(*words(task), strict=True):
        assert labels == [total % modulus for total in itertools.accumulate(word)]


@pytest.mark.parametrize("task", ["s5", "a5"])
def test_the_label_is_the_product_so_far(task: str) -> None:
    elements = [one for one in PERMUTATIONS if task == "s5" or is_even(one)]
    assert len(elements) == AUTOMATA[task].symbols == {"s5": 120, "a5": 60}[task]
    for word, labels in zip(*words(task), strict=True):
        product = numpy.eye(5, dtype=int)
        for symbol, label in zip(word, labels, strict=True):
            product = numpy.eye(5, dtype=int)[:, list(elements[symbol])] @ product
            assert tuple(product.argmax(0)) == elements[label]


def test_undo_exchanges_the_last_two_values() -> None:
    for word, labels in zip(*words("flip-flop"), strict=True):
        present, former = 0, 0
        for symbol, label in zip(word, labels, strict=True):
            if symbol < 4:
                present, former = symbol, present
            elif symbol == 5:
                present, former = former, present
            assert label == present


@pytest.mark.parametrize("task", ["s5", "a5"])
def test_each_symbol_permutes_the_states_and_order_matters(task: str) -> None:
    table = AUTOMATA[task].transitions
    assert (numpy.sort(table, 0) == numpy.arange(len(table))[:, None]).all()
    assert (table != table.T).any()
    assert (table[0] == numpy.arange(len(table))).all()


def test_symbols_are_drawn_evenly() -> None:
    x = track(AUTOMATA["addition"], 2000, 20, 0).x
    assert x.mean((0, 1)).tolist() == pytest.approx([0.2] * 5, abs=0.01)
    assert not torch.equal(x, track(AUTOMATA["addition"], 2000, 20, 1).x)


def test_half_of_the_words_may_repeat_symbols() -> None:
    same = [
        (track(AUTOMATA["addition"], 2000, 40, 0, repeats).x.argmax(-1).diff(dim=0) == 0).double().mean(0)
        for repeats in (False, True)
    ]
    assert same[0].mean() == pytest.approx(0.2, abs=0.01)
    assert same[1].mean() == pytest.approx(0.5 * 0.2 + 0.5 * 0.6, abs=0.02)  # 0.6 = E[q + (1 - q) / 5], q uniform
    assert (same[1] > 0.9).any()


@pytest.mark.parametrize(("rows", "length", "seed"), [(0, 5, 0), (1, 0, 0), (1, 5, -1)])
def test_sizes_that_cannot_be_are_refused(rows: int, length: int, seed: int) -> None:
    with pytest.raises(OptionError, match="expected 1 row or more of 1 step"):
        track(AUTOMATA["parity"], rows, length, seed)


def test_words_of_the_first_symbols() -> None:
    batch = track(AUTOMATA["s5"], 200, T, 3, symbols=5)
    assert set(batch.x.argmax(-1).flatten().tolist()) == set(range(5))
    assert len(set(batch.y.tolist())) == 120  # exchanges of neighbours generate the group
