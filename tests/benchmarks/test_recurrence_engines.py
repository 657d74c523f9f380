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
from gruworks.ops.recurrence import Operands
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
    expected = recurrence.forward(Operands(weights, x=x))[0]
    output = engines.kernel(shape, reset, False, 1)()[1]
    numpy.testing.assert_allclose(output, expected, atol=1e-6)
    grads, output, _, _, grad_x, operands = engines.kernel(shape, reset, True, 1)()
    kept = recurrence.forward_kept(operands)[2]
    true = recurrence.backward(kept, numpy.ones_like(output))
    numpy.testing.assert_allclose(grad_x, true.x, atol=1e-5)
    for found, name in zip(grads, ("h0", "w_ih", "w_hh", "b_ih", "b_hh"), strict=True):
        numpy.testing.assert_allclose(found, getattr(true, name), atol=1e-4, err_msg=name)
