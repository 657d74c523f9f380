"""Each task's answer can be worked out from what is shown, and is what the task says."""

from __future__ import annotations

import math

import pytest
import torch

from gruworks.errors import OptionError
from gruworks.lab.problems.synthetic import SYNTHETIC, adding, copy_memory, dyck2, look_up, temporal_order

ROWS, T = 50, 60


@pytest.mark.parametrize("name", SYNTHETIC)
def test_a_seed_gives_one_batch_in_the_shapes_that_are_said(name: str) -> None:
    task = SYNTHETIC[name]
    one, again, other = (task.make(ROWS, T, seed) for seed in (3, 3, 4))
    assert all(torch.equal(a, b) for a, b in zip(one, again, strict=True))
    assert not torch.equal(one.x, other.x)
    assert one.x.shape[1:] == (ROWS, task.inputs)
    assert one.asked.shape == one.x.shape[:2]
    assert len(one.y) == int(one.asked.sum())
    assert one.x.dtype == torch.float32


def test_adding_asks_for_the_sum_of_the_two_marked_numbers() -> None:
    x, asked, y = adding(ROWS, T, 0)
    assert (x[:, :, 1].sum(0) == 2).all()
    torch.testing.assert_close(y, (x[:, :, 0] * x[:, :, 1]).sum(0))
    assert asked[-1].all()
    assert asked.sum() == ROWS
    assert adding(20_000, 2, 0).y.var() == pytest.approx(SYNTHETIC["adding"].chance(2), rel=0.03)


def test_the_marks_are_anywhere() -> None:
    marks = adding(20_000, 5, 0).x[:, :, 1].mean(1)
    assert marks == pytest.approx(torch.full((5,), 0.4), abs=0.02)


def test_copy_asks_for_the_word_after_the_blanks() -> None:
    x, asked, y = copy_memory(ROWS, T, 0)
    read, right = x.argmax(-1), y.view(T + 20, ROWS)
    assert asked.all()
    assert torch.equal(right[-10:], read[:10])
    assert ((read[:10] >= 1) & (read[:10] <= 8)).all()
    assert (read[10 : T + 9] == 0).all()
    assert (read[T + 9 :] == 9).all()
    assert (right[:-10] == 0).all()
    assert SYNTHETIC["copy"].chance(1000) == pytest.approx(0.0204, abs=5e-5)


def test_temporal_order_asks_for_the_two_signs() -> None:
    x, _, y = temporal_order(ROWS, T, 0)
    symbols = x.argmax(-1)
    assert (symbols[0] == 6).all()
    assert (symbols[-1] == 7).all()
    for row in range(ROWS):
        places = ((symbols[:, row] == 4) | (symbols[:, row] == 5)).nonzero()[:, 0].tolist()
        assert len(places) == 2
        assert 6 <= places[0] <= 12
        assert 30 <= places[1] <= 36
        assert y[row] == 2 * (symbols[places[0], row] - 4) + (symbols[places[1], row] - 4)
    assert set(y.tolist()) == {0, 1, 2, 3}


def test_brackets_are_nested_and_the_answer_closes_the_last_one_open() -> None:
    x, _, y = dyck2(ROWS, T, 0, depth=3)
    symbols, right = x.argmax(-1), y.view(T, ROWS)
    deepest = 0
    for row in range(ROWS):
        stack: list[int] = []
        for symbol, answer in zip(symbols[:, row].tolist(), right[:, row].tolist(), strict=True):
            if symbol < 2:
                stack.append(symbol)
            else:
                assert stack.pop() == symbol - 2
            assert answer == (stack[-1] + 1 if stack else 0)
            deepest = max(deepest, len(stack))
    assert deepest == 3
    assert math.exp(SYNTHETIC["dyck2"].chance(1)) == pytest.approx(3)


@pytest.mark.parametrize(("rows", "length", "seed"), [(0, 20, 0), (1, 1, 0), (1, 20, -1)])
def test_sizes_that_cannot_be_are_refused(rows: int, length: int, seed: int) -> None:
    with pytest.raises(OptionError, match="expected 1 row or more of 2 steps"):
        adding(rows, length, seed)
    with pytest.raises(OptionError, match="depth must be at least 1"):
        dyck2(1, 5, 0, depth=0)


@pytest.mark.parametrize("length", [4, 61, 64, 200])
def test_look_up_asks_for_the_value_that_stood_after_the_key(length: int) -> None:
    x, asked, y = look_up(ROWS, length, 0)
    symbols, answers = x.argmax(-1), iter(y.tolist())
    pairs = min(length // 4, 32)
    assert asked[2 * pairs :].all()
    assert not asked[: 2 * pairs].any()
    told = [
        dict(zip(symbols[: 2 * pairs : 2, b].tolist(), symbols[1 : 2 * pairs : 2, b].tolist(), strict=True))
        for b in range(ROWS)
    ]
    assert all(len(one) == pairs for one in told)
    for t in range(2 * pairs, length):
        for row in range(ROWS):
            assert told[row][int(symbols[t, row])] - 32 == next(answers)
