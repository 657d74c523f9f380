"""bfloat16 and float16 on the CPU: computed in float32 by the native kernel, rounded once a layer."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn.utils.rnn import pack_sequence

from gruworks import GRU
from gruworks.nn.functional import gru_layer
from gruworks.ops.backend import backend

if backend().name == "torch":
    pytest.skip(backend().reason, allow_module_level=True)

FORMS: list[Any] = [
    {}, {"reset": "before"}, {"layer_norm": True}, {"bidirectional": True},
    {"candidate_activation": "softsign", "gate_activation": "hard_sigmoid"}, {"learn_initial_state": True},
]  # fmt: skip


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("form", FORMS)
def test_results_and_gradients_are_float32s_rounded(form: Any, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    half = GRU(5, 7, **form).to(dtype)
    wide = GRU(5, 7, **form)
    wide.load_state_dict({name: t.float() if t.is_floating_point() else t for name, t in half.state_dict().items()})
    x = torch.randn(9, 3, 5).to(dtype)
    outcomes = []
    for gru, given in ((half, x.clone()), (wide, x.float())):
        torch.manual_seed(1)
        given.requires_grad_()
        output, h_n = gru(given)
        (output.float().sum() + h_n.float().sum()).backward()
        outcomes.append([output, h_n, given.grad, *(p.grad for p in gru.parameters())])
    for found, true in zip(*outcomes, strict=True):
        assert found.dtype == dtype
        torch.testing.assert_close(found, true.to(dtype), rtol=0.02, atol=2e-3)  # gradients arrive rounded


def test_sums_are_not_rounded_at_each_step() -> None:
    torch.manual_seed(0)
    gru, x = torch.nn.GRU(64, 64), torch.randn(200, 4, 64)
    true = gru(x)[0]
    ours = GRU(64, 64)
    ours.load_state_dict(gru.state_dict())
    errors = [(layer.bfloat16()(x.bfloat16())[0].float() - true).square().mean().sqrt().item() for layer in (ours, gru)]
    assert errors[0] < errors[1] / 1.2


def test_lengths_packed_rows_and_the_function() -> None:
    gru, x = GRU(5, 7).bfloat16(), torch.randn(9, 3, 5).bfloat16()
    output, _ = gru(x, lengths=[9, 2, 4])
    assert not output[2:, 1].any()
    packed, _ = gru(pack_sequence([x[:9, 0], x[:4, 2]]))
    assert packed.data.dtype == torch.bfloat16
    assert torch.equal(gru_layer(x, None, gru.weights(), [9, 2, 4])[0], output)


def test_resets_begin_anew() -> None:
    gru, x, start = GRU(5, 7).bfloat16(), torch.randn(9, 3, 5).bfloat16(), torch.randn(1, 3, 7).bfloat16()
    resets = torch.zeros(9, 3)
    resets[4] = 1
    found = gru(x, resets=resets, reset_state=start)[0]
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found, torch.cat([gru(x[:4])[0], gru(x[4:], start)[0]]))
