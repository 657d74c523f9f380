"""RNNoise 0.1's stack of GRUs from its weights' file, as a graph that can be written as C.

Layers (Valin 2018): a dense layer of 24, GRUs of 24, 48 and 96 with the reset gate before the product, gains of 22
bands, probability of a voice. Weights are whole numbers over 256; rows of the gates are z (which keeps), r, h.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
import torch

from gruworks.interop.c import Graph, Node
from gruworks.ops.weights import GRUWeights

__all__ = ["graph"]

ACTIVATIONS = ("tanh", "sigmoid", "relu")
LAYERS = {"dense_layer": False, "vad_gru": True, "noise_gru": True, "denoise_gru": True, "gains": False, "vad": False}


class ActivatedGRU(torch.nn.GRU):
    """One GRU layer, reset gate before the product, with the candidate's activation of RNNoise's file."""

    def __init__(self, weights: GRUWeights, candidate_activation: str) -> None:
        super().__init__(weights.input_size, weights.hidden_size)
        self.reset, self.candidate_activation = "before", candidate_activation
        names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
        for name, array in zip(names, weights.arrays(), strict=True):
            setattr(self, name, torch.nn.Parameter(torch.from_numpy(numpy.ascontiguousarray(array))))

    def forward(self, x: Any, hx: Any = None) -> Any:
        h, states = x.new_zeros(x.shape[1], self.hidden_size), []
        activation = {"tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid}[self.candidate_activation]
        w_r, w_z, w_n = self.weight_hh_l0.chunk(3)
        b_r, b_z, b_n = self.bias_hh_l0.chunk(3)
        for gi in x @ self.weight_ih_l0.T + self.bias_ih_l0:
            x_r, x_z, x_n = gi.chunk(3, -1)
            r, z = torch.sigmoid(x_r + h @ w_r.T + b_r), torch.sigmoid(x_z + h @ w_z.T + b_z)
            n = activation(x_n + (r * h) @ w_n.T + b_n)
            h = n + z * (h - n)
            states.append(h)
        return torch.stack(states), h[None]


def graph(path: Path) -> Graph:
    """The network of a file, binary (.rnn) or text (.rnnn): 42 features to 22 gains and a probability."""
    numbers = _numbers(path)
    made = {name: _layer(numbers, gru) for name, gru in LAYERS.items()}
    nodes = [
        Node("dense_layer", made["dense_layer"], ["features"]),
        Node("vad_gru", made["vad_gru"], ["dense_layer"]),
        Node("noise_gru", made["noise_gru"], ["dense_layer", "vad_gru", "features"]),
        Node("denoise_gru", made["denoise_gru"], ["vad_gru", "noise_gru", "features"]),
        Node("gains", made["gains"], ["denoise_gru"]),
        Node("vad", made["vad"], ["vad_gru"]),
    ]
    return Graph({"features": 42}, nodes, ["gains", "vad"])


def _numbers(path: Path) -> Any:
    """Iterator of the file's numbers: in pieces of a size, from the start on."""
    if path.suffix == ".rnn":
        values = numpy.frombuffer(path.read_bytes(), numpy.int8)
    else:
        values = numpy.array(path.read_text().split("\n", 1)[1].split(), numpy.int64)
    at = 0

    def take(count: int) -> Any:
        nonlocal at
        at += count
        return values[at - count : at].astype(numpy.float32)

    return take


def _layer(take: Any, gru: bool) -> torch.nn.Module:
    inputs, size, kind = (int(one) for one in take(3))
    if not gru:
        dense = torch.nn.Linear(inputs, size)
        dense.weight = torch.nn.Parameter(
            torch.from_numpy(take(inputs * size).reshape(inputs, size).T / 256).contiguous()
        )
        dense.bias = torch.nn.Parameter(torch.from_numpy(take(size) / 256))
        activation = {"tanh": torch.nn.Tanh, "sigmoid": torch.nn.Sigmoid, "relu": torch.nn.ReLU}[ACTIVATIONS[kind]]
        return torch.nn.Sequential(dense, activation())
    w_ih = take(inputs * 3 * size).reshape(inputs, 3 * size).T / 256
    w_hh = take(size * 3 * size).reshape(size, 3 * size).T / 256
    bias = take(3 * size) / 256
    weights = GRUWeights.from_layout(
        w_ih, w_hh, bias, numpy.zeros_like(bias), reset="before", update="keeps", order="zrn"
    )
    return ActivatedGRU(weights, ACTIVATIONS[kind])
