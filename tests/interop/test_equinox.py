"""Equinox' cell: its own outputs, the way back bit for bit, one rounding where biases merge."""

from __future__ import annotations

from types import SimpleNamespace

import numpy
import pytest

from gruworks.errors import WeightsError
from gruworks.interop import equinox
from gruworks.ops import equations
from gruworks.ops.weights import GRUWeights
from tests.interop.conftest import FIXTURES, same_bits
from tests.tolerances import FLOAT32_OUTPUT, FLOAT64


def test_a_cell_gives_equinox_own_outputs_and_goes_back() -> None:
    arrays = dict(numpy.load(FIXTURES / "equinox_4.npz"))
    x, y = arrays.pop("x"), arrays.pop("y")
    weights = equinox.from_cell(SimpleNamespace(**arrays))
    output = equations.sequence(x.astype(float), numpy.zeros((3, 4)), weights.astype(float)).output
    assert numpy.abs(output - y).max() < FLOAT32_OUTPUT
    back = equinox.to_arrays(weights)
    assert set(back) == set(arrays)
    assert all(same_bits(arrays[name], back[name]) for name in arrays)


def test_two_biases_become_one_and_the_candidates() -> None:
    weights = GRUWeights.random(3, 4)
    merged = equinox.from_cell(equinox.to_arrays(weights))
    x, h = numpy.ones((2, 3)), numpy.ones((2, 4))
    expected = equations.step(equations.input_projections(x, weights), h, weights)
    assert numpy.abs(equations.step(equations.input_projections(x, merged), h, merged) - expected).max() < FLOAT64


def test_a_cell_without_bias_stays_without() -> None:
    arrays = equinox.to_arrays(GRUWeights.random(3, 4, bias=False))
    assert arrays["bias"] is None
    assert arrays["bias_n"] is None
    assert equinox.from_cell(arrays).b_ih is None


def test_what_it_cannot_hold_is_named() -> None:
    with pytest.raises(WeightsError, match="can't hold reset='before'"):
        equinox.to_arrays(GRUWeights.random(3, 4, "before"))
    with pytest.raises(WeightsError, match="this is a int"):
        equinox.from_cell(3)
    arrays = equinox.to_arrays(GRUWeights.random(3, 4))
    with pytest.raises(WeightsError, match=r"b \[3H\] and b_n \[H\]"):
        equinox.from_cell(arrays | {"bias_n": numpy.ones(3)})


@pytest.mark.parametrize("wrong", ["x", 1, [[1, 2], [3]], numpy.ones((12, 3), int), numpy.ones((0, 3)), object()])
@pytest.mark.parametrize("field", equinox.FIELDS)
def test_fields_that_are_no_arrays_of_numbers_are_refused(field: str, wrong: object) -> None:
    with pytest.raises(WeightsError):
        equinox.from_cell({**equinox.to_arrays(GRUWeights.random(3, 4)), field: wrong})
