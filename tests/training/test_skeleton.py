"""Networks without their first weights."""

from __future__ import annotations

import subprocess
import sys

import torch

from gruworks import GRU
from gruworks.training.skeleton import planned, uninitialised


def test_a_planned_network_has_shapes_and_no_memory() -> None:
    with planned():
        large = torch.nn.ModuleList(GRU(4096, 4096, 16) for _ in range(100))
    assert {parameter.device.type for parameter in large.parameters()} == {"meta"}
    assert large[0].weight_hh_l15.shape == (3 * 4096, 4096)


def test_nothing_is_drawn_for_weights_that_a_file_will_give() -> None:
    before = torch.get_rng_state()
    with uninitialised():
        torch.nn.init.normal_(GRU(3, 4).weight_ih_l0)
    assert torch.equal(torch.get_rng_state(), before)


def test_planning_loads_no_compiler() -> None:
    code = (
        "import sys, torch; from gruworks.training.skeleton import planned\n"
        "with planned(): torch.nn.Embedding(5, 3)\n"
        "print('torch._dynamo' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
