"""Stepping in NumPy against the network in torch, and its draws against nn.sampling's."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
import torch

from gruworks.nn.decoding.sampling import Sampling, shaped
from gruworks.ops.quantised import Precision
from gruworks.ops.weights import Reset
from gruworks.tasks.generate import stepping
from gruworks.tasks.generate.model import LanguageNet
from gruworks.tasks.generate.stepping import Stepper, draw, weigh
from tests.tolerances import FLOAT32_DEEP, NARROW_SCORES


def network(reset: Reset = "after", layers: int = 3) -> LanguageNet:
    torch.manual_seed(0)
    net = LanguageNet(13, 20, layers, reset=reset).eval()
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return net


@torch.no_grad()
@pytest.mark.parametrize("table", [True, False])
@pytest.mark.parametrize("reset", ["after", "before"])
@pytest.mark.parametrize("layers", [1, 3])
def test_scores_are_the_network_s(layers: int, reset: Reset, table: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not table:
        monkeypatch.setattr(stepping, "LARGEST_TABLE", 0)
    net, read = network(reset, layers), torch.randint(0, 13, (9, 1))
    _, state = net(read[:3])
    expected = net.scores(net(read)[0])[3:, 0]
    stepper = Stepper(net, state, banned=[2])
    found = numpy.stack([stepper.scores(int(symbol)).copy() for symbol in read[3:, 0]])
    assert (found[:, 2] == -numpy.inf).all()
    found[:, 2] = expected[:, 2]
    torch.testing.assert_close(torch.from_numpy(found), expected, rtol=0, atol=10 * FLOAT32_DEEP)


@torch.no_grad()
@pytest.mark.parametrize("table", [True, False])
@pytest.mark.parametrize("precision", ["bfloat16", "int8"])
@pytest.mark.parametrize("reset", ["after", "before"])
def test_narrow_scores_are_near(
    reset: Reset, precision: Precision, table: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not table:
        monkeypatch.setattr(stepping, "LARGEST_TABLE", 0)
    torch.manual_seed(0)
    net = LanguageNet(13, 20, 2, reset=reset).eval()
    torch.nn.init.normal_(net.embedding.weight, std=0.3)
    read = torch.randint(0, 13, (9, 1))
    _, state = net(read[:3])
    expected = net.scores(net(read)[0])[3:, 0].numpy()
    stepper = Stepper(net, state, precision=precision)
    found = numpy.stack([stepper.scores(int(symbol)).copy() for symbol in read[3:, 0]])
    assert 0 < numpy.abs(found - expected).max() < NARROW_SCORES


def test_it_serves_gru_blocks_alone() -> None:
    assert Stepper.serves(network())
    assert not Stepper.serves(network().double())  # its buffers are float32
    assert not Stepper.serves(LanguageNet(13, 8, between="convolution"))


@pytest.mark.parametrize(
    "how",
    [{}, {"temperature": 0.7}, {"top_k": 3}, {"top_p": 0.8}, {"min_p": 0.1}, {"repetition_penalty": 1.5},
     {"temperature": 1.5, "top_k": 6, "top_p": 0.9, "min_p": 0.05, "repetition_penalty": 2.0}],
)  # fmt: skip
def test_weights_are_those_of_torch_s_sampler(how: dict[str, Any]) -> None:
    rng = numpy.random.default_rng(0)
    for _ in range(20):
        scores, written = rng.normal(0, 2, 11).astype(numpy.float32), rng.integers(0, 11, 5)
        expected = shaped(
            torch.from_numpy(scores)[None].log_softmax(1), Sampling(**how), torch.from_numpy(written)[None]
        )
        weights = weigh(scores.copy(), Sampling(**how), written.tolist())
        assert weights / weights.sum() == pytest.approx(expected.softmax(1)[0].numpy(), abs=1e-5)


def test_draws_follow_the_distribution_and_the_seed() -> None:
    net = network()
    logits = net.scores(net(torch.tensor([[1]]))[0])[0, 0]
    expected = logits.softmax(0).detach().numpy()
    firsts = [next(draw(Stepper(net, net.empty(1)), 1, Sampling(), seed, None)) for seed in range(2000)]
    found = numpy.bincount(firsts, minlength=13) / len(firsts)
    assert numpy.abs(found - expected).max() < 0.04
    assert firsts[0] == next(draw(Stepper(net, net.empty(1)), 1, Sampling(), 0, None))
    greedy = next(draw(Stepper(net, net.empty(1)), 1, Sampling(temperature=0.0), 0, None))
    assert greedy == int(logits.argmax())


def test_it_ends_with_the_end_symbol() -> None:
    net = network()
    with torch.no_grad():
        net.bias[5] = 100.0
    assert list(draw(Stepper(net, net.empty(1)), 5, Sampling(), 0, end=5)) == [5]
