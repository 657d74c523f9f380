"""The network: tied scores, losses as the scores say, streaming as the whole."""

from __future__ import annotations

import pytest
import torch

from gruworks.tasks.generate.model import Between, LanguageNet
from tests.tolerances import FLOAT32_DEEP

KINDS: list[Between] = ["none", "convolution", "attention"]


@torch.no_grad()
@pytest.mark.parametrize("between", KINDS)
def test_streaming_is_the_whole_text(between: Between) -> None:
    torch.manual_seed(0)
    net = LanguageNet(
        11, 8, 3, between=between, window=4, heads=2, dropout=0.5, input_dropout=0.5, output_dropout=0.5
    ).eval()
    tokens = torch.randint(0, 11, (21, 2))
    whole, last = net(tokens)
    state, parts = net.empty(2), []
    for one in torch.split(tokens, 1):
        features, state = net(one, state)
        parts.append(features)
    torch.testing.assert_close(torch.cat(parts), whole, rtol=0, atol=FLOAT32_DEEP)
    torch.testing.assert_close(state, last, rtol=0, atol=FLOAT32_DEEP)


@torch.no_grad()
def test_losses_are_those_of_the_scores() -> None:
    torch.manual_seed(0)
    net = LanguageNet(11, 8)
    tokens = torch.randint(0, 11, (5, 2))
    features, _ = net(tokens)
    expected = torch.nn.functional.cross_entropy(net.scores(features).flatten(0, 1), tokens.flatten(), reduction="none")
    torch.testing.assert_close(net.losses(features, tokens).flatten(), expected)


def test_the_output_is_the_embedding() -> None:
    net = LanguageNet(11, 8, 1)
    sizes = {name: value.shape for name, value in net.named_parameters() if 11 in value.shape}
    assert sizes == {"embedding.weight": (11, 8), "bias": (11,)}
