"""Reading of ONNX tensors into arrays, with bounds on their size, also from external data files."""

from __future__ import annotations

import math
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import numpy

from gruworks.errors import WeightsError, require
from gruworks.files import regular_file

__all__ = ["TYPES", "array_of"]

TYPES = {1: "f4", 6: "i4", 7: "i8", 9: "?", 10: "f2", 11: "f8", 16: "f4"}  # ONNX element type → NumPy's
BFLOAT16 = 16  # two bytes per element, read as float32


def array_of(tensor: Any, folder: Path | None) -> Any:
    """The array of a TensorProto; bfloat16 becomes float32.

    Args:
        tensor: the tensor.
        folder: the folder of the model, in which external data must be; None refuses external data.

    Raises:
        WeightsError: an unsupported element type, segments, a shape that the data doesn't fill, or external data
            outside the folder.
    """
    if tensor.data_type not in TYPES:
        known = ", ".join(f"{number} ({numpy.dtype(name)})" for number, name in TYPES.items())
        raise WeightsError(f"the tensor {tensor.name!r} has the element type {tensor.data_type}; supported are {known}")
    if tensor.HasField("segment") or any(size < 0 for size in tensor.dims):
        raise WeightsError(f"the tensor {tensor.name!r} has segments or a negative size: {list(tensor.dims)}")
    onnx = require("onnx", "exchange")
    dtype = numpy.dtype(TYPES[tensor.data_type])
    size = 2 if tensor.data_type == BFLOAT16 else dtype.itemsize
    if tensor.data_location == tensor.EXTERNAL:
        content = _external(tensor, math.prod(tensor.dims) * size, folder)
        tensor = onnx.TensorProto(name=tensor.name, data_type=tensor.data_type, dims=tensor.dims, raw_data=content)
    try:
        return onnx.numpy_helper.to_array(tensor).astype(dtype, copy=False)
    except Exception as error:  # NumPy's errors on sizes and shapes
        raise _unfilled(tensor, f"its data ({error})") from error


def _external(tensor: Any, size: int, folder: Path | None) -> bytes:
    entries = {"offset": "0", "length": str(size), **{one.key: one.value for one in tensor.external_data}}
    if folder is None:
        raise WeightsError(f"the tensor {tensor.name!r} is in another file: give the model's path, not the model")
    offset, length = (_number(tensor, entries[key]) for key in ("offset", "length"))
    path = _within(tensor, entries.get("location", ""), folder)
    if length != size or offset + size > path.stat().st_size:
        raise _unfilled(tensor, f"{length} bytes from {offset} of {path}, which has {path.stat().st_size},")
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(size)
    except OSError as error:
        raise WeightsError(f"{path} can't be read: {error}") from error


def _within(tensor: Any, location: str, folder: Path) -> Path:
    parts = PurePosixPath(location).parts + PureWindowsPath(location).parts
    if not location or ".." in parts or PurePosixPath(location).is_absolute() or PureWindowsPath(location).anchor:
        raise WeightsError(f"the tensor {tensor.name!r} is in {location!r}; it must be in the model's folder")
    path = regular_file(folder / location, WeightsError)
    if not path.resolve().is_relative_to(folder.resolve()):
        raise WeightsError(f"the tensor {tensor.name!r} is in {location!r}, a link out of the model's folder")
    return path


def _number(tensor: Any, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 20):
        raise WeightsError(f"the tensor {tensor.name!r} has the offset or length {text[:40]!r} in its file")
    return int(text)


def _unfilled(tensor: Any, found: str) -> WeightsError:
    return WeightsError(f"the tensor {tensor.name!r} has the shape {list(tensor.dims)}, which {found} doesn't fill")
