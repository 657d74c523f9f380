"""torchrl's GRUModule with our layer inside: the same numbers as over torch's, and as ours with resets."""

from __future__ import annotations

import pytest
import torch

from gruworks import GRU
from tests.tolerances import FLOAT32_OUTPUT

modules = pytest.importorskip("torchrl.modules")
tensordict = pytest.importorskip("tensordict")


def test_our_layer_computes_a_rollout() -> None:
    torch.manual_seed(0)
    gru, theirs = GRU(3, 5, batch_first=True), torch.nn.GRU(3, 5, batch_first=True)
    theirs.load_state_dict(gru.state_dict())
    x, resets = torch.randn(4, 9, 3), torch.rand(4, 9) < 0.3
    resets[:, 0] = True
    found = []
    for layer in (gru, theirs):
        module = modules.GRUModule(gru=layer, in_keys=["x", "h"], out_keys=["y", ("next", "h")])
        data = tensordict.TensorDict({"x": x, "h": torch.zeros(4, 9, 1, 5), "is_init": resets[..., None]}, [4, 9])
        with modules.set_recurrent_mode(True):
            found.append(module(data)["y"])
    torch.testing.assert_close(found[0], found[1], rtol=0, atol=FLOAT32_OUTPUT)
    torch.testing.assert_close(found[0], gru(x, resets=resets)[0], rtol=0, atol=FLOAT32_OUTPUT)
