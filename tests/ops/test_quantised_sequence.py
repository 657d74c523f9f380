"""Whole sequences with quantized weights: the native layer against the NumPy reference, step by step."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

from gruworks.errors import DtypeError, ShapeError, WeightsError
from gruworks.ops.backend import native
from gruworks.ops.quantised import Precision, quantize
from gruworks.ops.quantised_sequence import QuantizedLayer
from gruworks.ops.stream import GRUStream
from gruworks.ops.weights import GRUWeights
from tests import tolerances
from tests.ops.test_quantised import NARROW, needs_kernel, sisters

PROJECTED_STEPS = 0.02  # a state after several steps whose quantized states may differ by one


def layer(I: int, H: int, precision: Precision, reset: Any = "after", bias: bool = True) -> QuantizedLayer:  # noqa: E741
    return QuantizedLayer(quantize(GRUWeights.random(I, H, reset, bias).astype(numpy.float32), precision))


def drawn(*shape: int) -> Any:
    return numpy.random.default_rng(0).standard_normal(shape).astype(numpy.float32)


@needs_kernel
@pytest.mark.parametrize("build", sisters())
@pytest.mark.parametrize("precision", NARROW)
@pytest.mark.parametrize("reset", ["after", "before"])
@pytest.mark.parametrize(("B", "I", "H"), [(1, 37, 64), (3, 5, 17), (50, 33, 20)])
def test_a_sequence_is_the_steps_of_a_stream(
    B: int,
    I: int,  # noqa: E741
    H: int,
    reset: Any,
    precision: Precision,
    build: str,
) -> None:
    used = native.build()
    native.choose_build(build.removesuffix("-plain"))
    native.allow_dot_products(not build.endswith("-plain"))
    try:
        weights = GRUWeights.random(I, H, reset, bias=B != 3).astype(numpy.float32)
        sequence, stream = QuantizedLayer(quantize(weights, precision)), GRUStream(weights, B, 1, precision)
        x, h0 = drawn(70, B, I), drawn(B, H)
        stream.state = h0
        true = numpy.stack([stream.step(row).copy() for row in x])
        output, final = sequence(x, h0, threads=2)
        assert (final == output[-1]).all()
        worst = numpy.abs(output - true).max()
        exact = precision == "int8" and I > 16  # other products are sums of floats, in another order
        assert worst == 0 if exact else worst < (PROJECTED_STEPS if precision == "int8" else tolerances.FLOAT32_OUTPUT)
    finally:
        native.choose_build(used)
        native.allow_dot_products(True)


@needs_kernel
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("precision", NARROW)
def test_ragged_rows_and_the_reference(precision: Precision, reverse: bool) -> None:
    ours, reference = (layer(20, 18, precision) for _ in range(2))
    reference._native = None
    assert reference.build == "numpy"
    x, h0, lengths = drawn(9, 5, 40)[:, :, ::2], drawn(5, 18), numpy.array([9, 0, 4, 9, 1])
    x[4:, 2] = numpy.nan
    for found, true in zip(ours(x, h0, lengths, reverse), reference(x, h0, lengths, reverse), strict=True):
        assert numpy.abs(found - true).max() < (PROJECTED_STEPS if precision == "int8" else tolerances.FLOAT32_OUTPUT)
    assert (ours(x, h0, lengths, reverse)[1][1] == h0[1]).all()


def test_no_rows_and_no_steps() -> None:
    ours = layer(20, 18, "int8")
    assert ours(drawn(4, 0, 20))[0].shape == (4, 0, 18)
    assert (ours(drawn(0, 2, 20), drawn(2, 18))[1] == drawn(2, 18)).all()


def test_operands_that_dont_match_are_named() -> None:
    ours = layer(20, 18, "int8")
    with pytest.raises(ShapeError, match=r"x must be \[T, B, 20\], not \[4, 2, 19\]"):
        ours(drawn(4, 2, 19))
    with pytest.raises(ShapeError, match=r"h0 must be \[2, 18\], not \[1, 18\]"):
        ours(drawn(4, 2, 20), drawn(1, 18))
    with pytest.raises(DtypeError, match="x must be float32, not float64"):
        ours(drawn(4, 2, 20).astype(numpy.float64))
    with pytest.raises(ShapeError, match="between 0 and T = 4"):
        ours(drawn(4, 2, 20), lengths=numpy.array([5, 1]))
    with pytest.raises(WeightsError, match="w_ih"):
        QuantizedLayer(quantize(GRUWeights.random(3, 4).astype(numpy.float32), "int8", projected=True))
