"""Blocks: whole sequences against single steps, variational dropout, weight dropout."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from gruworks.nn.blocks.causal_conv import ConvolutionBlock
from gruworks.nn.blocks.self_attention import AttentionBlock
from gruworks.nn.blocks.stack import Block, GRUBlock, Stack, variational_dropout
from tests.tolerances import FLOAT32_DEEP

KINDS: dict[str, Callable[[], Block]] = {
    "gru": lambda: GRUBlock(8),
    "gru before": lambda: GRUBlock(8, reset="before"),
    "convolution": lambda: ConvolutionBlock(8, width=3),
    "attention": lambda: AttentionBlock(8, window=5, heads=2),
}


def pieces(
    module: torch.nn.Module, x: torch.Tensor, lengths: list[int]
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    state, outputs = None, []
    for part in torch.split(x, lengths):
        y, state = module(part, state)
        outputs.append(y)
    assert state is not None
    return torch.cat(outputs), state


@torch.no_grad()
@pytest.mark.parametrize("lengths", [[1] * 17, [2, 9, 6], [16, 1]])
@pytest.mark.parametrize("kind", KINDS)
def test_streaming_is_the_whole_sequence(kind: str, lengths: list[int]) -> None:
    torch.manual_seed(0)
    block = KINDS[kind]()
    for parameter in block.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    x = torch.randn(17, 3, 8)
    whole, last = block(x)
    streamed, state = pieces(block, x, lengths)
    torch.testing.assert_close(streamed, whole, rtol=0, atol=FLOAT32_DEEP)
    torch.testing.assert_close(state, last, rtol=0, atol=FLOAT32_DEEP)
    assert {name: value.shape for name, value in state.items()} == {
        name: value.shape for name, value in block.empty(3).items()
    }


@torch.no_grad()
@pytest.mark.parametrize("kind", KINDS)
def test_no_step_sees_a_later_one(kind: str) -> None:
    torch.manual_seed(0)
    block, x = KINDS[kind](), torch.randn(9, 2, 8)
    changed = x.clone()
    changed[6:] += 1
    torch.testing.assert_close(block(changed)[0][:6], block(x)[0][:6])


@torch.no_grad()
def test_a_stack_carries_each_block_s_state_under_its_number() -> None:
    torch.manual_seed(0)
    stack = Stack([make() for make in KINDS.values()])
    x = torch.randn(11, 2, 8)
    whole, last = stack(x)
    assert sorted(last) == ["0.hidden", "1.hidden", "2.past", "3.filled", "3.keys", "3.values"]
    streamed, state = pieces(stack, x, [4, 7])
    torch.testing.assert_close(streamed, whole, rtol=0, atol=FLOAT32_DEEP)
    torch.testing.assert_close(state, last, rtol=0, atol=FLOAT32_DEEP)


def test_variational_dropout_keeps_one_mask_for_all_steps() -> None:
    torch.manual_seed(0)
    x = variational_dropout(torch.ones(50, 4, 200), 0.25, training=True)
    assert (x == x[:1]).all()
    assert x.unique().tolist() == [0.0, pytest.approx(1 / 0.75)]
    assert float(x.mean()) == pytest.approx(1.0, abs=0.05)
    assert (variational_dropout(torch.ones(2, 1, 3), 0.25, training=False) == 1).all()


def test_recurrent_weights_are_dropped_in_training_alone() -> None:
    torch.manual_seed(0)
    block, x = GRUBlock(16, weight_dropout=0.5), torch.randn(6, 2, 16)
    with torch.no_grad():
        assert not torch.equal(block(x)[0], block(x)[0])
        assert torch.equal(block.eval()(x)[0], block(x)[0])
    block.train()(x)[0].sum().backward()
    grad = block.gru.weight_hh_l0.grad
    assert grad is not None
    assert 0.3 < float((grad == 0).float().mean()) < 0.7
