"""Quantized weights: the reference against float64, and the native stream against the reference."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

from gruworks.errors import DtypeError, OptionError, WeightsError
from gruworks.ops import equations
from gruworks.ops.backend import backend, native
from gruworks.ops.quantised import Precision, QuantizedWeights, quantize, step, whole_numbers
from gruworks.ops.stream import GRUStream
from gruworks.ops.weights import GRUWeights
from tests import tolerances

TIE = 1e-4  # of a step: what the last bits of r * h are worth in it
NARROW: tuple[Precision, ...] = ("bfloat16", "int8")
needs_kernel = pytest.mark.skipif(backend().name == "torch", reason=backend().reason)


def layer(I: int, H: int, reset: Any = "after", bias: bool = True) -> GRUWeights:  # noqa: E741
    return GRUWeights.random(I, H, reset, bias).astype(numpy.float32)


@pytest.mark.parametrize("reset", ["after", "before"])
def test_bfloat16_is_the_equations_with_rounded_weights(reset: Any) -> None:
    small = quantize(layer(5, 17, reset), "bfloat16")
    random = numpy.random.default_rng(0)
    x, h = (random.standard_normal((3, n)).astype(numpy.float32) for n in (5, 17))
    values = small.values().astype(numpy.float64)
    true = equations.step(equations.input_projections(x.astype(numpy.float64), values), h.astype(numpy.float64), values)
    assert numpy.abs(step(x, h, small) - true).max() < tolerances.FLOAT32_OUTPUT


def test_bfloat16_rounds_to_the_nearest_and_ties_to_even() -> None:
    weights = layer(4, 4)
    weights.w_hh[:3, 0] = [1 + 2**-8, 1 + 3 * 2**-8, -(1 + 2**-8 + 2**-20)]
    small = quantize(weights, "bfloat16").values().w_hh
    assert small[:3, 0].tolist() == [1.0, 1 + 2 * 2**-7, -(1 + 2**-7)]
    assert numpy.abs(small / weights.w_hh - 1).max() <= 2**-8


@pytest.mark.parametrize("reset", ["after", "before"])
def test_int8_is_near_the_equations(reset: Any) -> None:
    weights = layer(20, 64, reset)
    random = numpy.random.default_rng(0)
    x, h = random.standard_normal((3, 20)).astype("f4"), numpy.tanh(random.standard_normal((3, 64))).astype("f4")
    true = equations.step(equations.input_projections(x, weights), h, weights)
    error = numpy.abs(step(x, h, quantize(weights, "int8")) - true).max()
    assert 0 < error < tolerances.INT8_STEP


def test_whole_numbers_reach_127_and_keep_zeros_and_nans() -> None:
    x = numpy.array([[0, 0, 0], [-2, 1, 0], [numpy.nan, 1, 2], [numpy.inf, 0, 0]], numpy.float32)
    whole, scale = whole_numbers(x)
    assert whole[:2].tolist() == [[0, 0, 0], [-127, 64, 0]]
    assert scale[0] == 0
    assert numpy.isnan(scale[2:]).all()


def test_weights_that_can_not_be_quantized_are_named() -> None:
    with pytest.raises(OptionError, match="float32, bfloat16, int8, not 'int4'"):
        quantize(layer(2, 3), "int4")  # type: ignore[arg-type]
    weights = layer(2, 3)
    weights.w_hh[0, 0] = numpy.nan
    with pytest.raises(WeightsError, match="w_hh"):
        quantize(weights, "int8")
    with pytest.raises(WeightsError, match="65536"):
        quantize(GRUWeights(numpy.zeros((3, 70_000), "f4"), numpy.zeros((3, 1), "f4")), "int8")
    with pytest.raises(DtypeError, match="float32"):
        GRUStream(GRUWeights.random(2, 3), precision="int8")


def sisters() -> list[str]:
    """Builds that run here; those with "-plain" may not use dot products of 8 bits."""
    builds = [] if backend().name == "torch" else list(native.builds())
    return [name + plain for name in builds for plain in ("", "-plain")]


def against_the_reference(small: QuantizedWeights, stream: GRUStream, inputs: Any) -> float:
    """The worst difference of single steps from the same state: a last bit may round a state to the next number.

    In the "before" form r * h is quantised as well. Where a number of the reference's is at a tie, it may be rounded to
    its other neighbour, and the difference may be larger by what that one step of the scale makes.
    """
    worst = 0.0
    for x in inputs:
        before = stream.state
        difference = numpy.abs(stream.step(x) - step(x, before, small)).max(1)
        worst = max(worst, float((difference - made_by_ties(x, before, small)).max()))
    return worst


def made_by_ties(x: Any, h: Any, small: QuantizedWeights) -> Any:
    """The largest difference of each session's state that other roundings of r * h at a tie can make, [S]."""
    H = h.shape[1]
    if small.reset == "after" or small.w_hh.scale is None:
        return numpy.zeros(len(h))
    gi = x if small.w_ih is None else small.w_ih.times(x) + (0 if small.b_ih is None else small.b_ih)
    r = equations.sigmoid(gi[:, :H] + small.w_hh.times(h, slice(H)) + (0 if small.b_hh is None else small.b_hh[:H]))
    scale = whole_numbers(r * h)[1]
    ties = numpy.abs(numpy.abs(r * h / scale[:, None]) % 1 - 0.5) < TIE
    columns = numpy.abs(small.w_hh.values()[2 * H :]).max(0)  # the largest weight of each number of r * h
    return (ties * columns).sum(1) * scale


