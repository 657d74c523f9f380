"""What `make wheel` runs in an empty environment: the layer trains, the numbers are right, the command line answers."""

import subprocess
import sys
import sysconfig
from pathlib import Path

import torch

import gruworks
from gruworks.ops.backend import backend

gru = gruworks.GRU(3, 4, reset="before")
output, final = gru(torch.randn(5, 2, 3), lengths=[5, 2])
output.sum().backward()
assert output.shape == (5, 2, 4), output.shape
assert torch.isfinite(gru.weight_hh_l0.grad).all()
assert "src" not in Path(gruworks.__file__).parts, f"not the wheel: {gruworks.__file__}"
assert backend().instruction_sets, backend().reason
command = Path(sysconfig.get_path("scripts")) / "gruworks"
assert "forecast" in subprocess.run([command, "--help"], capture_output=True, text=True, check=True).stdout
print("the wheel works on Python", sys.version.split()[0])
