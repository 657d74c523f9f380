"""Cho 2014: the formulas by hand, the initialisation, steps as the whole."""

from __future__ import annotations

import pytest
import torch

from gruworks.tasks.translate.cho2014 import Cho2014Net
from gruworks.tasks.translate.subwords import BEGIN, PAD
from tests import tolerances

SOURCE = torch.tensor([[4, 5, 6, 3], [7, 3, PAD, PAD]])
LENGTHS = torch.tensor([4, 2])
TARGET = torch.tensor([[BEGIN, 8, 9], [BEGIN, 11, 3]])


@pytest.fixture
def net() -> Cho2014Net:
    torch.manual_seed(0)
    made = Cho2014Net(12, 12, hidden_size=6, rank=4, maxout=5).eval()
    with torch.no_grad():  # weights of 0.01 and biases of zero would hide a wrong term
        for name, parameter in made.named_parameters():
            if "hh" not in name and "recurrent" not in name:
                parameter.normal_(std=0.5)
    return made


def by_hand(net: Cho2014Net, source: list[int], target: list[int]) -> torch.Tensor:
    """Features of one pair, from the formulas of the docstring, in the paper's convention."""
    p = dict(net.named_parameters())
    H, sigmoid, tanh = 6, torch.sigmoid, torch.tanh
    w, u = p["encoder.weight_ih_l0"], p["encoder.weight_hh_l0"]
    b = p["encoder.bias_ih_l0"] + p["encoder.bias_hh_l0"]
    r_, z_, n_ = slice(0, H), slice(H, 2 * H), slice(2 * H, 3 * H)
    h = torch.zeros(H)
    for word in source:
        e = p["source_embedding.weight"][word]
        r = sigmoid(w[r_] @ e + u[r_] @ h + b[r_])
        z = sigmoid(w[z_] @ e + u[z_] @ h + b[z_])
        n = tanh(w[n_] @ e + u[n_] @ (r * h) + b[n_])
        h = z * h + (1 - z) * n
    c = tanh(p["summary.weight"] @ h + p["summary.bias"])
    h = tanh(p["begin.weight"] @ c + p["begin.bias"])
    w, u, k, b = p["word.weight"], p["recurrent.weight"], p["context.weight"], p["word.bias"]
    features = []
    for word in target:
        e = torch.zeros(4) if word == BEGIN else p["target_embedding.weight"][word]
        r = sigmoid(w[r_] @ e + u[r_] @ h + k[r_] @ c + b[r_])
        z = sigmoid(w[z_] @ e + u[z_] @ h + k[z_] @ c + b[z_])
        n = tanh(w[n_] @ e + b[n_] + r * (u[n_] @ h + k[n_] @ c))
        h = z * h + (1 - z) * n
        pairs = p["deep.weight"] @ torch.cat([h, e, c]) + p["deep.bias"]
        features.append(p["narrow.weight"] @ torch.maximum(pairs[0::2], pairs[1::2]))
    return torch.stack(features)


def test_it_computes_the_papers_formulas(net: Cho2014Net) -> None:
    with torch.no_grad():
        features, weights = net.read(net.encode(SOURCE, LENGTHS), TARGET)
        assert weights is None
        for row, source in enumerate(([4, 5, 6, 3], [7, 3])):
            expected = by_hand(net, source, TARGET[row].tolist())
            assert torch.allclose(features[:, row], expected, atol=tolerances.FLOAT32_OUTPUT)


def test_steps_give_what_the_whole_gives(net: Cho2014Net) -> None:
    memory = net.encode(SOURCE, LENGTHS)
    whole, _ = net.read(memory, TARGET)
    state = {name: value.repeat_interleave(2, 0) for name, value in net.start(memory).items()}
    for t in range(TARGET.shape[1]):
        features, state = net.step(TARGET[:, t].repeat_interleave(2), state, memory)
        assert torch.allclose(features[::2], whole[t], atol=tolerances.FLOAT32_OUTPUT)
        assert torch.allclose(features[1::2], whole[t], atol=tolerances.FLOAT32_OUTPUT)


def test_the_initialisation_is_the_papers() -> None:
    torch.manual_seed(0)
    net = Cho2014Net(300, 300, hidden_size=64, rank=32, maxout=40)
    for name, parameter in net.state_dict().items():
        if parameter.dim() < 2:
            assert name == "encoder.reset_before" or not parameter.any()
        elif "hh" in name or "recurrent" in name:
            for gate in parameter.chunk(3):
                assert torch.allclose(gate @ gate.T, torch.eye(64), atol=1e-5)
        else:
            assert float(parameter.std()) == pytest.approx(0.01, rel=0.1)
            assert abs(float(parameter.mean())) < 0.001


def test_every_weight_has_a_gradient(net: Cho2014Net) -> None:
    net.train()
    net.dropout = 0.2
    features, _ = net.read(net.encode(SOURCE, LENGTHS), TARGET)
    net.scores(features).logsumexp(-1).sum().backward()
    assert not [name for name, p in net.named_parameters() if p.grad is None or not bool(p.grad.abs().sum() > 0)]
