"""Captions as one sequence: what is read, what is asked for, and how unknown words and long lines are taken."""

from __future__ import annotations

import pytest
import torch

from gruworks.errors import OptionError
from gruworks.lab.problems.captions import LONGEST, captions

PAIRS = (
    [["ein", "hund", "rennt"], ["ein", "hund"], ["ein"], ["hund"]],
    [["a", "dog", "runs"], ["a", "dog"], ["a"], ["dog"]],
)


def test_source_then_target_is_read_and_the_next_target_word_asked() -> None:
    made = captions(4, 10, seed=0, parts=[PAIRS] * 3, words=2)
    # Words: 0 the end, 1 unknown, 2 the most frequent ("ein", "a"; ties by alphabet), 3; "rennt", "runs" are unknown.
    assert (made.inputs, made.outputs) == (8, 4)
    (batch,) = made.test
    read = [batch.x[:, row].argmax(-1)[batch.x[:, row].any(-1)].tolist() for row in range(4)]
    assert read == [[2, 0, 6], [3, 0, 7], [2, 3, 0, 6, 7], [2, 3, 1, 0, 6, 7, 5]]
    answers = torch.zeros(batch.asked.shape, dtype=torch.int64)
    answers[batch.asked] = batch.y
    asked = [answers[batch.asked[:, row], row].tolist() for row in range(4)]
    assert asked == [[2, 0], [3, 0], [2, 3, 0], [2, 3, 1, 0]]
    assert batch.x.sum() == sum(map(len, read))


def test_the_first_bias_is_each_words_share() -> None:
    made = captions(4, 10, seed=0, parts=[PAIRS] * 3, words=2)
    shares = torch.tensor([4, 1, 3, 3]) + 1.0  # each counted once more
    torch.testing.assert_close(made.prior, (shares / shares.sum()).log())


def test_long_captions_are_cut_and_passes_differ() -> None:
    long = ([["w"] * 100] * 6 + [["w"]] * 6, [["v"] * 100] * 6 + [["v"]] * 6)
    made = captions(3, 4, seed=0, parts=[long] * 3, words=5)
    assert max(len(made.draw(0, i).x) for i in range(4)) == 2 * LONGEST + 1
    lengths = [[len(made.draw(epoch, i).x) for i in range(4)] for epoch in range(6)]
    assert all(sorted(one) == sorted(lengths[0]) for one in lengths)
    assert any(one != lengths[0] for one in lengths)


def test_more_rows_than_captions_are_refused() -> None:
    with pytest.raises(OptionError, match="4 captions don't fill one batch of 5"):
        captions(5, 10, seed=0, parts=[PAIRS] * 3, words=2)
