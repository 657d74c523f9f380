"""Small models of every layer that is written as C."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from gruworks import GRU
from gruworks.interop.c import Add, Graph, Node
from gruworks.nn.blocks.lookahead_conv import RowConvolution
from gruworks.nn.blocks.strided_conv import StridedConvolution

__all__ = ["MODELS", "model"]

nn = torch.nn


def _residual() -> Graph:
    nodes = [
        Node("first", nn.Linear(5, 12), ["x"]),
        Node("gru_a", GRU(12, 12), ["first"]),
        Node("both", Add(), ["first", "gru_a"]),
        Node("gru_b", GRU(17, 9, reset="before"), ["both", "x"]),
        Node("gains", nn.Sequential(nn.Linear(9, 4), nn.Sigmoid()), ["gru_b"]),
        Node("level", nn.Linear(12, 1), ["both"]),
    ]
    return Graph({"x": 5}, nodes, ["gains", "level", "gru_b"])


def _recognizer() -> nn.Sequential:
    return nn.Sequential(
        StridedConvolution(8, 12, 5, 2), nn.LayerNorm(12), nn.ReLU(), GRU(12, 20), RowConvolution(20, 4), GRU(20, 20),
        nn.Conv1d(20, 20, 3, 2), RowConvolution(20, 3), nn.Linear(20, 6), nn.LogSoftmax(-1),
    )  # fmt: skip


MODELS: dict[str, Callable[[], Any]] = {
    "gru": lambda: GRU(3, 16),
    "one": lambda: nn.Sequential(GRU(1, 1), nn.Linear(1, 1)),
    "before": lambda: nn.Sequential(GRU(20, 33, 2, reset="before", bias=False), nn.Linear(33, 5, bias=False)),
    "torch": lambda: nn.Sequential(nn.GRU(20, 24, 2, batch_first=True, dropout=0.5), nn.Dropout(), nn.Softmax(-1)),
    "tokens": lambda: nn.Sequential(nn.Embedding(30, 20), GRU(20, 24), nn.LayerNorm(24), nn.Linear(24, 30)),
    "convolutions": lambda: nn.Sequential(
        nn.Conv1d(8, 12, 5), nn.Tanh(), nn.Conv1d(12, 12, 3, groups=12), nn.SiLU(), nn.Conv1d(12, 7, 4, 3, bias=False)
    ),
    "activations": lambda: nn.Sequential(
        nn.Linear(30, 25), nn.Hardsigmoid(), nn.Linear(25, 25), nn.Softsign(), nn.LayerNorm(25, bias=False)
    ),
    "relu": lambda: GRU(6, 18, reset="before", candidate_activation="relu"),
    "hard": lambda: GRU(18, 18, 2, candidate_activation="hard_sigmoid", gate_activation="hard_sigmoid"),
    "softsign": lambda: GRU(6, 18, candidate_activation="softsign", gate_activation="hard_sigmoid"),
    "linear": lambda: GRU(6, 18, reset="before", candidate_activation="linear"),
    "sigmoid": lambda: GRU(6, 18, candidate_activation="sigmoid"),
    "recognizer": _recognizer,
    "residual": _residual,
}


def model(name: str) -> Any:
    """A model with weights of a fixed seed."""
    torch.manual_seed(0)
    made = MODELS[name]()
    with torch.no_grad():
        for weight in made.parameters():
            weight.mul_(1.5).add_(0.02 * torch.randn(weight.shape))
    return made
