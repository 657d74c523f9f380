"""An environment without torch: streams, weights, NumPy operations and files work; the rest names what to install."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy
import pytest
import torch
from safetensors.numpy import save_file

from gruworks import GRU, GRUStream
from gruworks.interop import save_gru
from gruworks.interop.torch import from_module

BLOCKED = """
from importlib.machinery import PathFinder
found = PathFinder.find_spec
missing = {"torch", "lightning", "typer", "rich", "pandas", "narwhals"}
PathFinder.find_spec = lambda name, *rest: None if name.split(".")[0] in missing else found(name, *rest)
"""


def run(code: str, status: int = 0) -> str:
    done = subprocess.run([sys.executable, "-c", BLOCKED + code], capture_output=True, text=True, timeout=120)
    assert done.returncode == status, done.stderr
    return done.stdout if status == 0 else done.stderr


def test_a_stream_takes_the_steps_that_it_takes_beside_torch(tmp_path: Path) -> None:
    gru = GRU(3, 4)
    save_gru(gru, tmp_path / "gru.safetensors")
    code = f"""
import numpy, gruworks
from gruworks.interop import find
(stack,) = find({str(tmp_path / "gru.safetensors")!r})
stream = gruworks.GRUStream(stack.weights[0][0])
for t in range(5):
    h = stream.step(numpy.full(3, t, numpy.float32))
print(*map(float, h[0]))
"""
    stream = GRUStream(from_module(gru).weights[0][0])
    for t in range(5):
        h = stream.step(numpy.full(3, t, numpy.float32))
    assert [float(number) for number in run(code).split()] == h[0].tolist()


@pytest.mark.parametrize("name", ["gru.keras", "gru.weights.h5", "gru.onnx", "gru.safetensors"])
def test_files_are_read_and_computed(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    gru = GRU(3, 4, reset="before")
    save_gru(gru, path)
    code = f"""
import numpy
from gruworks.interop import find
from gruworks.ops import equations, recurrence
(stack,) = find({str(path)!r})
weights, x = stack.weights[0][0], numpy.ones((5, 2, 3), numpy.float32)
output, final = recurrence.forward(weights, x=x)
print(weights.reset, numpy.allclose(output[-1], final), output.shape, float(numpy.abs(output).sum()))
"""
    reset, same, *_, total = run(code).split()
    assert (reset, same) == ("before", "True")
    assert float(total) == pytest.approx(float(gru(torch.ones(5, 2, 3))[0].detach().abs().sum()), rel=1e-5)


def test_float16_is_read_as_float32_and_other_types_name_what_is_needed(tmp_path: Path) -> None:
    halves = {name: value.numpy().astype(numpy.float16) for name, value in torch.nn.GRU(3, 4).state_dict().items()}
    save_file(halves, tmp_path / "half.safetensors")
    code = f"from gruworks.interop import find\nprint(find({str(tmp_path / 'half.safetensors')!r})[0].dtype)"
    assert run(code).strip() == "float32"
    (tmp_path / "bad.safetensors").write_bytes(b"nothing")
    code = f"""
from gruworks.errors import WeightsError
from gruworks.interop import find
try:
    find({str(tmp_path / "bad.safetensors")!r})
except WeightsError as error:
    print(error)
"""
    assert "gruworks[torch]" in run(code)


@pytest.mark.parametrize(
    ("code", "needed"),
    [
        ("from gruworks import GRU", "pip install 'gruworks[torch]'"),
        ("from gruworks import replace", "pip install 'gruworks[torch]'"),
        ("from gruworks import Forecaster", "pip install 'gruworks[forecast]'"),
        ("import gruworks.__main__; gruworks.__main__.run()", "pip install 'gruworks[cli]'"),
    ],
)
def test_the_rest_names_what_to_install(code: str, needed: str) -> None:
    first = "import sys; sys.tracebacklimit = 0\n"
    status = 2 if "__main__" in code else 1
    assert run(first + code, status).strip().endswith(needed)
