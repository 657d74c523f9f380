"""The quick network gives the plain one's numbers; its 8-bit output comes close."""

from __future__ import annotations

import pytest
import torch

from gruworks.tasks.translate.quick import QuickNet
from tests import tolerances
from tests.tasks.translate.test_model import LENGTHS, SOURCE, net


@pytest.mark.parametrize("reset", ["after", "before"])
@torch.no_grad()
def test_it_gives_the_plain_networks_numbers(reset: str) -> None:
    plain = net(reset=reset)
    quick = QuickNet(plain, eight_bits=False)
    memory, own = plain.encode(SOURCE, LENGTHS), quick.encode(SOURCE, LENGTHS)
    state = {name: value.repeat_interleave(2, 0) for name, value in plain.start(memory).items()}
    mine = dict(state)
    for t in range(3):
        tokens = torch.tensor([4, 5, 6, 7]) + t
        features, state = plain.step(tokens, state, memory)
        found, mine = quick.step(tokens, mine, own)
        assert torch.allclose(found, features, atol=tolerances.FLOAT32_OUTPUT)
        assert torch.equal(quick.scores(found), plain.scores(found))


@torch.no_grad()
def test_eight_bits_come_close() -> None:
    if "onednn" not in torch.backends.quantized.supported_engines:
        pytest.skip("torch has no 8-bit kernels here")
    plain = net(embedding_size=64)
    quick = QuickNet(plain)
    features = torch.randn(100, 64).tanh()
    exact, found = plain.scores(features), quick.scores(features)
    assert 0 < float((found - exact).std()) < 0.02 * float(exact.std())
