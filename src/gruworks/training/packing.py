"""Weights made small for a package: float16, and large tables as 8-bit rows, each with a scale of its own."""

from __future__ import annotations

from typing import Any

import numpy
from numpy.typing import NDArray

from gruworks.errors import WeightsError

__all__ = ["pack", "unpack"]

SCALE = ".scale"
LARGE = 800_000  # entries from which a matrix is kept in 8 bits


def pack(weights: dict[str, NDArray[Any]], large: int = LARGE) -> dict[str, NDArray[Any]]:
    """float32 arrays as float16; matrices of `large` entries and more as int8 [R, C] beside `NAME.scale` [R] (float16).

    >>> sorted(pack({"table": numpy.ones((2, 3), numpy.float32), "bias": numpy.ones(3, numpy.float32)}, large=6))
    ['bias', 'table', 'table.scale']
    """
    packed: dict[str, NDArray[Any]] = {}
    for name, array in weights.items():
        if array.dtype != numpy.float32:
            packed[name] = array
        elif array.ndim == 2 and array.size >= large:
            scale = numpy.maximum(abs(array).max(1), 1e-4).astype(numpy.float32) / 127
            packed[name + SCALE] = scale.astype(numpy.float16)
            rows = array / packed[name + SCALE].astype(numpy.float32)[:, None]
            packed[name] = numpy.clip(numpy.rint(rows), -127, 127).astype(numpy.int8)
        else:
            packed[name] = array.astype(numpy.float16)
    return packed


def unpack(packed: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """float32 again; arrays of other types stay as they are, so that weights that were never packed pass through.

    Raises:
        WeightsError: a scale that belongs to no matrix of 8 bits, or isn't one number a row.
    """
    scales = {name: array for name, array in packed.items() if name.endswith(SCALE)}
    for name, scale in scales.items():
        _check_scale(name, scale, packed.get(name.removesuffix(SCALE)))
    weights: dict[str, NDArray[Any]] = {}
    for name, array in packed.items():
        if name + SCALE in scales:
            weights[name] = array.astype(numpy.float32) * scales[name + SCALE].astype(numpy.float32)[:, None]
        elif name not in scales:
            weights[name] = array.astype(numpy.float32) if array.dtype == numpy.float16 else array
    return weights


def _check_scale(name: str, scale: NDArray[Any], table: NDArray[Any] | None) -> None:
    if table is None or table.dtype != numpy.int8 or table.ndim != 2:
        raise WeightsError(f"{name} is the scale of a matrix of 8 bits, and there is none")
    if scale.dtype != numpy.float16 or scale.shape != table.shape[:1]:
        raise WeightsError(f"{name} must be float16 [{len(table)}], not {scale.dtype} {list(scale.shape)}")
