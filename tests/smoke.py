"""Check of a wheel by `make wheels`: without torch, then with it; streams, the layer, the command line."""

import importlib.util
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy

import gruworks
from gruworks.ops.backend import backend

assert "src" not in Path(gruworks.__file__).parts, f"not the wheel: {gruworks.__file__}"
assert backend().instruction_sets, backend().reason
state = gruworks.GRUStream(gruworks.GRUWeights.random(3, 4)).step(numpy.ones(3))
assert numpy.isfinite(state).all()
command = Path(sysconfig.get_path("scripts")) / "gruworks"
if not importlib.util.find_spec("torch"):
    refused = subprocess.run([command, "--help"], capture_output=True, text=True)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1), refused.stderr
    assert "gruworks[cli]" in refused.stderr
    print("the wheel works without torch on Python", sys.version.split()[0])
    sys.exit()

import torch  # noqa: E402 - only where it is installed

gru = gruworks.GRU(3, 4, reset="before")
output, final = gru(torch.randn(5, 2, 3), lengths=[5, 2])
output.sum().backward()
assert output.shape == (5, 2, 4), output.shape
assert torch.isfinite(gru.weight_hh_l0.grad).all()
assert "forecast" in subprocess.run([command, "--help"], capture_output=True, text=True, check=True).stdout
print("the wheel works on Python", sys.version.split()[0])
