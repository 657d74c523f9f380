"""Operations on right-padded sequences against Python lists."""

from __future__ import annotations

import pytest
import torch

from gruworks.nn.blocks.ragged import concatenate, mask, take


def test_join_puts_rows_together_without_a_gap() -> None:
    held, x = torch.tensor([[1.0, 2, 3], [4, 5, 6]])[..., None], torch.tensor([[7.0, 8], [9, float("nan")]])[..., None]
    joined, ends = concatenate(held, torch.tensor([2, 0]), x, torch.tensor([2, 1]))
    assert joined[..., 0].tolist() == [[1, 2, 7, 8, 0], [9, 0, 0, 0, 0]]
    assert ends.tolist() == [4, 1]


def test_take_reads_from_each_row_s_own_place() -> None:
    x = torch.arange(8.0).view(2, 4, 1)
    assert take(x, torch.tensor([0, 2]), 3)[..., 0].tolist() == [[0, 1, 2], [6, 7, 0]]
    assert take(x, torch.tensor([0, 2]), 0).shape == (2, 0, 1)


def test_mask_leaves_no_trace_of_the_padding() -> None:
    x = torch.full((2, 2, 1), float("nan"))
    assert mask(x, torch.tensor([0, 0])).eq(0).all()


@pytest.mark.parametrize("count", [[0, 0], [3, 1]])
def test_gradients_come_from_what_counts(count: list[int]) -> None:
    x = torch.ones(2, 4, 1, requires_grad=True)
    joined, _ = concatenate(torch.ones(2, 3, 1), torch.tensor(count), x, torch.tensor([4, 2]))
    joined.sum().backward()
    assert x.grad is not None
    assert x.grad[..., 0].tolist() == [[1, 1, 1, 1], [1, 1, 0, 0]]
