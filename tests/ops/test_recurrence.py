"""Every build of the kernel against the float64 equations: outputs and all gradients."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gruworks.errors import DtypeError, OptionError, ShapeError
from gruworks.ops import equations, recurrence
from gruworks.ops.backend import backend, native
from gruworks.ops.weights import GRUWeights

if backend().name == "torch":
    pytest.skip(backend().reason, allow_module_level=True)

BUILDS = native.builds()
# Relative to the largest entry; a nearly saturated gate (1 - z, 1 - n²) has fewer significant digits in float32.
TOLERANCE = {numpy.float32: 5e-5, numpy.float64: 1e-12}


def close(found: Any, true: Any, tolerance: float, what: str) -> None:
    assert found.shape == true.shape, what
    if true.size:
        assert numpy.abs(found - true).max() <= tolerance * (1e-2 + numpy.abs(true).max()), what


class Case(NamedTuple):
    """Operands of a call, gradients of its results, and the float64 equations' results and gradients."""

    weights: GRUWeights
    given: dict[str, Any]
    grads: tuple[Any, Any]
    true: Any
    exact: Any


@functools.cache  # every build is held to the same numbers
def case(
    T: int, B: int, I: int, H: int, dtype: Any, seed: int, reset: Any, bias: bool, ragged: bool, reverse: bool  # noqa: E741
) -> Case:  # fmt: skip
    draw = numpy.random.default_rng(seed)
    weights = GRUWeights.random(I, H, reset, bias=bias, seed=seed).astype(dtype)
    x, h0 = draw.standard_normal((T, B, I)).astype(dtype), draw.standard_normal((B, H)).astype(dtype)
    lengths = draw.integers(0, T + 1, B) if ragged else None
    padded = x.copy()
    for b in range(B if lengths is not None else 0):
        padded[lengths[b] :, b] = numpy.nan
    grads = draw.standard_normal((T, B, H)).astype(dtype), draw.standard_normal((B, H)).astype(dtype)
    wide, truth = [a.astype(numpy.float64) for a in (x, h0)], weights.astype(numpy.float64)
    true = equations.sequence(*wide, truth, lengths, reverse)
    exact = equations.backward(*wide, truth, *(g.astype(numpy.float64) for g in grads), lengths, reverse)
    return Case(weights, {"x": padded, "h0": h0, "lengths": lengths, "reverse": reverse}, grads, true, exact)


def check(
    T: int, B: int, I: int, H: int, dtype: Any, seed: int = 0, *, reset: str = "after", bias: bool = True,  # noqa: E741
    ragged: bool = False, reverse: bool = False, threads: int = 2,
) -> None:  # fmt: skip
    """Forward with and without saved values, and backward, against the float64 equations."""
    weights, given, grads, true, exact = case(T, B, I, H, dtype, seed, reset, bias, ragged, reverse)
    tolerance = TOLERANCE[dtype]
    for run in (recurrence.forward, recurrence.forward_kept):
        output, final = run(weights, threads=threads, **given)[:2]
        close(output, true.output, tolerance, "output")
        close(final, true.final, tolerance, "final")
    found = recurrence.backward(recurrence.forward_kept(weights, threads=threads, **given)[2], *grads)
    for name in ("x", "h0", "w_ih", "w_hh", "b_ih", "b_hh"):
        if getattr(exact, name) is not None:
            close(getattr(found, name), getattr(exact, name), tolerance, f"gradient of {name}")


@pytest.mark.parametrize("dtype", [numpy.float32, numpy.float64])
@pytest.mark.parametrize("reset", ["after", "before"])
@pytest.mark.parametrize("H", [1, 3, 17, 33, 100])
def test_odd_sizes(build: str, H: int, reset: str, dtype: Any) -> None:
    for B in (0, 1, 2, 7, 9, 17):
        for T in (0, 1, 2, 33):
            for I in (1, 5, 20):  # noqa: E741
                check(T, B, I, H, dtype, reset=reset, ragged=B % 2 == 1, reverse=T % 2 == 1, threads=1 + B % 3)


