"""Layers of generated C from the torch modules of a graph; modules without a counterpart are refused by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy
import torch
from numpy.typing import NDArray

from gruworks.errors import ExportError
from gruworks.interop.c import convolutions, layers
from gruworks.interop.c.arrays import Matrix, Precision
from gruworks.interop.c.graph import Add, Graph, Node
from gruworks.nn.blocks.lookahead_conv import RowConvolution
from gruworks.nn.blocks.strided_conv import StridedConvolution
from gruworks.ops.quantised import THIN

__all__ = ["Step", "read"]

Array = NDArray[Any]
PASSED = (torch.nn.Identity, torch.nn.Dropout, torch.nn.Flatten)
ACTIVATIONS: dict[type, str] = {
    torch.nn.Tanh: "tanh", torch.nn.ReLU: "relu", torch.nn.Sigmoid: "sigmoid", torch.nn.Hardsigmoid: "hard_sigmoid",
    torch.nn.SiLU: "silu", torch.nn.Softsign: "softsign",
}  # fmt: skip
KNOWN = "GRU, Linear, Embedding, LayerNorm, Conv1d, Softmax, LogSoftmax, Dropout, " + ", ".join(
    kind.__name__ for kind in ACTIVATIONS
)
CANDIDATES = ("tanh", "relu", "sigmoid", "hard_sigmoid", "softsign", "linear")
GATES = ("sigmoid", "hard_sigmoid")


@dataclass(frozen=True)
class Step:
    """A layer and the names of the values that it reads."""

    layer: layers.Layer
    inputs: tuple[str, ...]


class _Reader:
    """The steps of a graph, one module after the other; weights that two modules share are one matrix."""

    def __init__(self, graph: Graph, precision: Precision) -> None:
        self.precision: Precision = precision
        self.sizes, self.given = dict(graph.inputs), set(graph.inputs)
        self.exact = False  # the first weights of few inputs, which may differ in scale, stay float32
        self.names = {name: name for name in graph.inputs}  # of the values that stand for each name of the graph
        self.matrices: dict[tuple[int, ...], Matrix] = {}
        self.steps: list[Step] = []

    def node(self, node: Node) -> None:
        module, inputs = node.module, tuple(self.names[name] for name in node.inputs)
        if isinstance(module, PASSED) and len(inputs) == 1:
            self.names[node.name] = inputs[0]
            return
        if isinstance(module, torch.nn.Sequential):
            for number, part in enumerate(module):
                self.node(
                    Node(f"{node.name}_{number}", part, node.inputs if not number else [f"{node.name}_{number - 1}"])
                )
            self.names[node.name] = self.names[f"{node.name}_{len(module) - 1}"]
            return
        size = sum(self.sizes[name] for name in inputs)
        self.exact = 0 < size <= THIN and all(name in self.given for name in inputs)
        for layer in self._layers(node.name, module, inputs, size):
            self.steps.append(Step(layer, inputs))
            inputs = (layer.name,)
            if layer.name in self.sizes:
                raise ExportError(f"two layers have the name {layer.name!r}: rename a node")
            self.sizes[layer.name] = layer.size
        self.names[node.name] = inputs[0]

    def _layers(self, name: str, module: Any, inputs: tuple[str, ...], size: int) -> list[layers.Layer]:
        kind = type(module)
        if isinstance(module, Add):
            one, other = (self.sizes[value] for value in inputs)
            _expect(name, one == other, f"two inputs of one size, got {one} and {other}")
            return [layers.Add(name, one)]
        if isinstance(module, torch.nn.GRU):
            return self._gru(name, module, size)
        if isinstance(module, torch.nn.Linear):
            _expect(name, module.in_features == size, f"{module.in_features} inputs, got {size}")
            weight = self._matrix(name, module.weight)
            return [layers.Dense(name, module.out_features, weight, _values(module.bias))]
        if isinstance(module, torch.nn.Embedding):
            _expect(name, size == 0, "the number of a token (an input of size 0)")
            return [layers.Embedding(name, module.embedding_dim, self._matrix(name, module.weight))]
        if kind in ACTIVATIONS:
            return [layers.Activation(name, size, ACTIVATIONS[kind])]
        if isinstance(module, torch.nn.LayerNorm):
            return [_layer_norm(name, module, size)]
        if isinstance(module, torch.nn.Softmax | torch.nn.LogSoftmax):
            return [layers.Softmax(name, size, isinstance(module, torch.nn.LogSoftmax))]
        if isinstance(module, StridedConvolution):
            return [self._convolution(name, module.convolution, size)]
        if isinstance(module, torch.nn.Conv1d):
            return [self._convolution(name, module, size)]
        if isinstance(module, RowConvolution):
            taps = _required(module.weight)[:, 0].T.copy()
            return [convolutions.Depthwise(name, size, size, module.ahead + 1, taps, None, module.ahead)]
        raise ExportError(f"{name}: {kind.__module__}.{kind.__qualname__} can't be written as C; these can: {KNOWN}")

    def _gru(self, name: str, module: Any, size: int) -> list[layers.Layer]:
        _expect(name, module.input_size == size, f"{module.input_size} inputs, got {size}")
        candidate = getattr(module, "candidate_activation", "tanh")
        gate = getattr(module, "gate_activation", "sigmoid")
        _expect(name, not module.bidirectional, "one direction: a bidirectional GRU does not run step by step")
        _expect(name, candidate in CANDIDATES, f"a candidate activation of {', '.join(CANDIDATES)}, not {candidate}")
        _expect(name, gate in GATES, f"a gate activation of {', '.join(GATES)}, not {gate}")
        regularization = getattr(module, "regularization", None)
        for option in ("layer_norm", "zoneout"):
            _expect(name, not getattr(regularization, option, None), f"a GRU without {option}")
        found: list[layers.Layer] = []
        for layer in range(module.num_layers):
            own = name if module.num_layers == 1 else f"{name}_l{layer}"
            w_ih, w_hh = (getattr(module, f"weight_{kind}_l{layer}") for kind in ("ih", "hh"))
            b_ih, b_hh = (_values(getattr(module, f"bias_{kind}_l{layer}", None)) for kind in ("ih", "hh"))
            first = self._matrix(f"{own}_input", w_ih)
            self.exact = False
            second = self._matrix(f"{own}_recurrent", w_hh)
            reset = getattr(module, "reset", "after")
            found.append(layers.GRU(own, module.hidden_size, first, second, b_ih, b_hh, reset, candidate, gate))
        return found

    def _convolution(self, name: str, module: torch.nn.Conv1d, size: int) -> layers.Layer:
        (kernel,), (stride,), padding = module.kernel_size, module.stride, module.padding
        _expect(name, module.in_channels == size, f"{module.in_channels} inputs, got {size}")
        _expect(name, padding in ((0,), "valid"), f"padding=0 (the past is padded with zeros), not {padding}")
        _expect(name, module.dilation == (1,), f"dilation=1, not {module.dilation}")
        _expect(name, kernel >= stride, f"a kernel of at least the stride {stride}, not {kernel}")
        weight, bias = _required(module.weight), _values(module.bias)
        if module.groups == 1:
            flat = module.weight.detach().transpose(1, 2).flatten(1)
            matrix = self._matrix(name, flat, (module.weight.data_ptr(),))
            return convolutions.Convolution(name, module.out_channels, size, kernel, matrix, bias, stride)
        _expect(name, module.groups == size == module.out_channels, f"groups of 1 or {size}, not {module.groups}")
        _expect(name, stride == 1, f"stride=1 with groups, not {stride}")
        return convolutions.Depthwise(name, size, size, kernel, weight[:, 0].T.copy(), bias)

    def _matrix(self, name: str, weight: torch.Tensor, key: tuple[int, ...] | None = None) -> Matrix:
        key = key or (weight.data_ptr(), *weight.shape)
        if key not in self.matrices:
            self.matrices[key] = Matrix(f"{name}_values", _required(weight), self.precision, exact=self.exact)
        return self.matrices[key]


def read(graph: Graph, precision: Precision) -> tuple[list[Step], dict[str, str]]:
    """The steps of a graph, and for each of its outputs the value that it is.

    Raises:
        ExportError: a module or an option of it that C has no layer for, or sizes that don't fit.
    """
    for name, weight in graph.named_parameters():
        if not weight.isfinite().all():
            raise ExportError(f"{name.removeprefix('parts.')} holds NaN or infinity, which C has no numbers for")
    reader = _Reader(graph, precision)
    for node in graph.nodes:
        reader.node(node)
    return reader.steps, {name: reader.names[name] for name in graph.outputs}


def _layer_norm(name: str, module: torch.nn.LayerNorm, size: int) -> layers.Layer:
    _expect(name, tuple(module.normalized_shape) == (size,), f"inputs {list(module.normalized_shape)}, got [{size}]")
    gain = numpy.ones(size, numpy.float32) if module.weight is None else _required(module.weight)
    shift = _values(module.bias)
    return layers.LayerNorm(name, size, gain, numpy.zeros_like(gain) if shift is None else shift, module.eps)


def _expect(name: str, holds: bool, expected: str) -> None:
    if not holds:
        raise ExportError(f"{name} can't be written as C: expected {expected}")


def _values(tensor: torch.Tensor | None) -> Array | None:
    return None if tensor is None else _required(tensor)


def _required(tensor: torch.Tensor) -> Array:
    found: Array = numpy.ascontiguousarray(tensor.detach().cpu().float().numpy())
    return found.copy()
