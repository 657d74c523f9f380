"""The row convolution: formula, initialization, streaming."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from gruworks.nn.blocks.lookahead_conv import RowConvolution


def test_the_formula() -> None:
    rows = RowConvolution(3, 2)
    x = torch.randn(1, 6, 3)
    y, _ = rows(x, torch.tensor([5]))
    for t in range(5):
        expected = sum(rows.weight[:, 0, j] * x[0, t + j] for j in range(3) if t + j < 5)
        torch.testing.assert_close(y[0, t], expected)


def test_it_starts_near_the_identity() -> None:
    x = torch.randn(2, 50, 8)
    y, _ = RowConvolution(8, 4)(x, torch.tensor([50, 50]))
    assert (y - x).std() < 0.2


@given(st.lists(st.lists(st.integers(0, 5), min_size=2, max_size=2), min_size=1, max_size=4), st.integers(1, 4))
def test_streaming_of_two_rows_equals_whole_sequences(counts: list[list[int]], ahead: int) -> None:
    torch.manual_seed(0)
    rows = RowConvolution(3, ahead)
    lengths = torch.tensor(counts).sum(0)
    x = torch.randn(2, max(1, int(lengths.max())), 3)
    whole, _ = rows(x, lengths)
    outputs: list[list[torch.Tensor]] = [[], []]
    at, state = torch.zeros(2, dtype=torch.long), rows.start(2)
    for place, count in enumerate(counts):
        piece = torch.full((2, 5, 3), float("nan"))
        for row in range(2):
            piece[row, : count[row]] = x[row, at[row] : at[row] + count[row]]
        last = torch.tensor([place == len(counts) - 1] * 2)
        y, ready, *state = rows.step(piece, torch.tensor(count), *state, last)
        for row in range(2):
            outputs[row].append(y[row, : int(ready[row])])
        at += torch.tensor(count)
    for row in range(2):
        torch.testing.assert_close(torch.cat(outputs[row]), whole[row, : int(lengths[row])])
