"""torch.export.load finds the operator once torch and gruworks are imported, in either order."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

import gruworks

LOADING = """
import sys
x, expected = torch.load(sys.argv[2])
torch.testing.assert_close(torch.export.load(sys.argv[1]).module()(x)[0], expected)
assert type(torch.ops.gruworks) is torch._ops._OpNamespace
"""
ORDERS = {
    "torch first": "import torch, gruworks",
    "torch second": "import gruworks, sys; assert 'torch' not in sys.modules; import torch",
    "torch looked for": "import gruworks, importlib.util; importlib.util.find_spec('torch'); import torch",
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("saved")
    gru, x = gruworks.replace(torch.nn.GRU(3, 4)).model, torch.randn(5, 2, 3)
    with torch.no_grad():
        torch.export.save(torch.export.export(gru, (x,)), folder / "gru.pt2")
        torch.save((x, gru(x)[0]), folder / "x.pt")
    return [folder / "gru.pt2", folder / "x.pt"]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("order", ORDERS)
def test_a_saved_program_loads(order: str, saved: list[Path]) -> None:
    done = subprocess.run([sys.executable, "-c", ORDERS[order] + LOADING, *saved], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_an_operator_that_is_not_there_is_said_so() -> None:
    code = "import torch, gruworks; print([hasattr(torch.ops.gruworks, name) for name in ('nothing', 'log_scan')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[False, True]"
