"""Characters are predicted from those before them, and no part sees another's."""

from __future__ import annotations

import math

import pytest
import torch

from gruworks.lab.problems.characters import characters

TEXT = "".join(chr(97 + (i * i) % 7) for i in range(900)) + "y" * 50 + "z" * 50


def test_the_next_character_is_asked_for_and_the_parts_are_apart() -> None:
    made = characters(4, 10, 100, seed=0, text=TEXT)
    x, asked, y = made.draw(0, 3)
    assert torch.equal(x[1:].argmax(-1), y.view(10, 4)[:-1])
    assert asked.all()
    assert torch.equal(made.draw(0, 3).x, x)
    assert not torch.equal(made.draw(0, 4).x, x)
    y_index, z_index = made.outputs - 2, made.outputs - 1
    drawn = torch.cat([made.draw(0, index).y for index in range(200)])
    assert not ((drawn == y_index) | (drawn == z_index)).any()
    assert all((batch.y == y_index).all() for batch in made.valid)
    assert all((batch.y == z_index).all() for batch in made.test)
    assert made.prior[y_index] == pytest.approx(math.log(1 / (900 + made.outputs)))
