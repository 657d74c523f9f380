"""A block joined to a cell: what the two give one after the other, in pieces too, and what a step costs."""

from __future__ import annotations

import pytest
import torch

from gruworks.errors import OptionError
from gruworks.nn.blocks.augmented_cell import JOINS, Joined
from gruworks.nn.cells import CELLS, about, keep_long, make, width_for
from gruworks.nn.flops import cost

IN, H = 3, 8
NAMES = [f"{cell}+{join}" for cell in CELLS for join in JOINS]


@pytest.mark.parametrize("name", NAMES)
def test_pieces_give_what_the_whole_gives(name: str) -> None:
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
    assert isinstance(before, Joined)
    assert isinstance(after, Joined)
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
    # One step: query, key, value and what mixes them, and 65 keys and values, zeros before the beginning.
    assert looked.products == cost("gru", IN, H).products + 2 * 4 * H * H + 2 * 2 * 65 * H


def test_width_and_memory_reach_through() -> None:
    def count(width: int) -> int:
        return sum(p.numel() for p in make("gru+attention", IN, width).parameters())

    width = width_for("gru+attention", IN, 3000)
    assert abs(count(width) - 3000) <= min(abs(count(width + 1) - 3000), abs(count(width - 1) - 3000))
    cell = make("gru+convolution", IN, H)
    keep_long(cell, 100)
    assert (cell.cell.bias_ih_l0[H : 2 * H] > 0).all()


def test_names_are_checked() -> None:
    assert about("rnn+attention").startswith("plain tanh RNN")
    for name in ("gru+juggling", "gru+", "gur+attention"):
        with pytest.raises(OptionError, match="each also with \\+convolution, \\+attention"):
            make(name, IN, H)
