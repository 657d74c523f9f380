"""Compression of weights: float16, and large matrices as int8 with a scale per row."""

from __future__ import annotations

from typing import Any

import numpy
from numpy.typing import NDArray

from gruworks.errors import WeightsError

__all__ = ["pack", "unpack"]

SCALE = ".scale"
LARGE = 800_000  # entries from which a matrix is stored as int8


def pack(weights: dict[str, NDArray[Any]], large: int = LARGE) -> dict[str, NDArray[Any]]:
    """Compress float32 arrays to float16, matrices of `large` entries to int8 [R, C] and `NAME.scale` [R] (float16).

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
    """Restore the float32 arrays of `pack`; arrays that were not packed are unchanged.

    Raises:
        WeightsError: a scale without an int8 matrix, or of another length than the matrix has rows.
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
        raise WeightsError(f"{name} is the scale of an int8 matrix, which is missing")
    if scale.dtype != numpy.float16 or scale.shape != table.shape[:1]:
        raise WeightsError(f"{name} must be float16 [{len(table)}], not {scale.dtype} {list(scale.shape)}")
