"""The convolution block against torch's convolution."""

from __future__ import annotations

import pytest
import torch

from gruworks.errors import OptionError
from gruworks.nn.blocks.causal_conv import ConvolutionBlock
from tests.tolerances import FLOAT32_DEEP


@torch.no_grad()
def test_it_is_a_causal_depthwise_convolution() -> None:
    torch.manual_seed(0)
    block, x = ConvolutionBlock(6, width=4), torch.randn(9, 2, 6)
    n = torch.nn.functional.pad(block.norm(x).permute(1, 2, 0), (3, 0))
    y = torch.nn.functional.conv1d(n, block.taps.t()[:, None], block.bias, groups=6).permute(2, 0, 1)
    expected = x + block.mix(torch.nn.functional.silu(y))
    torch.testing.assert_close(block(x)[0], expected, rtol=0, atol=FLOAT32_DEEP)


def test_a_width_below_one_is_refused() -> None:
    with pytest.raises(OptionError, match="width of at least 1, not 0"):
        ConvolutionBlock(4, width=0)
