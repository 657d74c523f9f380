"""Fixtures for all tests."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from gruworks.ops.backend import backend, native

# What runs in a shell's background ignores Ctrl-C, and so would the programs that tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("gruworks", deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("gruworks")


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that a developer set in the shell reaches the test."""
    for name in [name for name in os.environ if re.match("GRUWORKS_", name)]:
        monkeypatch.delenv(name)


@pytest.fixture(params=native.builds() if backend().name != "torch" else [])
def build(request: pytest.FixtureRequest) -> Iterator[str]:
    """Each build of the native kernel that this processor runs, chosen for one test."""
    assert native.choose_build(request.param)
    yield request.param
    native.choose_build(backend().name)
