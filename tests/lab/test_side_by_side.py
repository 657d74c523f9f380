"""Cells side by side are the cells of nn/cells.py, step by step."""

from __future__ import annotations

import numpy
import pytest
import torch

from gruworks.errors import DataError
from gruworks.lab.side_by_side import side_by_side
from gruworks.nn.cells import make


def test_an_untrained_rnns_states_are_its_layers() -> None:
    (found,) = side_by_side(["rnn"], None, "abcab", hidden=5, seed=3)
    torch.manual_seed(3)
    layer = make("rnn", 3, 5, engine="equations").double()
    output, _ = layer(torch.eye(3, dtype=torch.float64)[[0, 1, 2, 0, 1]][:, None])
    assert numpy.allclose(found["hidden"], output[:, 0].detach().numpy())


def test_an_lstms_gates_make_its_states() -> None:
    (found,) = side_by_side(["lstm"], [1.0, -2.0, 3.0], None, hidden=4)
    gates = {name: numpy.array(value) for name, value in found["gates"].items()}
    c = numpy.zeros(4)
    for t in range(3):
        c = gates["f_t"][t] * c + gates["i_t"][t] * gates["g_t"][t]
        assert numpy.allclose(c, gates["c_t"][t])
        assert numpy.allclose(gates["o_t"][t] * numpy.tanh(c), gates["h_t"][t])


def test_a_grus_gates_make_its_states() -> None:
    (found,) = side_by_side(["gru"], [1.0, -2.0, 3.0], None, hidden=4)
    h = numpy.zeros(4)
    for t in range(3):
        z, candidate = numpy.array(found["update"][t]), numpy.array(found["candidate"][t])
        h = (1 - z) * h + z * candidate
        assert numpy.allclose(h, found["hidden"][t])


def test_a_gru_alone_is_trained_and_answers() -> None:
    (found,) = side_by_side(["gru"], [2, 4, 6, 8], None)
    assert found["answer"] == pytest.approx(10, abs=0.1)


def test_nothing_to_read_is_refused() -> None:
    with pytest.raises(DataError, match="one character or more"):
        side_by_side(["rnn"], None, "")
