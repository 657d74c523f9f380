"""Layers of generated C: for each kind state, constants, statements of a step, and the same step in NumPy."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import Any

import numpy
from numpy.typing import NDArray

from gruworks.interop.c.arithmetic import ACTIVATIONS, exp, inverse_sqrt, log, product, sum_of
from gruworks.interop.c.arrays import Array, Field, Matrix
from gruworks.interop.c.functions import Function

__all__ = ["GRU", "Activation", "Add", "Dense", "Embedding", "Floats", "Layer", "LayerNorm", "Softmax", "State"]

Floats = NDArray[numpy.float32]
State = dict[str, Any]
F = numpy.float32


@dataclass(frozen=True)
class Layer(abc.ABC):
    """A layer of a network, called once a step: `size` outputs, under the `name` that its state and constants have."""

    name: str
    size: int

    delays = False  # True where a step may give no output

    def fields(self) -> list[Field]:
        """Its part of the state."""
        return []

    def arrays(self) -> list[Array]:
        """Its constants."""
        return []

    def structs(self) -> list[str]:
        """Constants that point to the arrays."""
        return []

    @abc.abstractmethod
    def functions(self) -> list[Function]:
        """The functions that its statements call."""

    @abc.abstractmethod
    def statements(self, y: str, x: str) -> list[str]:
        """The step from x to y, C expressions of pointers."""

    @abc.abstractmethod
    def run(self, x: Any, state: State) -> Any:
        """The step in NumPy, in the order of the C; None where it gives no output."""

    def output(self) -> str | None:
        """The field that holds the output, where it needs no other buffer."""
        return None

    def matrices(self) -> list[Matrix]:
        return []


@dataclass(frozen=True)
class GRU(Layer):
    """One GRU layer; biases are [3H] or None."""

    input: Matrix
    recurrent: Matrix
    input_bias: Floats | None
    recurrent_bias: Floats | None
    reset: str = "after"
    candidate: str = "tanh"
    gate: str = "sigmoid"

    def fields(self) -> list[Field]:
        return [Field("float", self.name, self.size, "GRU")]

    def arrays(self) -> list[Array]:
        biases = {"input": self.input_bias, "recurrent": self.recurrent_bias}
        found = [*self.input.arrays(), *self.recurrent.arrays()]
        return found + [Array(f"{self.name}_{n}_bias", b) for n, b in biases.items() if b is not None]

    def structs(self) -> list[str]:
        biases = (
            f"{self.name}_{name}_bias" if bias is not None else "0"
            for name, bias in (("input", self.input_bias), ("recurrent", self.recurrent_bias))
        )
        parts = [self.input.initializer(), self.recurrent.initializer(), *biases, str(self.size)]
        return [f"static const gru_t {self.name}_layer = {{{', '.join(parts)}}};"]

    def functions(self) -> list[Function]:
        return [self._function]

    @property
    def _function(self) -> Function:
        usual = (self.candidate, self.gate) == ("tanh", "sigmoid")
        name = f"gru_{self.reset}" + ("" if usual else f"_{self.candidate}_{self.gate}")
        c_names = {"tanh": "float_tanh"}
        candidate, gate = (c_names.get(one, one) for one in (self.candidate, self.gate))
        return Function(f"gru_{self.reset}", name, (("candidate", candidate), ("gate", gate)))

    def statements(self, y: str, x: str) -> list[str]:
        return [f"{self._function.name}(&{self.name}_layer, state->{self.name}, {x});"]

    def output(self) -> str:
        return f"state->{self.name}"

    def matrices(self) -> list[Matrix]:
        return [self.input, self.recurrent]

    def run(self, x: Floats, state: State) -> Floats:
        H, gate, candidate = self.size, ACTIVATIONS[self.gate], ACTIVATIONS[self.candidate]
        h = state.setdefault(self.name, numpy.zeros(H, numpy.float32))
        nothing = numpy.zeros(3 * H, numpy.float32)
        given = product(nothing if self.input_bias is None else self.input_bias, self.input, x)
        bias = nothing if self.recurrent_bias is None else self.recurrent_bias
        if self.reset == "after":
            own = product(bias, self.recurrent, h)
            last = gate(given[:H] + own[:H]) * own[2 * H :]
        else:
            own = product(bias[: 2 * H], self.recurrent, h, slice(2 * H))
            kept = gate(given[:H] + own[:H]) * h
            last = product(bias[2 * H :], self.recurrent, kept, slice(2 * H, 3 * H))
        z = gate(given[H : 2 * H] + own[H : 2 * H])
        n = candidate(given[2 * H :] + last)
        state[self.name] = n + z * (h - n)
        return numpy.asarray(state[self.name])


@dataclass(frozen=True)
class Dense(Layer):
    """y = W x + b."""

    weight: Matrix
    bias: Floats | None

    def arrays(self) -> list[Array]:
        return self.weight.arrays() + ([] if self.bias is None else [Array(f"{self.name}_bias", self.bias)])

    def structs(self) -> list[str]:
        return [f"static const matrix_t {self.name}_weight = {self.weight.initializer()};"]

    def functions(self) -> list[Function]:
        return [Function("dense")]

    def statements(self, y: str, x: str) -> list[str]:
        bias = "0" if self.bias is None else f"{self.name}_bias"
        return [f"dense({y}, &{self.name}_weight, {bias}, {x});"]

    def matrices(self) -> list[Matrix]:
        return [self.weight]

    def run(self, x: Floats, state: State) -> Floats:
        bias = numpy.zeros(self.size, numpy.float32) if self.bias is None else self.bias
        return product(bias, self.weight, x)


@dataclass(frozen=True)
class Embedding(Layer):
    """The row of a token in a matrix [V, size]."""

    weight: Matrix

    def arrays(self) -> list[Array]:
        return self.weight.arrays()

    def structs(self) -> list[str]:
        return [f"static const matrix_t {self.name}_weight = {self.weight.initializer()};"]

    def functions(self) -> list[Function]:
        return [Function(f"embed_{self.weight.precision}")]

    def statements(self, y: str, x: str) -> list[str]:
        return [f"embed({y}, &{self.name}_weight, {x});"]

    def matrices(self) -> list[Matrix]:
        return [self.weight]

    def run(self, x: Any, state: State) -> Floats:
        if not self.weight.whole:
            return numpy.asarray(self.weight.values[int(x)])
        small = self.weight.quantized
        return numpy.asarray(small.rows[int(x)].astype(numpy.float32) * small.scale[int(x)])


@dataclass(frozen=True)
class Activation(Layer):
    """A function of each element."""

    kind: str

    def functions(self) -> list[Function]:
        return [Function({"tanh": "float_tanh"}.get(self.kind, self.kind))]

    def statements(self, y: str, x: str) -> list[str]:
        name = self.functions()[0].name
        return [f"for (int i = 0; i < {self.size}; i++)", f"    {y}[i] = {name}({x}[i]);"]

    def run(self, x: Floats, state: State) -> Floats:
        return numpy.asarray(ACTIVATIONS[self.kind](x))


@dataclass(frozen=True)
class Add(Layer):
    """Sum of two inputs: a residual connection."""

    def functions(self) -> list[Function]:
        return []

    def statements(self, y: str, x: str) -> list[str]:
        one, other = x.split(" + ")
        return [f"for (int i = 0; i < {self.size}; i++)", f"    {y}[i] = {one}[i] + {other}[i];"]

    def run(self, x: Any, state: State) -> Floats:
        return numpy.asarray(x[0] + x[1])


@dataclass(frozen=True)
class LayerNorm(Layer):
    """Layer normalization with gain and shift."""

    gain: Floats
    shift: Floats
    epsilon: float

    def arrays(self) -> list[Array]:
        return [Array(f"{self.name}_gain", self.gain), Array(f"{self.name}_shift", self.shift)]

    def functions(self) -> list[Function]:
        return [Function("layer_norm")]

    def statements(self, y: str, x: str) -> list[str]:
        sizes = f"{self.size}, {self.name}_gain, {self.name}_shift, {F(self.epsilon)!s}f"
        return [f"layer_norm({y}, {x}, {sizes});"]

    def run(self, x: Floats, state: State) -> Floats:
        n = F(self.size)
        centred = x - sum_of(x[:, None])[0] / n
        scale = inverse_sqrt(sum_of((centred * centred)[:, None])[0] / n + F(self.epsilon))
        return numpy.asarray(centred * scale * self.gain + self.shift)


@dataclass(frozen=True)
class Softmax(Layer):
    """Probabilities or, with `logarithm`, log-probabilities."""

    logarithm: bool = False

    def functions(self) -> list[Function]:
        return [Function("log_softmax" if self.logarithm else "softmax")]

    def statements(self, y: str, x: str) -> list[str]:
        return [f"{self.functions()[0].name}({y}, {x}, {self.size});"]

    def run(self, x: Floats, state: State) -> Floats:
        powers = exp(x - x.max())
        total = sum_of(powers[:, None])[0]
        return numpy.asarray(x - (x.max() + log(total)) if self.logarithm else powers / total)
