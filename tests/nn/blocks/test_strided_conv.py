"""The strided convolution: causal, ragged, streaming."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gruworks.nn.blocks.strided_conv import StridedConvolution


@pytest.mark.parametrize(("kernel", "stride"), [(5, 2), (3, 3), (1, 2), (4, 1)])
def test_rows_are_as_if_alone(kernel: int, stride: int) -> None:
    convolution = StridedConvolution(3, 4, kernel, stride)
    x, lengths = torch.randn(3, 9, 3), torch.tensor([9, 4, 1])
    y, ends, _ = convolution(x, lengths)
    assert ends.tolist() == [-(-length // stride) for length in lengths.tolist()]
    for row, (length, end) in enumerate(zip(lengths.tolist(), ends.tolist(), strict=True)):
        alone, _, _ = convolution(x[row : row + 1, :length], torch.tensor([length]))
        torch.testing.assert_close(y[row, :end], alone[0])


def test_the_future_changes_nothing() -> None:
    convolution = StridedConvolution(2, 3, 5, 2)
    x = torch.randn(1, 8, 2)
    other = x.clone()
    other[:, 4:] += 1
    before, after = (convolution(one, torch.tensor([8]))[0] for one in (x, other))
    torch.testing.assert_close(before[:, :2], after[:, :2])
    assert not torch.allclose(before[:, 2], after[:, 2])


@given(st.lists(st.integers(0, 4), min_size=1, max_size=5), st.integers(0, 1))
def test_streaming_equals_whole_sequences(strides: list[int], rest: int) -> None:
    torch.manual_seed(0)
    convolution = StridedConvolution(2, 3, 5, 2)
    length = 2 * sum(strides) + rest
    x = torch.randn(1, max(1, length), 2)
    whole, end, _ = convolution(x, torch.tensor([length]))
    outputs, at, context = [], 0, None
    for count in [2 * stride for stride in strides] + [rest]:
        piece = torch.nn.functional.pad(x[:, at : at + count], (0, 0, 0, 3))
        y, ready, context = convolution(piece, torch.tensor([count]), context)
        outputs.append(y[:, : int(ready)])
        at += count
    torch.testing.assert_close(torch.cat(outputs, 1), whole[:, : int(end)])
