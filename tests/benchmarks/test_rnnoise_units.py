"""RNNoise 0.1's units, whose candidates are ReLUs: the kernel computes what a loop over the equations gives."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

import numpy
import pytest

from gruworks.ops import GRUStream, equations
from tests.tolerances import FLOAT64

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def rnnoise(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("rnnoise_units")


def test_a_units_states_are_the_references(rnnoise: Any) -> None:
    draw = numpy.random.default_rng(0).uniform
    unit = rnnoise.Layer(draw(-1, 1, (3, 12)), draw(-1, 1, (4, 12)), draw(-1, 1, 12), 2)
    x = draw(-1, 1, (9, 3))
    weights = unit.weights().astype(numpy.float64)
    true = equations.sequence(x[:, None], numpy.zeros((1, 4)), weights)
    assert numpy.abs(unit.states(x) - true.output[:, 0]).max() < 1e-6  # the weights are rounded to float32
    assert weights.candidate_activation == "relu"


@pytest.mark.recipe
def test_the_published_network(rnnoise: Any) -> None:
    file = Path(os.environ.get("GRUWORKS_DATA", "")) / "clients/rnnoise01/weights.rnn"
    if not file.exists():
        pytest.skip(f"{file} is not there")
    layers = rnnoise.read(file)
    units = {name: one for name, one in layers.items() if len(one.recurrent)}
    found = {name: (len(unit.kernel), len(unit.recurrent), unit.activation) for name, unit in units.items()}
    assert found == {"vad_gru": (24, 24, 2), "noise_gru": (90, 48, 2), "denoise_gru": (114, 96, 2)}
    for unit in units.values():
        x = numpy.random.default_rng(0).uniform(-1, 1, (60, len(unit.kernel)))
        stream = GRUStream(unit.weights().astype(numpy.float64))  # int8 / 256 is exact in float32
        states = numpy.stack([stream.step(row)[0].copy() for row in x])
        assert numpy.abs(states - unit.states(x)).max() < 100 * FLOAT64

    def steps(unit: Any, x: Any) -> Any:
        stream = GRUStream(unit.weights())
        return numpy.stack([stream.step(row)[0].copy() for row in x.astype(numpy.float32)])

    features = numpy.random.default_rng(0).standard_normal((60, 42)).astype(numpy.float32).astype(numpy.float64)
    assert numpy.abs(rnnoise.outputs(layers, features, steps) - rnnoise.outputs(layers, features)).max() < 1e-6
