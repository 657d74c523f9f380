"""Streaming: equal to the whole sequence, without allocations, without torch."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import numpy
import pytest

from gruworks.errors import DtypeError, ShapeError
from gruworks.ops import equations
from gruworks.ops.backend import backend
from gruworks.ops.stream import GRUStream
from gruworks.ops.weights import GRUWeights
from tests import tolerances

if backend().name == "torch":
    pytest.skip(backend().reason, allow_module_level=True)


@pytest.mark.parametrize("dtype", [numpy.float32, numpy.float64])
@pytest.mark.parametrize("reset", ["after", "before"])
@pytest.mark.parametrize(("sessions", "I", "H"), [(1, 1, 64), (3, 5, 17), (40, 3, 100), (300, 4, 64), (1, 250, 256)])
def test_steps_equal_the_sequence(sessions: int, I: int, H: int, reset: str, dtype: Any) -> None:  # noqa: E741
    weights = GRUWeights.random(I, H, reset).astype(dtype)
    stream = GRUStream(weights, sessions, threads=2)
    x = numpy.random.default_rng(0).standard_normal((12, sessions, I)).astype(dtype)
    found = numpy.stack([stream.step(step).copy() for step in x])
    zeros = numpy.zeros((sessions, H))
    true = equations.sequence(x.astype(numpy.float64), zeros, weights.astype(numpy.float64)).output
    limit = tolerances.FLOAT32_OUTPUT if dtype == numpy.float32 else tolerances.FLOAT64
    assert numpy.abs(found - true).max() < limit


def test_state_is_a_value_that_can_be_saved_and_set() -> None:
    stream = GRUStream(GRUWeights.random(2, 8), sessions=3)
    x = numpy.ones((3, 2))
    stream.step(x)
    saved = stream.state
    after = stream.step(x).copy()
    stream.state = saved
    assert (stream.step(x) == after).all()
    stream.reset(1)
    assert (stream.state[1] == 0).all()
    assert (stream.state[0] != 0).all()
    stream.reset()
    assert (stream.state == 0).all()


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("reset", ["after", "before"])
def test_odd_and_even_steps_give_the_same_bits(reset: str, threads: int) -> None:
    """The kernel reads its weights in alternating directions; 256 by 256 is divided among two threads."""
    weights = GRUWeights.random(256, 256, reset).astype(numpy.float32)
    one, other = GRUStream(weights, threads=threads), GRUStream(weights, threads=threads)
    x = numpy.random.default_rng(0).standard_normal((3, 256)).astype(numpy.float32)
    other.step(x[0])
    other.reset()
    for step in x:
        assert (one.step(step) == other.step(step)).all()


def test_a_stream_keeps_its_own_weights() -> None:
    weights = GRUWeights.random(2, 8)
    stream, same = GRUStream(weights), GRUStream(weights)
    before = stream.step(numpy.ones(2)).copy()
    weights.w_hh[...] = 7
    weights.w_ih[...] = 7
    assert (same.step(numpy.ones(2)) == before).all()


def test_nothing_is_allocated_per_step() -> None:
    stream = GRUStream(GRUWeights.random(2, 64).astype(numpy.float32), sessions=4)
    x = numpy.ones((4, 2), numpy.float32)
    for _ in range(10):
        stream.step(x)
    tracemalloc.start()
    for _ in range(1000):
        stream.step(x)
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown < 2000


def test_mismatched_arguments_are_named() -> None:
    stream = GRUStream(GRUWeights.random(2, 8), sessions=3)
    with pytest.raises(ShapeError, match=r"x must be \[3, 2\], not \[2, 3\]"):
        stream.step(numpy.ones((2, 3)))
    with pytest.raises(DtypeError, match="float64, not float32"):
        stream.step(numpy.ones((3, 2), numpy.float32))
    with pytest.raises(ShapeError, match="state"):
        stream.state = numpy.ones((3, 7))
    with pytest.raises(ShapeError, match="at least one"):
        GRUStream(GRUWeights.random(2, 8), sessions=0)
    assert stream.step(numpy.ones((2, 3)).T).shape == (3, 8)  # another layout is brought into the right one


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_a_tensor_without_memory_is_refused(precision: Any) -> None:
    torch = pytest.importorskip("torch")
    stream = GRUStream(GRUWeights.random(3, 4).astype(numpy.float32), precision=precision)
    x = torch.randn(1, 3)
    x.untyped_storage().resize_(0)
    with pytest.raises(DtypeError, match="x is a tensor without memory"):
        stream.step(x)


def test_no_torch_in_the_process() -> None:
    script = "import sys; from gruworks.ops.stream import GRUStream; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout.strip() == "False"


def test_the_package_exports_it_without_torch() -> None:
    script = "import sys, gruworks.ops; gruworks.ops.GRUStream(gruworks.ops.GRUWeights.random(2, 3)); "
    script += "print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout.strip() == "False"


def test_a_saved_state_goes_on_in_another_process(tmp_path: Path) -> None:
    """Weights and state are saved as arrays; the other process has no torch."""
    weights = GRUWeights.random(2, 8).astype(numpy.float32)
    stream = GRUStream(weights, sessions=3)
    x = numpy.random.default_rng(0).standard_normal((2, 3, 2)).astype(numpy.float32)
    stream.step(x[0])
    numpy.savez(tmp_path / "state.npz", **dict(zip("abcd", weights.arrays(), strict=True)), h=stream.state, x=x[1])
    script = "import sys, numpy; from gruworks.ops import GRUStream, GRUWeights; v = numpy.load(sys.argv[1]); "
    script += "s = GRUStream(GRUWeights(*(v[k] for k in 'abcd')), 3); s.state = v['h']; s.step(v['x']); "
    script += "numpy.save(sys.argv[2], s.state); print('torch' in sys.modules)"
    paths = [str(tmp_path / "state.npz"), str(tmp_path / "next.npy")]
    done = subprocess.run([sys.executable, "-c", script, *paths], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
    assert (numpy.load(paths[1]) == stream.step(x[1])).all()


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_sessions_begin_anew_at_resets(precision: Any) -> None:
    weights = GRUWeights.random(3, 5).astype(numpy.float32)
    stream, other = (GRUStream(weights, 4, precision=precision) for _ in range(2))
    x = numpy.random.default_rng(0).standard_normal((2, 4, 3)).astype(numpy.float32)
    stream.step(x[0]), other.step(x[0])
    other.reset(numpy.array([0, 2]))
    assert numpy.array_equal(stream.step(x[1], numpy.array([1.0, 0, 1, 0])), other.step(x[1]))
    kept = stream.state
    with pytest.raises(ShapeError, match=r"resets must be one a session, \[4\], not \[3\]"):
        stream.step(x[1], numpy.ones(3, bool))
    with pytest.raises(ShapeError, match="x must be"):
        stream.step(x[1, :2], numpy.ones(4, bool))
    assert numpy.array_equal(stream.state, kept)
