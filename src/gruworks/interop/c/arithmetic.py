"""The functions of generated C in NumPy, operation by operation: the reference of the int8 mode, equal bit for bit.

All arrays are float32, each operation is rounded on its own, and sums run in the order of the C.
"""

from __future__ import annotations

from typing import Any

import numpy
from numpy.typing import NDArray

__all__ = ["ACTIVATIONS", "exp", "inverse_sqrt", "log", "product", "sum_of"]

Floats = NDArray[numpy.float32]
F = numpy.float32


def exp(x: Floats) -> Floats:
    """`float_exp`."""
    clamped = numpy.where(x < F(-87), F(-87), numpy.where(x > F(88), F(88), x))
    shifted = clamped * F(1.44269504) + F(12582912)
    n = shifted - F(12582912)
    r = (clamped - n * F(0.693359375)) + n * F(2.12194440e-4)
    total: Any = F(1) / F(5040)
    for term in (F(1) / F(720), F(1) / F(120), F(1) / F(24), F(1) / F(6), F(0.5), F(1), F(1)):
        total = total * r + term
    power = (numpy.atleast_1d(shifted).view(numpy.uint32) + numpy.uint32(127)) << numpy.uint32(23)
    scaled: Floats = total * power.view(numpy.float32).reshape(numpy.shape(shifted))
    return scaled


def log(x: Floats) -> Floats:
    """`float_log`."""
    bits = numpy.atleast_1d(x).view(numpy.uint32)
    above = ((bits & 0x7FFFFF) > 0x3504F3).astype(numpy.uint32)
    m = ((bits & 0x7FFFFF) | ((numpy.uint32(127) - above) << 23)).view(numpy.float32)
    n = ((bits >> 23).astype(numpy.int32) - 127 + above.astype(numpy.int32)).astype(numpy.float32)
    s = (m - F(1)) / (m + F(1))
    q = s * s
    total: Any = F(1) / F(9)
    for term in (F(1) / F(7), F(0.2), F(1) / F(3)):
        total = total * q + term
    total = total * q
    found: Floats = n * F(0.693359375) + (F(2) * s + (F(2) * s * total - n * F(2.12194440e-4)))
    return found.reshape(numpy.shape(x))


def inverse_sqrt(x: Floats) -> Floats:
    """`float_inverse_sqrt`."""
    bits = numpy.uint32(0x5F3759DF) - (numpy.atleast_1d(x).view(numpy.uint32) >> 1)
    y = bits.view(numpy.float32).reshape(numpy.shape(x))
    for _ in range(4):
        y = y * (F(1.5) - F(0.5) * x * y * y)
    return numpy.asarray(y, numpy.float32)


def sigmoid(x: Floats) -> Floats:
    return F(1) / (F(1) + exp(-x))


def tanh(x: Floats) -> Floats:
    e = exp(numpy.where(x < 0, F(2) * x, F(-2) * x))
    size = (F(1) - e) / (F(1) + e)
    return numpy.where(x < 0, -size, size)


def hard_sigmoid(x: Floats) -> Floats:
    return numpy.asarray(numpy.clip(x / F(6) + F(0.5), F(0), F(1)))


def relu(x: Floats) -> Floats:
    return numpy.where(x < 0, F(0), x)


def silu(x: Floats) -> Floats:
    return x * sigmoid(x)


def softsign(x: Floats) -> Floats:
    return numpy.asarray(x / (F(1) + numpy.abs(x)), F)


def linear(x: Floats) -> Floats:
    return x


ACTIVATIONS = {
    "tanh": tanh, "sigmoid": sigmoid, "hard_sigmoid": hard_sigmoid, "relu": relu, "linear": linear, "silu": silu,
    "softsign": softsign,
}  # fmt: skip


def sum_of(x: Floats, start: Any = None) -> Any:
    """Sum over the first axis, one term after the other, in float32."""
    total = numpy.zeros_like(x[0]) if start is None else start
    for one in x:
        total = total + one
    return total


def product(bias: Floats, matrix: Any, x: Floats, rows: slice = slice(None)) -> Floats:
    """`bias` plus the rows of a `Matrix` times x [K]."""
    if matrix.whole:
        return numpy.asarray(bias + matrix.quantized.times(x[None], rows)[0], numpy.float32)
    return numpy.asarray(sum_of(matrix.values[rows].T * x[:, None], bias), numpy.float32)
