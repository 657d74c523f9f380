"""Examples in the docstrings of ops."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

from gruworks import ops
from gruworks.ops.backend import backend

MODULES = [one.name for one in pkgutil.walk_packages(ops.__path__, "gruworks.ops.") if "_native" not in one.name]


@pytest.mark.skipif(backend().name == "torch", reason=backend().reason)
@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str) -> None:
    if name == "gruworks.ops.exact":
        pytest.importorskip("torch")
    assert doctest.testmod(importlib.import_module(name)).failed == 0
