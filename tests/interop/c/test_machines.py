"""Cortex-M in QEMU and WebAssembly in Node; `make edge-arm` and `make edge-wasm` run these, nothing else does."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from gruworks.interop.c import export
from tests.interop.c.machines import ARM, HOST, WASM
from tests.interop.c.models import MODELS, model

WANTED = os.environ.get("GRUWORKS_MACHINES", "").split()
MACHINES = [*(ARM if "arm" in WANTED else []), *(WASM if "wasm" in WANTED else [])]

if not MACHINES:
    pytest.skip("make edge-arm and make edge-wasm run these", allow_module_level=True)


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: f"{machine.name} {machine.flags}")
def test_int8_has_the_hosts_bits_and_float32_is_near(machine: Any, tmp_path: Path) -> None:
    assert machine.present, f"{machine.compiler} or {machine.runner} is not installed"
    for name in MODELS:
        export(model(name), tmp_path, name, precision="int8", check=False)
        assert machine.run(tmp_path, name, tmp_path) == HOST[0].run(tmp_path, name, tmp_path)
        export(model(name), tmp_path, f"{name}_plain", check=False)
        found = machine.run(tmp_path, f"{name}_plain", tmp_path)
        assert found.largest <= 1e-6 * found.range
