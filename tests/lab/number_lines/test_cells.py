"""Each cell that is trained on number lines continues a line that it has not seen."""

from __future__ import annotations

from typing import Literal

import pytest
import torch

from gruworks.lab.number_lines.cells import CellOnLines, train_cell

NUMBERS = [1.0, 2.0, 3.0, 4.0, 5.0]


@pytest.mark.parametrize("cell", ["rnn", "lstm"])
def test_a_trained_cell_continues_the_line(cell: Literal["rnn", "lstm"]) -> None:
    x = torch.tensor(NUMBERS, dtype=torch.float64)[:, None, None]
    untrained = CellOnLines(cell)(x).item()
    assert abs(untrained - 6) > 1
    assert train_cell(cell, NUMBERS)(x).item() == pytest.approx(6, abs=0.1)


def test_the_seed_decides_the_start_and_leaves_the_generator_as_it_was() -> None:
    before = torch.get_rng_state()
    x = torch.ones(3, 2, 1, dtype=torch.float64)
    assert torch.equal(CellOnLines("gru", 1)(x), CellOnLines("gru", 1)(x))
    assert not torch.equal(CellOnLines("gru", 1)(x), CellOnLines("gru", 2)(x))
    assert torch.equal(torch.get_rng_state(), before)
