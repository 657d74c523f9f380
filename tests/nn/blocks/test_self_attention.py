"""Windowed self-attention against the formula, step by step."""

from __future__ import annotations

import pytest
import torch

from gruworks.errors import OptionError
from gruworks.nn.blocks.self_attention import AttentionBlock
from tests.tolerances import FLOAT32_DEEP


@torch.no_grad()
def test_each_step_attends_to_its_window() -> None:
    torch.manual_seed(0)
    block, x = AttentionBlock(6, window=3, heads=2), torch.randn(8, 2, 6)
    torch.nn.init.normal_(block.near)
    query, key, value = block.project(block.norm(x)).chunk(3, -1)
    expected = torch.empty_like(x)
    for t in range(8):
        first = max(0, t - 3)
        for head in range(2):
            part = slice(3 * head, 3 * head + 3)
            score = torch.einsum("bi,sbi->sb", query[t, :, part], key[first : t + 1, :, part]) / 3**0.5
            score += block.near[head, : t - first + 1].flip(0)[:, None]
            expected[t, :, part] = torch.einsum("sb,sbi->bi", score.softmax(0), value[first : t + 1, :, part])
    torch.testing.assert_close(block(x)[0], x + block.mix(expected), rtol=0, atol=FLOAT32_DEEP)


def test_heads_that_do_not_divide_are_refused() -> None:
    with pytest.raises(OptionError, match="6 is not divisible by 4"):
        AttentionBlock(6, heads=4)