@needs_kernel
@pytest.mark.parametrize("build", sisters())
@pytest.mark.parametrize("projected", [False, True])
@pytest.mark.parametrize("precision", NARROW)
@pytest.mark.parametrize("reset", ["after", "before"])
@pytest.mark.parametrize(("sessions", "I", "H"), [(1, 1, 64), (3, 5, 17), (7, 37, 100), (300, 20, 64), (1, 257, 256)])
def test_the_stream_is_the_reference(
    sessions: int,
    I: int,  # noqa: E741
    H: int,
    reset: Any,
    precision: Precision,
    projected: bool,
    build: str,
) -> None:
    weights = layer(I, H, reset, bias=sessions != 3)
    used = native.build()
    native.choose_build(build.removesuffix("-plain"))
    native.allow_dot_products(not build.endswith("-plain"))
    try:
        stream = GRUStream(weights, sessions, 2, precision, projected)
        inputs = (
            numpy.random.default_rng(0).standard_normal((4, sessions, 3 * H if projected else I)).astype(numpy.float32)
        )
        plain = build.removesuffix("-plain")
        with_dot_products = {"avx512": "avx512vnni", "avx2": "avx2vnni", "neon": "neondotprod"}
        assert stream.build in (plain, with_dot_products.get(build, plain))
        stream.state = numpy.random.default_rng(1).uniform(-2, 2, (sessions, H))
        assert (
            against_the_reference(quantize(weights, precision, projected), stream, inputs) < tolerances.FLOAT32_OUTPUT
        )
    finally:
        native.choose_build(used)
        native.allow_dot_products(True)


@needs_kernel
@pytest.mark.parametrize("reset", ["after", "before"])
def test_precomputed_input_projections_in_float32(reset: Any) -> None:
    weights = layer(5, 20, reset)
    plain, projected = GRUStream(weights, 3), GRUStream(weights, 3, projected=True)
    for x in numpy.random.default_rng(0).standard_normal((4, 3, 5)).astype(numpy.float32):
        projections = equations.input_projections(x, weights)
        assert numpy.abs(plain.step(x) - projected.step(projections)).max() < tolerances.FLOAT32_OUTPUT


@needs_kernel
@pytest.mark.parametrize("precision", NARROW)
def test_a_nan_propagates_within_its_session_only(precision: Precision) -> None:
    stream = GRUStream(layer(40, 32), 5, precision=precision)
    x = numpy.ones((5, 40), numpy.float32)
    x[2, 7] = numpy.nan
    found = stream.step(x)
    assert numpy.isnan(found[2]).all()
    assert numpy.isfinite(found[[0, 1, 3, 4]]).all()


@needs_kernel
@pytest.mark.parametrize("precision", NARROW)
def test_sessions_are_independent(precision: Precision) -> None:
    weights = layer(20, 48)
    x = numpy.random.default_rng(0).standard_normal((6, 7, 20)).astype(numpy.float32)
    many, other = GRUStream(weights, 7, precision=precision), GRUStream(weights, 7, precision=precision)
    for row in x:
        changed = row.copy()
        changed[1:] *= 3
        assert (many.step(row)[0] == other.step(changed)[0]).all()
