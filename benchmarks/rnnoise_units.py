"""The network of an RNNoise 0.1 model file in NumPy, its GRUs by their equations or by another implementation.

The file holds six layers, each as input size, units, activation (0 tanh, 1 sigmoid, 2 ReLU) and int8 weights and biases
in 1 / 256: input weights [I, N], for a GRU [I, 3N] and recurrent ones [N, 3N], gates z, r, h. The candidate reads r * h
(reset before). RNNoise itself takes tanh and the logistic function from a table; here they are exact.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy

from gruworks.ops.weights import GRUWeights

__all__ = ["Layer", "outputs", "read"]

LAYERS = ("input_dense", "vad_gru", "noise_gru", "denoise_gru", "denoise_output", "vad_output")
ACTIVATIONS: tuple[Any, ...] = ("tanh", "sigmoid", "relu")
FUNCTIONS = (numpy.tanh, lambda a: 1 / (1 + numpy.exp(-a)), lambda a: numpy.maximum(a, 0))


class Layer(NamedTuple):
    """One layer in float64; `recurrent` has no rows for a dense one."""

    kernel: Any  # [I, N] or [I, 3N]
    recurrent: Any  # [N, 3N]
    bias: Any  # [N] or [3N]
    activation: int

    def weights(self, dtype: Any = numpy.float32) -> GRUWeights:
        """Our weights."""
        given = GRUWeights.from_layout(
            self.kernel.T, self.recurrent.T, self.bias, reset="before", update="keeps", order="zrn"
        )
        arrays = given.astype(dtype).arrays()
        return GRUWeights(*arrays, reset="before", candidate_activation=ACTIVATIONS[self.activation])

    def astype(self, dtype: Any) -> "Layer":
        """The layer in another element type."""
        return Layer(*(array.astype(dtype) for array in self[:3]), self.activation)

    def dense(self, x: Any) -> Any:
        """Outputs [T, N] of a dense layer."""
        return FUNCTIONS[self.activation](x @ self.kernel + self.bias)

    def states(self, x: Any) -> Any:
        """States [T, N] of a GRU for inputs [T, I], by a loop over the equations."""
        N, found = len(self.recurrent), []
        state = numpy.zeros(N, self.recurrent.dtype)
        for given in x @ self.kernel + self.bias:
            z, r = FUNCTIONS[1](given[: 2 * N] + state @ self.recurrent[:, : 2 * N]).reshape(2, N)
            candidate = FUNCTIONS[self.activation](given[2 * N :] + (state * r) @ self.recurrent[:, 2 * N :])
            state = z * state + (1 - z) * candidate
            found.append(state)
        return numpy.stack(found)


def outputs(layers: dict[str, Layer], features: Any, gru: Callable[[Layer, Any], Any] = Layer.states) -> Any:
    """The 22 gains and the probability of a voice [T, 23] for features [T, 42]; `gru` computes the states of a unit."""
    dense = layers["input_dense"].dense(features)
    voice = gru(layers["vad_gru"], dense)
    noise = gru(layers["noise_gru"], numpy.concatenate([dense, voice, features], 1))
    last = gru(layers["denoise_gru"], numpy.concatenate([voice, noise, features], 1))
    return numpy.concatenate([layers["denoise_output"].dense(last), layers["vad_output"].dense(voice)], 1)


def read(path: Path) -> dict[str, Layer]:
    """The layers of a binary model file by name."""
    content, found, at = path.read_bytes(), {}, 0
    for name in LAYERS:
        inputs, units, activation = content[at : at + 3]
        recurrent = units if name.endswith("gru") else 0
        columns = 3 * units if recurrent else units
        size = (inputs + recurrent + 1) * columns
        values = numpy.frombuffer(content, numpy.int8, size, at + 3).reshape(-1, columns) / 256
        found[name] = Layer(values[:inputs], values[inputs:-1], values[-1], activation)
        at += 3 + size
    if at != len(content):
        raise ValueError(f"{path} has {len(content)} bytes, its layers {at}")
    return found
