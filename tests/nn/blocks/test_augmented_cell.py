"""Augmented cells: composition, streaming, cost of a step."""

from __future__ import annotations

import pytest
import torch

from gruworks.errors import OptionError
from gruworks.nn.blocks.augmented_cell import AUGMENTATIONS, AugmentedCell
from gruworks.nn.cells import CELLS, chrono_init_, describe, hidden_size_for, make
from gruworks.nn.flops import cost

IN, H = 3, 8
NAMES = [f"{cell}+{augmentation}" for cell in CELLS for augmentation in AUGMENTATIONS]


@pytest.mark.parametrize("name", NAMES)
def test_chunks_equal_the_whole_sequence(name: str) -> None:
    torch.manual_seed(0)
    cell = make(name, IN, H, dtype=torch.float64).eval()
    x = torch.randn(150, 2, IN, dtype=torch.float64)
    whole, _ = cell(x)
    parts, state = [], None
    for piece in x.split([1, 80, 69]):
        output, state = cell(piece, state)
        parts.append(output)
    torch.testing.assert_close(torch.cat(parts), whole, atol=1e-12, rtol=0)
    assert whole.shape == (150, 2, H)


def test_the_block_stands_where_its_name_says() -> None:
    torch.manual_seed(0)
    x = torch.randn(70, 2, IN)
    before, after = make("gru+convolution", IN, H), make("gru+attention", IN, H)
    assert isinstance(before, AugmentedCell)
    assert isinstance(after, AugmentedCell)
    torch.testing.assert_close(before(x)[0], before.cell(before.block(before.widen(x))[0])[0])
    torch.testing.assert_close(after(x)[0], after.block(after.cell(x)[0])[0])


def test_gradients_reach_every_weight() -> None:
    for name in ("gru+convolution", "lstm+attention"):
        cell = make(name, IN, H)
        cell(torch.randn(200, 2, IN))[0].square().sum().backward()
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in cell.parameters()), name


def test_costs_are_those_of_the_parts() -> None:
    plain, joined = cost("gru", H, H), cost("gru+convolution", IN, H)
    assert joined.products == plain.products + 2 * IN * H + 2 * H * H
    looked = cost("gru+attention", IN, H)
    # One step: projections of query, key, value and output, and attention to 65 keys and values.
    assert looked.products == cost("gru", IN, H).products + 2 * 4 * H * H + 2 * 2 * 65 * H


def test_width_and_memory_reach_through() -> None:
    def count(width: int) -> int:
        return sum(p.numel() for p in make("gru+attention", IN, width).parameters())

    width = hidden_size_for("gru+attention", IN, 3000)
    assert abs(count(width) - 3000) <= min(abs(count(width + 1) - 3000), abs(count(width - 1) - 3000))
    cell = make("gru+convolution", IN, H)
    chrono_init_(cell, 100)
    assert (cell.cell.bias_ih_l0[H : 2 * H] > 0).all()


def test_names_are_checked() -> None:
    assert describe("rnn+attention").startswith("plain tanh RNN")
    for name in ("gru+juggling", "gru+", "gur+attention"):
        with pytest.raises(OptionError, match="each optionally with \\+convolution or \\+attention"):
            make(name, IN, H)
