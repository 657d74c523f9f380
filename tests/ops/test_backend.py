"""Choice of the backend and its reason, also without the native module."""

from __future__ import annotations

import importlib
import platform
from typing import Any

import pytest

from gruworks.ops import backend as backend_module


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="flags of an x86 processor")
def test_the_native_module_reports_the_processor() -> None:
    native = pytest.importorskip("gruworks.ops._native", reason="installed without the native module")
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        flags = next((line.split() for line in lines if line.startswith("flags")), [])
    found = native.instruction_sets()
    for ours, theirs in {"avx2": "avx2", "fma": "fma", "avx512f": "avx512f", "sse4.2": "sse4_2"}.items():
        assert (ours in found) == (theirs in flags), ours


def test_a_missing_native_module_is_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.import_module

    def without_native(name: str, *rest: Any) -> Any:
        if name.endswith("_native"):
            raise ImportError("No module named 'gruworks.ops._native'")
        return real(name, *rest)

    monkeypatch.setattr(backend_module.importlib, "import_module", without_native)
    found = backend_module.backend.__wrapped__()
    assert found.name == "torch"
    assert "not built" in found.reason
    assert "compiler" in found.reason
    assert found.instruction_sets == ()
