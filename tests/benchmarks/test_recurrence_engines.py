"""The benchmark's own way into the kernel computes what the public one does."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy
import pytest

from gruworks.ops import recurrence
from gruworks.ops.backend import backend
from gruworks.ops.weights import GRUWeights

if backend().name == "torch":
    pytest.skip(backend().reason, allow_module_level=True)

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def engines() -> Any:
    spec = importlib.util.spec_from_file_location("recurrence_engines", BENCHMARKS / "recurrence_engines.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(BENCHMARKS))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(BENCHMARKS))
    return module


@pytest.mark.parametrize("reset", ["after", "before"])
def test_the_kernel_alone_gives_what_the_public_call_gives(engines: Any, reset: str) -> None:
    shape = T, B, I, H = 7, 3, 5, 20  # noqa: E741
    weights = GRUWeights.random(I, H, reset).astype(numpy.float32)
    x = numpy.random.default_rng(0).standard_normal((T, B, I)).astype(numpy.float32)
    expected = recurrence.forward(weights, x=x)[0]
    output = engines.kernel(shape, reset, False, 1)()[1]
    numpy.testing.assert_allclose(output, expected, atol=1e-6)
    found, output, _, _, kept = engines.kernel(shape, reset, True, 1)()
    moved = GRUWeights(*kept.operands[3:7], reset=reset)  # as the step changed them
    true = recurrence.backward(recurrence.forward_kept(moved, x=x)[2], numpy.ones_like(output))
    for name in ("x", "h0", "w_ih", "w_hh", "b_ih", "b_hh"):
        numpy.testing.assert_allclose(getattr(found, name), getattr(true, name), atol=1e-4, err_msg=name)