@given(
    T=st.integers(0, 40), B=st.integers(0, 20), I=st.integers(1, 40), H=st.integers(1, 70), seed=st.integers(0, 999),
    dtype=st.sampled_from([numpy.float32, numpy.float64]), reset=st.sampled_from(["after", "before"]),
    ragged=st.booleans(), reverse=st.booleans(), bias=st.booleans(), threads=st.integers(1, 5),
)  # fmt: skip
def test_any_size(T: int, B: int, I: int, H: int, seed: int, dtype: Any, **how: Any) -> None:  # noqa: E741
    check(T, B, I, H, dtype, seed, **how)


@pytest.mark.parametrize("threads", [1, 2, 3, 4])
@pytest.mark.parametrize("reset", ["after", "before"])
def test_work_large_enough_for_threads(build: str, reset: str, threads: int) -> None:
    for B in (1, 2, 5, 8, 13):
        check(30, B, 40, 70, numpy.float32, reset=reset, ragged=B == 13, reverse=B == 5, threads=threads)


@pytest.mark.parametrize("dtype", [numpy.float32, numpy.float64])
@pytest.mark.parametrize("H", [2, 4, 8, 24, 40, 64])
def test_small_units(build: str, H: int, dtype: Any) -> None:
    """One row, which the L1 cache serves, and many, of which a vector holds one hidden unit each."""
    for B in (1, 2, 4, 8, 16, 33):
        for T, I in ((1, 8), (2, 1), (35, 8), (3, 64), (3, 65)):  # noqa: E741
            check(T, B, I, H, dtype, reverse=B % 2 == 0)


@pytest.mark.parametrize("reset", ["after", "before"])
@pytest.mark.parametrize("H", [150, 401])
def test_threads_that_wait_before_they_sum(build: str, H: int, reset: str) -> None:
    for B, threads in ((1, 2), (3, 2), (2, 3)):
        check(12, B, 40, H, numpy.float32, reset=reset, ragged=B == 3, threads=threads)


@pytest.mark.parametrize("reset", ["after", "before"])
def test_weights_too_large_for_the_caches(build: str, reset: str) -> None:
    for B, dtype in ((5, numpy.float32), (9, numpy.float32), (19, numpy.float64)):
        check(34, B, 1000, 840, dtype, reset=reset, ragged=B == 9, reverse=B == 9)


@pytest.mark.parametrize("I", [1, 7, 8])
def test_sums_over_many_chunks_of_steps(build: str, I: int) -> None:  # noqa: E741
    check(150, 3, I, 40, numpy.float32, ragged=True)
    check(150, 3, I, 40, numpy.float64, reset="before")


@pytest.mark.parametrize("reset", ["after", "before"])
@pytest.mark.parametrize("dtype", [numpy.float32, numpy.float64])
def test_saved_gates_too_many_for_the_caches(build: str, dtype: Any, reset: str) -> None:
    for ragged, threads in ((False, 2), (True, 1)):
        check(150, 17, 3, 120, dtype, reset=reset, ragged=ragged, threads=threads)


