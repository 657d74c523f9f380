"""Reading of Flax and Equinox trees from `.npz` files, with paths as names ("encoder.dense_i.kernel", or slashes).

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

SLACK, FACTOR = 32 * MIB, 8  # limit of the unpacked bytes: SLACK + FACTOR * size of the file


def find(path: str | Path) -> list[Stack]:
    """Find the GRU cells in a file of a Flax or Equinox tree, named by their paths.

    Raises:
        WeightsError: the file is no complete .npz file of numbers, or has no such cell.
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
    """Read the arrays of an .npz file into nested dictionaries."""
    tree: dict[str, Any] = {}
    with bounded_zip(path, error=WeightsError, kind=".npz file") as archive:
        left = SLACK + FACTOR * Path(path).stat().st_size
        for entry in archive.infolist():
            content = bounded_member(archive, entry.filename, left, WeightsError)
            left -= len(content)
            _place(tree, re.split(r"[./]", entry.filename.removesuffix(".npy")), _array(content, entry.filename), path)
    return tree


def _array(content: bytes, name: str) -> Any:
    """Parse a .npy file, after comparing its shape with its number of bytes."""
    stream = io.BytesIO(content)
    try:
        version = numpy.lib.format.read_magic(stream)
        read = numpy.lib.format.read_array_header_1_0 if version == (1, 0) else numpy.lib.format.read_array_header_2_0
        shape, columns, dtype = read(stream)
        start = stream.tell()
        size = math.prod(shape) * dtype.itemsize
        if dtype.hasobject or size != len(content) - start or min(shape, default=0) < 0:
            raise ValueError(f"{list(shape)} of {dtype} in {len(content) - start} bytes")
        array = numpy.frombuffer(content, dtype, offset=start)
        return array.reshape(shape, order="F" if columns else "C").astype(dtype.newbyteorder("="))
    except Exception as error:  # NumPy parses the header as a Python literal
        raise WeightsError(f"{name} is not a complete array of numbers ({error or type(error).__name__})") from error


def _place(tree: dict[str, Any], steps: list[str], array: Any, path: str | Path) -> None:
    if len(steps) > flax.DEPTH:
        raise WeightsError(f"{path} has a tree deeper than {flax.DEPTH}")
    for step in steps[:-1]:
        tree = tree.setdefault(step, {})
        if not isinstance(tree, dict):
            raise WeightsError(f"{path} has both an array and a tree named {step!r}")
    if steps[-1] in tree:
        raise WeightsError(f"{path} has {'.'.join(steps)} twice")
    tree[steps[-1]] = array


def _equinox(tree: dict[str, Any], path: str = "") -> list[tuple[str, dict[str, Any]]]:
    """The subtrees with the fields of an Equinox cell, by path."""
    here = [(path, tree)] if {"weight_ih", "weight_hh"} <= tree.keys() else []
    below = [(f"{path}/{name}".lstrip("/"), one) for name, one in tree.items() if isinstance(one, dict)]
    return here + [found for name, one in below for found in _equinox(one, name)]
