"""Committed stub of the native module against the generated one."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

import gruworks.ops
from gruworks.ops.backend import backend


@pytest.mark.skipif(not backend().instruction_sets, reason="the native module is not built")
def test_the_committed_stub_is_the_generated_one() -> None:
    built = Path(str(importlib.import_module("gruworks.ops._native").__file__)).parent / "_native.pyi"
    committed = Path(str(gruworks.ops.__file__)).parent / "_native.pyi"
    if built == committed:
        pytest.skip("installed as a wheel: the two are one file")
    assert committed.read_text(encoding="utf-8") == built.read_text(encoding="utf-8"), f"copy {built} to {committed}"
