"""RNNoise 0.1's stack of GRUs from its model file, as a graph that can be written as C."""

from __future__ import annotations

from pathlib import Path

import numpy
import torch
from rnnoise_units import ACTIVATIONS, Layer, read

from gruworks import GRU
from gruworks.interop.c import Graph, Node
from gruworks.ops.weights import parameter_names

__all__ = ["graph"]

FUNCTIONS = {"tanh": torch.nn.Tanh, "sigmoid": torch.nn.Sigmoid, "relu": torch.nn.ReLU}


def graph(path: Path) -> Graph:
    """The network of a binary file: 42 features to 22 gains and the probability of a voice."""
    layers = {name: _gru(one) if len(one.recurrent) else _dense(one) for name, one in read(path).items()}
    nodes = [
        Node("input_dense", layers["input_dense"], ["features"]),
        Node("vad_gru", layers["vad_gru"], ["input_dense"]),
        Node("noise_gru", layers["noise_gru"], ["input_dense", "vad_gru", "features"]),
        Node("denoise_gru", layers["denoise_gru"], ["vad_gru", "noise_gru", "features"]),
        Node("gains", layers["denoise_output"], ["denoise_gru"]),
        Node("vad", layers["vad_output"], ["vad_gru"]),
    ]
    return Graph({"features": 42}, nodes, ["gains", "vad"])


def _gru(layer: Layer) -> GRU:
    weights = layer.weights()
    made = GRU(
        weights.input_size, weights.hidden_size, reset="before", candidate_activation=ACTIVATIONS[layer.activation]
    )
    for name, array in zip(parameter_names(), weights.arrays(), strict=True):
        values = numpy.zeros(3 * weights.hidden_size) if array is None else array
        getattr(made, name).data = torch.from_numpy(numpy.ascontiguousarray(values, numpy.float32))
    return made


def _dense(layer: Layer) -> torch.nn.Module:
    inputs, units = layer.kernel.shape
    made = torch.nn.Linear(inputs, units)
    made.weight.data = torch.from_numpy(numpy.ascontiguousarray(layer.kernel.T, numpy.float32))
    made.bias.data = torch.from_numpy(layer.bias.astype(numpy.float32))
    return torch.nn.Sequential(made, FUNCTIONS[ACTIVATIONS[layer.activation]]())
