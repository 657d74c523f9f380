"""Constant arrays and state fields of generated C, and matrices of float32 or 8-bit weights."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy
from numpy.typing import NDArray

from gruworks.ops.quantised import matrix

__all__ = ["Array", "Field", "Matrix", "Precision", "literal"]

Floats = NDArray[Any]
Precision = Literal["float32", "int8"]
TYPES = {"float32": "float", "float64": "double", "int8": "int8_t", "int32": "int32_t", "uint32": "uint32_t"}
WIDTH = 110  # of a line of numbers


@dataclass(frozen=True)
class Array:
    """A constant array: `static const TYPE NAME[N] = {...};`."""

    name: str
    values: Floats
    comment: str = ""

    @property
    def size(self) -> int:
        """Bytes of flash."""
        return int(self.values.nbytes)

    def __str__(self) -> str:
        kind, note = TYPES[str(self.values.dtype)], f" /* {self.comment} */" if self.comment else ""
        lines = "\n".join(_lines(literal(self.values)))
        return f"static const {kind} {self.name}[{self.values.size}] = {{{note}\n{lines}\n}};\n"


@dataclass(frozen=True)
class Field:
    """A field of the state: C type, name and number of elements, 0 for one that isn't an array.

    `first` is what it starts from: the name of an array, or a number.
    """

    kind: str
    name: str
    size: int = 0
    comment: str = ""
    first: str | float = 0

    @property
    def words(self) -> int:
        """Number of 32-bit words."""
        return max(self.size, 1) * (2 if self.kind == "double" else 1)

    def __str__(self) -> str:
        array = f"[{self.size}]" if self.size else ""
        return f"    {self.kind} {self.name}{array};" + (f" /* {self.comment} */" if self.comment else "")


@dataclass(frozen=True)
class Matrix:
    """Weights [rows, columns] under a name, float32 or, unless `exact`, int8 with a scale for each row."""

    name: str
    values: Floats
    precision: Precision
    exact: bool = field(default=False, kw_only=True)

    @property
    def whole(self) -> bool:
        """True for 8-bit weights."""
        return self.precision == "int8" and not self.exact

    def arrays(self) -> list[Array]:
        """Arrays in the order [columns][rows]."""
        rows, columns = self.values.shape
        note = f"[{columns}][{rows}]"
        if not self.whole:
            return [Array(self.name, self.values.T.ravel(), note)]
        small = self.quantized
        assert small.scale is not None
        return [Array(self.name, small.rows.T.ravel(), note), Array(f"{self.name}_scale", small.scale, "of each row")]

    @functools.cached_property
    def quantized(self) -> Any:
        """Rows of int8 and their scales."""
        return matrix(numpy.ascontiguousarray(self.values), "int8")

    def initializer(self) -> str:
        """Initializer of the C struct `matrix`."""
        rows, columns = self.values.shape
        if self.precision == "float32":
            return f"{{{self.name}, {rows}, {columns}}}"
        if self.whole:
            return f"{{{self.name}, {self.name}_scale, 0, {rows}, {columns}}}"
        return f"{{0, 0, {self.name}, {rows}, {columns}}}"


def literal(values: Floats) -> Iterator[str]:
    """C literals of numbers; shortest decimals that give the same bits."""
    ending = "f" if values.dtype == numpy.float32 else "u" if values.dtype == numpy.uint32 else ""
    return (text + ending for text in values.ravel().astype(str).tolist())


def _lines(items: Iterator[str]) -> Iterator[str]:
    """Lines of literals, as many as fit into WIDTH."""
    line = ""
    for item in itertools.chain(items, [""]):
        if line and (not item or len(line) + len(item) + 2 > WIDTH):
            yield f"    {line},"
            line = item
        else:
            line = f"{line}, {item}" if line else item
