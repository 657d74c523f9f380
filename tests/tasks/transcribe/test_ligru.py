"""LiGRU layers: ragged rows as if alone, both directions, and the cell's own equations."""

from __future__ import annotations

import pytest
import torch

from gruworks.tasks.transcribe.ligru import LiGRULayer
from tests.tolerances import FLOAT32_OUTPUT


def layer(bidirectional: bool) -> LiGRULayer:
    torch.manual_seed(0)
    made = LiGRULayer(3, 4, bidirectional)
    made(torch.randn(4, 9, 3))  # statistics of its own
    return made.eval()


@pytest.mark.parametrize("bidirectional", [False, True])
def test_rows_are_as_if_alone_and_zero_beyond(bidirectional: bool) -> None:
    made, x, lengths = layer(bidirectional), torch.randn(3, 6, 3), torch.tensor([6, 3, 0])
    state = torch.randn(2 if bidirectional else 1, 3, 4)
    y, last = made(x, state, lengths)
    for row, length in enumerate(lengths.tolist()):
        alone, end = made(x[row : row + 1, :length], state[:, row : row + 1])
        torch.testing.assert_close(y[row, :length], alone[0], atol=FLOAT32_OUTPUT, rtol=0)
        torch.testing.assert_close(last[:, row], end[:, 0], atol=FLOAT32_OUTPUT, rtol=0)
        assert not y[row, length:].any()


def test_it_is_the_cell_there_and_back() -> None:
    made, x = layer(True), torch.randn(2, 5, 3)
    y, last = made(x)
    for direction, cell in enumerate(made.cells):
        along = x.flip(1) if direction else x
        expected, end = cell(along.transpose(0, 1))
        expected = expected.transpose(0, 1)
        own = y[..., 4 * direction : 4 * direction + 4]
        torch.testing.assert_close(own.flip(1) if direction else own, expected, atol=FLOAT32_OUTPUT, rtol=0)
        torch.testing.assert_close(last[direction], end[0], atol=FLOAT32_OUTPUT, rtol=0)


def test_padding_does_not_enter_the_normalisation() -> None:
    made, x = layer(False).train(), torch.randn(2, 5, 3)
    short = made(x[:, :3])[0]
    made.load_state_dict(layer(False).state_dict())
    torch.testing.assert_close(made(x, lengths=torch.tensor([3, 3]))[0][:, :3], short, atol=FLOAT32_OUTPUT, rtol=0)
