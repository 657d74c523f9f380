"""The graph of a generator: its log-probabilities, whole and symbol by symbol."""

from __future__ import annotations

import json

import numpy
import pytest

from gruworks.ops.backend import backend
from tests import tolerances
from tests.exported import exported
from tests.tasks.generate.conftest import prose

if backend().name == "torch":
    pytest.skip(backend().reason, allow_module_level=True)

KINDS = ["generate", "generate-convolution", "generate-attention"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_hundred_texts_of_any_length(kind: str) -> None:
    one, rng, text = exported(kind), numpy.random.default_rng(0), prose()
    for _ in range(100):
        start, length = int(rng.integers(0, 400)), int(rng.integers(1, 70))
        written = text[start : start + length]
        read = numpy.concatenate([[one.says["first"]], one.estimator.codec.vocabulary.encode(written)])
        found = one.run("model", tokens=read[:-1, None], **one.state("model", 1))["log_probabilities"][:, 0]
        expected = one.estimator.score(written).log_probabilities
        assert numpy.abs(found[numpy.arange(length), read[1:]] - expected).max() < tolerances.EXPORTED


@pytest.mark.parametrize("kind", KINDS)
def test_stepped_it_is_the_whole(kind: str) -> None:
    one = exported(kind)
    tokens = numpy.random.default_rng(0).integers(4, len(one.says["symbols"]), (23, 3))
    state = one.state("model", 3)
    whole = one.run("model", tokens=tokens, **state)
    rows = []
    for row in tokens:
        answer = one.run("model", tokens=row[None], **state)
        rows.append(answer["log_probabilities"])
        state = one.carried("model", answer)
    assert numpy.abs(numpy.concatenate(rows) - whole["log_probabilities"]).max() < tolerances.EXPORTED
    for name, value in one.carried("model", whole).items():
        assert numpy.abs(value - state[name]).max() < tolerances.EXPORTED


def test_facts_are_the_vocabulary() -> None:
    one = exported("generate")
    codec, says = one.estimator.codec, one.says
    assert tuple(says["symbols"]) == codec.vocabulary.symbols
    assert says["banned"] == one.estimator.decoder().banned
    assert says["tokenizer"] is None
    assert json.dumps(says)
