"""Cortex-M in QEMU and WebAssembly in Node; `make edge-arm` and `make edge-wasm` run these, nothing else does."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch

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


@pytest.mark.skipif("wasm" not in WANTED, reason="make edge-wasm runs this")
def test_an_npm_package_steps_saves_and_loads(tmp_path: Path) -> None:
    module = model("gru").eval()
    report = export(module, tmp_path, "gesture", check=False, wasm=True)
    assert {"gesture.wasm", "index.js", "index.d.ts", "package.json"} <= {file.name for file in report.files}
    script = tmp_path / "try.mjs"
    script.write_text(
        """\
import { load } from "./index.js";
const model = await load();
const row = [0.1, -0.2, 0.3];
model.step({ x: row });
const saved = model.save();
const then = model.step({ x: row }).gru_0;
model.reset();
model.load(saved);
let refused = "";
try { model.step({ x: [1] }); } catch (error) { refused = error.message; }
console.log(JSON.stringify({ then: [...then], again: [...model.step({ x: row }).gru_0], refused }));
"""
    )
    found = json.loads(subprocess.run(["node", script], capture_output=True, text=True, check=True).stdout)
    with torch.no_grad():
        states = module(torch.tensor([0.1, -0.2, 0.3]).expand(2, 1, 3))[0]
    numpy.testing.assert_allclose(found["then"], states[1, 0], atol=1e-6)
    assert found["again"] == found["then"]
    assert found["refused"] == "x: expected 3 numbers, got 1"
