"""Costs of a step against counts by hand."""

from __future__ import annotations

import pytest

from gruworks.nn.cells import CELLS
from gruworks.nn.flops import cost

IN, H = 3, 4
GATES = {"rnn": 1, "lstm": 4, "gru": 3, "gru-before": 3, "mgu": 2, "ligru": 2, "mingru": 2, "layernorm-gru": 3}


@pytest.mark.parametrize("name", CELLS)
def test_products_are_two_operations_a_weight(name: str) -> None:
    counted = cost(name, IN, H)
    read = IN if name == "mingru" else IN + H
    assert counted.products == 2 * GATES[name] * H * read
    assert counted.operations == counted.products + counted.elements


def test_elements_of_the_plain_unit_and_the_lstm() -> None:
    # RNN: two biases, one sum, one tanh a unit. LSTM: a gate has two biases, a sum and a σ or tanh, and then
    # f * c, i * g, their sum, tanh(c), o * tanh(c).
    assert cost("rnn", IN, H).elements == 4 * H
    assert cost("lstm", IN, H).elements == (4 * 4 + 5) * H