@pytest.mark.parametrize("reset", ["after", "before"])
@pytest.mark.parametrize("with_gi", [False, True])
@pytest.mark.parametrize("with_replacement", [False, True])
def test_decay_replacement_and_precomputed_input_projections(reset: str, with_gi: bool, with_replacement: bool) -> None:
    """Their gradients by central differences of the float64 equations."""
    T, B, I, H = 5, 3, 2, 4  # noqa: E741
    draw = numpy.random.default_rng(3)
    weights = GRUWeights.random(I, H, reset)
    given = {
        "x": draw.standard_normal((T, B, I)), "gi": draw.standard_normal((T, B, 3 * H)),
        "h0": draw.standard_normal((B, H)), "decay": draw.random((T, B, H)),
        "replacement": draw.standard_normal((B, H)),
    }  # fmt: skip
    del given["x" if with_gi else "gi"]
    if not with_replacement:
        del given["replacement"]
    lengths = numpy.array([5, 0, 3])
    grads = draw.standard_normal((T, B, H)), draw.standard_normal((B, H))

    def true(arrays: dict[str, Any]) -> Any:
        rest = {name: arrays.get(name) for name in ("gi", "decay", "replacement")}
        return equations.sequence(arrays.get("x"), arrays["h0"], weights, lengths, True, **rest)

    output, final, kept = recurrence.forward_kept(weights, lengths=lengths, reverse=True, **given)
    close(output, true(given).output, 1e-12, "output")
    close(final, true(given).final, 1e-12, "final")
    found = recurrence.backward(kept, *grads)
    for name, array in given.items():
        numeric = numpy.empty_like(array)
        for place in numpy.ndindex(array.shape):
            values = []
            for step in (1e-5, -1e-5):
                moved = array.copy()
                moved[place] += step
                result = true({**given, name: moved})
                values.append((result.output * grads[0]).sum() + (result.final * grads[1]).sum())
            numeric[place] = (values[0] - values[1]) / 2e-5
        close(getattr(found, name), numeric, 1e-6, name)


def test_views_are_read_without_a_copy() -> None:
    weights = GRUWeights.random(6, 20).astype(numpy.float32)
    x = numpy.random.default_rng(0).standard_normal((4, 9, 12)).astype(numpy.float32)
    for view in (x[:, :, :6], x[:, :, ::2], x[::-1, ::2, :6], x[:, :, :6].transpose(1, 0, 2)):
        found, _ = recurrence.forward(weights, x=view)
        whole, _ = recurrence.forward(weights, x=numpy.ascontiguousarray(view))
        assert (found == whole).all()


def test_determinism_and_independence_of_rows() -> None:
    weights = GRUWeights.random(40, 70).astype(numpy.float32)
    x = numpy.random.default_rng(0).standard_normal((30, 8, 40)).astype(numpy.float32)
    first, _ = recurrence.forward(weights, x=x)
    assert (recurrence.forward(weights, x=x)[0] == first).all()
    x[:, 3] = numpy.nan
    spoilt, _ = recurrence.forward(weights, x=x)
    others = [b for b in range(8) if b != 3]
    assert (spoilt[:, others] == first[:, others]).all()
    assert numpy.isnan(spoilt[:, 3]).all()


def test_thread_counts_agree_to_rounding() -> None:
    weights = GRUWeights.random(40, 70).astype(numpy.float32)
    x = numpy.random.default_rng(0).standard_normal((30, 3, 40)).astype(numpy.float32)
    one, _ = recurrence.forward(weights, x=x, threads=1)
    for threads in (2, 3, 4, 7):
        assert numpy.abs(recurrence.forward(weights, x=x, threads=threads)[0] - one).max() < 2e-6


def test_changed_weights_are_detected() -> None:
    weights = GRUWeights.random(40, 70).astype(numpy.float32)
    x = numpy.ones((3, 2, 40), numpy.float32)
    before, _, kept = recurrence.forward_kept(weights, x=x)
    memoryview(weights.w_hh).cast("B").cast("f")[5] = 3.0
    output = numpy.empty_like(before)
    final = numpy.empty((2, 70), numpy.float32)
    recurrence.MEMORY.forward(kept.layer, kept.operands, kept.form, (output, final), (None, None), 1)
    assert (output == recurrence.forward(weights, x=x, threads=1)[0]).all()
    assert (output != before).any()


