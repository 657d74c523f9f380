"""Convolutions of generated C: causal, strided, and of each channel alone with a look-ahead."""

from __future__ import annotations

from dataclasses import dataclass

import numpy

from gruworks.interop.c.arithmetic import product, sum_of
from gruworks.interop.c.arrays import Array, Field, Matrix
from gruworks.interop.c.functions import Function
from gruworks.interop.c.layers import Floats, Layer, State

__all__ = ["Convolution", "Depthwise"]


@dataclass(frozen=True)
class _Windowed(Layer):
    """A layer over the last `rows` inputs of `width` values, which are 0 before the first."""

    width: int
    rows: int

    def fields(self) -> list[Field]:
        return [Field("float", self.name, self.rows * self.width, f"the last {self.rows} inputs")]

    def _push(self, x: Floats, state: State) -> Floats:
        window = state.setdefault(self.name, numpy.zeros((self.rows, self.width), numpy.float32))
        state[self.name] = numpy.concatenate([window[1:], x[None]])
        return numpy.asarray(state[self.name])


@dataclass(frozen=True)
class Convolution(_Windowed):
    """Causal convolution with one output every `stride` steps; weight [size, rows * width], the oldest input first."""

    weight: Matrix
    bias: Floats | None
    stride: int = 1

    @property
    def delays(self) -> bool:  # type: ignore[override]
        return self.stride > 1

    def fields(self) -> list[Field]:
        count = Field("int32_t", f"{self.name}_count", comment=f"of {self.stride} inputs")
        return super().fields() + [count] * self.delays

    def arrays(self) -> list[Array]:
        return self.weight.arrays() + ([] if self.bias is None else [Array(f"{self.name}_bias", self.bias)])

    def structs(self) -> list[str]:
        return [f"static const matrix_t {self.name}_weight = {self.weight.initializer()};"]

    def functions(self) -> list[Function]:
        return [Function("push"), Function("dense")]

    def statements(self, y: str, x: str) -> list[str]:
        bias, name = "0" if self.bias is None else f"{self.name}_bias", self.name
        found = [f"push(state->{name}, {self.rows}, {self.width}, {x});"]
        if self.delays:
            found += [f"if (++state->{name}_count < {self.stride})", "    return 0;", f"state->{name}_count = 0;"]
        return [*found, f"dense({y}, &{name}_weight, {bias}, state->{name});"]

    def pending(self) -> str:
        """C condition: inputs wait for an output."""
        return f"state->{self.name}_count > 0"

    def missing(self, state: State) -> int:
        """Number of zeros that the waiting inputs need for an output."""
        return -int(state.get(f"{self.name}_count", 0)) % self.stride

    def matrices(self) -> list[Matrix]:
        return [self.weight]

    def run(self, x: Floats, state: State) -> Floats | None:
        window, count = self._push(x, state), f"{self.name}_count"
        state[count] = (state.get(count, 0) + 1) % self.stride
        if state[count]:
            return None
        bias = numpy.zeros(self.size, numpy.float32) if self.bias is None else self.bias
        return product(bias, self.weight, window.ravel())


@dataclass(frozen=True)
class Depthwise(_Windowed):
    """Convolution of each channel alone, weight [rows, width], that looks `ahead` inputs ahead and so is delayed."""

    weight: Floats
    bias: Floats | None
    ahead: int = 0

    @property
    def delays(self) -> bool:  # type: ignore[override]
        return self.ahead > 0

    def fields(self) -> list[Field]:
        counts = [
            Field("int32_t", f"{self.name}_silent", comment="inputs until the first output", first=self.ahead),
            Field("int32_t", f"{self.name}_held", comment="inputs whose output is due"),
        ]
        return super().fields() + counts * self.delays

    def arrays(self) -> list[Array]:
        found = [Array(f"{self.name}_weight", self.weight.ravel(), f"[{self.rows}][{self.width}]")]
        return found + ([] if self.bias is None else [Array(f"{self.name}_bias", self.bias)])

    def functions(self) -> list[Function]:
        return [Function("push"), Function("depthwise")]

    def statements(self, y: str, x: str) -> list[str]:
        bias, name = "0" if self.bias is None else f"{self.name}_bias", self.name
        found = [f"push(state->{name}, {self.rows}, {self.width}, {x});"]
        if self.delays:
            found += [
                f"if (state->{name}_silent > 0) {{", f"    state->{name}_silent--;", "    return 0;", "}",
                f"state->{name}_held--;",
            ]  # fmt: skip
        sizes = f"{self.rows}, {self.width}"
        return [*found, f"depthwise({y}, {name}_weight, {bias}, state->{name}, {sizes});"]

    def arrived(self) -> str:
        """Statement for an input that is not one of the zeros after the end."""
        return f"state->{self.name}_held++;"

    def pending(self) -> str:
        """C condition: inputs wait for an output."""
        return f"state->{self.name}_held > 0"

    def missing(self, state: State) -> int:
        """Number of zeros that the waiting inputs need for their outputs."""
        return self.ahead

    def run(self, x: Floats, state: State) -> Floats | None:
        window, silent = self._push(x, state), f"{self.name}_silent"
        if state.setdefault(silent, self.ahead):
            state[silent] -= 1
            return None
        start = None if self.bias is None else self.bias
        return numpy.asarray(sum_of(self.weight * window, start), numpy.float32)
