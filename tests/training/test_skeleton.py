"""Networks without their first weights."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy
import pytest
import torch

from gruworks import GRU
from gruworks.errors import WeightsError
from gruworks.training.skeleton import check_weights, planned, uninitialised


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


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"weight": numpy.zeros((2, 3))}, "missing: bias"),
        ({"weight": numpy.zeros((2, 3)), "bias": numpy.zeros(2), "x": numpy.zeros(1)}, "not in the network: x"),
        (
            {"weight": numpy.zeros((2, 3)), "bias": numpy.zeros(2, int)},
            "bias is int64, and the network has torch.float32",
        ),
        ({"weight": numpy.zeros((2, 3), complex), "bias": numpy.zeros(2)}, "weight is complex128"),
        ({"weight": numpy.zeros((3, 2)), "bias": numpy.zeros(2)}, r"weight is \[3, 2\], and the network has \[2, 3\]"),
    ],
)
def test_weights_of_another_network_are_refused(weights: dict[str, Any], message: str) -> None:
    with planned():
        network = torch.nn.Linear(3, 2)
    with pytest.raises(WeightsError, match=message):
        check_weights(weights, network)
