"""Silence and steady noise are told from speech."""

from __future__ import annotations

import numpy
import pytest

from gruworks.tasks.transcribe.features import filter_bank
from gruworks.tasks.transcribe.stationary import is_stationary
from tests.tasks.transcribe.conftest import RATE, say

ONE = numpy.ones(40, numpy.float32)


@pytest.mark.parametrize("seconds", [0.3, 0.5, 3.0, 20.0])
@pytest.mark.parametrize("level", [0.0, 1e-4, 1e-2, 0.3])
def test_noise_is_stationary_at_every_length_and_level(seconds: float, level: float) -> None:
    for seed in range(5):
        noise = numpy.random.default_rng(seed).normal(0, level, int(seconds * RATE)).astype(numpy.float32)
        assert is_stationary(filter_bank(noise, RATE, 40), ONE)


def test_a_word_is_not_stationary_even_in_a_long_noise() -> None:
    noise = numpy.random.default_rng(0).normal(0, 1e-3, 30 * RATE).astype(numpy.float32)
    word = say("cad", 1)
    assert not is_stationary(filter_bank(word, RATE, 40), ONE)
    noise[17 * RATE : 17 * RATE + len(word)] += word
    assert not is_stationary(filter_bank(noise, RATE, 40), ONE)
    assert is_stationary(numpy.zeros((2, 40), numpy.float32), ONE)