@pytest.mark.parametrize("reset", ["after", "before"])
def test_long_sequences_of_trained_size(reset: str) -> None:
    """No worse than 2 times the float32 equations themselves, at T = 10,000 and weights of trained size."""
    weights = GRUWeights.random(8, 32, reset, seed=1).map(lambda a: 3 * a).astype(numpy.float32)
    x = numpy.random.default_rng(1).standard_normal((10_000, 1, 8)).astype(numpy.float32)
    h0 = numpy.zeros((1, 32), numpy.float32)
    wide = [a.astype(numpy.float64) for a in (x, h0)]
    true = equations.sequence(*wide, weights.astype(numpy.float64)).output
    plain = equations.sequence(x, h0, weights).output
    output, _, kept = recurrence.forward_kept(weights, x=x, h0=h0)
    assert numpy.abs(output - true).max() <= 2 * numpy.abs(plain - true).max()
    ones = numpy.ones_like(output), numpy.zeros_like(h0)
    found = recurrence.backward(kept, *ones)
    exact = equations.backward(*wide, weights.astype(numpy.float64), *(g.astype(numpy.float64) for g in ones))
    narrow = equations.backward(x, h0, weights, *ones)
    for name in ("x", "w_ih", "w_hh", "b_ih", "b_hh"):
        error = numpy.abs(getattr(found, name) - getattr(exact, name)).max()
        theirs = numpy.abs(getattr(narrow, name) - getattr(exact, name)).max()
        assert error <= 2 * theirs, name


def test_small_signals_keep_their_precision() -> None:
    weights = GRUWeights.random(3, 16).map(lambda a: 1e-4 * a).astype(numpy.float32)
    x = numpy.random.default_rng(1).standard_normal((20, 2, 3)).astype(numpy.float32)
    wide = x.astype(numpy.float64), numpy.zeros((2, 16))
    true = equations.sequence(*wide, weights.astype(numpy.float64)).output
    output, _ = recurrence.forward(weights, x=x)
    assert numpy.abs(output - true).max() <= 1e-6 * numpy.abs(true).max()


@pytest.mark.parametrize("dtype", [numpy.float32, numpy.float64])
def test_saturation_infinity_and_nan(build: str, dtype: Any) -> None:
    weights = GRUWeights(numpy.ones((3, 1), dtype), numpy.zeros((3, 1), dtype))
    big = numpy.array([-numpy.inf, -1e30, -90, -20, 0, 20, 90, 1e30, numpy.inf], dtype)
    x = big.reshape(1, -1, 1)
    output, _ = recurrence.forward(weights, x=x)
    with numpy.errstate(over="ignore"):
        z, n = 1 / (1 + numpy.exp(-big.astype(float))), numpy.tanh(big.astype(float))
    close(output[0, :, 0], (1 - z) * n, TOLERANCE[dtype], "saturated")
    assert numpy.isnan(recurrence.forward(weights, x=numpy.full((1, 1, 1), numpy.nan, dtype))[0]).all()


def test_gates_alone(build: str) -> None:
    draw = numpy.random.default_rng(0)
    weights = GRUWeights.random(5, 19)
    x, h = draw.standard_normal((4, 5)), draw.standard_normal((4, 19))
    gi, gh = equations.input_projections(x, weights), h @ weights.w_hh.T + weights.b_hh
    true = equations.step(gi, h, weights)
    close(recurrence.new_state(gi, gh, h), true, 1e-12, "float64")
    narrow = (a.astype(numpy.float32) for a in (gi, gh, h))
    close(recurrence.new_state(*narrow), true, 1e-6, "float32")


