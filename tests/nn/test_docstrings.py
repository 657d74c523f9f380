"""Examples in the docstrings of every nn module."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

from gruworks import nn

MODULES = [module.name for module in pkgutil.walk_packages(nn.__path__, "gruworks.nn.") if not module.ispkg]


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples_give_what_they_show(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
