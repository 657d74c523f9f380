"""Trees of Flax and Equinox as `.npz` files: each array under its path, "encoder.dense_i.kernel" or with slashes.

numpy.savez("model.npz", **{".".join(path): array for path, array in flax.traverse_util.flatten_dict(params).items()})
"""

from __future__ import annotations

import io
import math
import re
from pathlib import Path
from typing import Any

import numpy

from gruworks.errors import WeightsError
from gruworks.files import MIB, bounded_member, bounded_zip
from gruworks.interop import equinox, flax
from gruworks.interop.stack import Stack

__all__ = ["find", "read_tree"]

SLACK, FACTOR = 32 * MIB, 8  # arrays may unpack to so many bytes, and so many for each byte of the file


def find(path: str | Path) -> list[Stack]:
    """Every GRU cell in a file of a Flax or Equinox tree, by its path there.

    Raises:
        WeightsError: a file that is no whole .npz file of arrays of numbers, or has no such cell.
    """
    tree = read_tree(path)
    try:
        cells = flax.find(tree) | {name: equinox.from_cell(cell) for name, cell in _equinox(tree)}
        stacks = [Stack(name, ((weights,),)).check() for name, weights in cells.items()]
    except WeightsError as error:
        raise WeightsError(f"{path}: {error}") from error
    if not stacks:
        raise WeightsError(f"{path} has no GRU cell of Flax (dense_i, dense_h; ir ... hn) or Equinox (weight_ih ...)")
    return stacks


def read_tree(path: str | Path) -> dict[str, Any]:
    """The arrays of an .npz file as a tree of dictionaries."""
    tree: dict[str, Any] = {}
    with bounded_zip(path, error=WeightsError, kind=".npz file") as archive:
        left = SLACK + FACTOR * Path(path).stat().st_size
        for entry in archive.infolist():
            content = bounded_member(archive, entry.filename, left, WeightsError)
            left -= len(content)
            _place(tree, re.split(r"[./]", entry.filename.removesuffix(".npy")), _array(content, entry.filename), path)
    return tree


def _array(content: bytes, name: str) -> Any:
    """One .npy file; the shape that it states is compared with the bytes that follow."""
    stream = io.BytesIO(content)
    try:
        version = numpy.lib.format.read_magic(stream)
        read = numpy.lib.format.read_array_header_1_0 if version == (1, 0) else numpy.lib.format.read_array_header_2_0
        shape, columns, dtype = read(stream)
        if (
            dtype.hasobject
            or math.prod(shape) * dtype.itemsize != len(content) - stream.tell()
            or min(shape, default=0) < 0
        ):
            raise ValueError(f"{list(shape)} of {dtype} in {len(content) - stream.tell()} bytes")
        array = numpy.frombuffer(content, dtype, offset=stream.tell())
        return array.reshape(shape, order="F" if columns else "C").astype(dtype.newbyteorder("="))
    except Exception as error:  # NumPy evaluates the header as a Python literal, and raises what that raises
        raise WeightsError(f"{name} is no whole array of numbers ({error or type(error).__name__})") from error


def _place(tree: dict[str, Any], steps: list[str], array: Any, path: str | Path) -> None:
    if len(steps) > flax.DEPTH:
        raise WeightsError(f"{path} has a tree deeper than {flax.DEPTH}")
    for step in steps[:-1]:
        tree = tree.setdefault(step, {})
        if not isinstance(tree, dict):
            raise WeightsError(f"{path} has an array and a tree of the name {step!r}")
    if steps[-1] in tree:
        raise WeightsError(f"{path} has {'.'.join(steps)} twice")
    tree[steps[-1]] = array


def _equinox(tree: dict[str, Any], path: str = "") -> list[tuple[str, dict[str, Any]]]:
    """The parts of a tree that have an Equinox cell's fields."""
    here = [(path, tree)] if {"weight_ih", "weight_hh"} <= tree.keys() else []
    below = [(f"{path}/{name}".lstrip("/"), one) for name, one in tree.items() if isinstance(one, dict)]
    return here + [found for name, one in below for found in _equinox(one, name)]