def test_operands_that_do_not_fit_are_named() -> None:
    weights = GRUWeights.random(3, 4)
    x = numpy.zeros((5, 2, 3))
    with pytest.raises(OptionError, match="not both or neither"):
        recurrence.forward(weights)
    with pytest.raises(OptionError, match="needs decay"):
        recurrence.forward(weights, x=x, replacement=numpy.zeros((2, 4)))
    with pytest.raises(ShapeError, match=r"x must be \[5, 2, 3\].*not \[5, 2, 4\]"):
        recurrence.forward(weights, x=numpy.zeros((5, 2, 4)))
    with pytest.raises(ShapeError, match=r"\[T, B, I\]"):
        recurrence.forward(weights, x=numpy.zeros((5, 3)))
    with pytest.raises(DtypeError, match="float64, not float32"):
        recurrence.forward(weights, x=x.astype(numpy.float32))
    with pytest.raises(DtypeError, match="float32 or float64"):
        recurrence.forward(weights.astype(numpy.float16), x=x.astype(numpy.float16))
    with pytest.raises(ShapeError, match="row 1 has 6"):
        recurrence.forward(weights, x=x, lengths=numpy.array([1, 6]))
    with pytest.raises(DtypeError, match="integers"):
        recurrence.forward(weights, x=x, lengths=numpy.array([1.0, 2.0]))
    with pytest.raises(ShapeError, match="h0"):
        recurrence.forward(weights, x=x, h0=numpy.zeros((1, 4)))
    with pytest.raises(ShapeError, match="gh"):
        recurrence.new_state(numpy.zeros((1, 6)), numpy.zeros((1, 5)), numpy.zeros((1, 2)))


def in_threads(work: Callable[[int], None], count: int) -> None:
    workers = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert not any(worker.is_alive() for worker in workers)


def test_python_threads_at_once() -> None:
    weights = GRUWeights.random(40, 70).astype(numpy.float32)
    x = numpy.random.default_rng(0).standard_normal((60, 3, 40)).astype(numpy.float32)
    true, _ = recurrence.forward(weights, x=x)
    wrong: list[int] = []

    def work(number: int) -> None:
        for _ in range(20):
            if not (recurrence.forward(weights, x=x)[0] == true).all():
                wrong.append(number)

    in_threads(work, 4)
    assert not wrong


def test_one_layer_with_different_weights_in_two_python_threads() -> None:
    # Packed memory is reused for other weights, but never during another call.
    layer, x = recurrence.new_layer(4), numpy.ones((9, 1, 100), numpy.float32)
    wrong: list[int] = []

    def work(seed: int) -> None:
        weights = GRUWeights.random(100, 150, seed=seed).astype(numpy.float32)
        true, final, kept = recurrence.forward_kept(weights, x=x, threads=1)
        output = numpy.empty_like(true)
        for _ in range(200):
            recurrence.MEMORY.forward(layer, kept.operands, kept.form, (output, final), (None, None), 1)
            if not (output == true).all():
                wrong.append(seed)

    in_threads(work, 3)
    assert not wrong


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("reset", ["after", "before"])
@pytest.mark.parametrize("threads", [1, 2])
def test_resets_replace_the_state(build: str, reset: Any, threads: int) -> None:
    """As the equations, with a decay too, in order of processing; a row of bytes or numbers, ragged and reversed."""
    used, draw = native.build(), numpy.random.default_rng(0)
    native.choose_build(build)
    try:
        for B, reverse, decayed in ((1, False, False), (1, True, True), (5, True, False), (5, False, True)):
            weights = GRUWeights.random(3, 130, reset)
            x, h0, other = (
                draw.standard_normal((9, B, 3)),
                draw.standard_normal((B, 130)),
                draw.uniform(-1, 1, (B, 130)),
            )
            resets, lengths = draw.uniform(size=(9, B)) < 0.4, draw.integers(0, 10, B)
            decay = draw.uniform(size=(9, B, 130)) if decayed else None
            given = {"x": x, "h0": h0, "lengths": lengths, "decay": decay, "replacement": other, "resets": resets * 1.0}
            output, final = recurrence.forward(weights, reverse=reverse, threads=threads, **given)
            true = equations.sequence(x, h0, weights, lengths, reverse, decay=decay, replacement=other, resets=resets)
            close(output, true.output, 1e-12, "output")
            close(final, true.final, 1e-12, "final")
    finally:
        native.choose_build(used)
