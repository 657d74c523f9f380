"""The numbers of an ONNX tensor, read by their own count: in the message, or in a file beside the model."""

from __future__ import annotations

import math
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import numpy

from gruworks.errors import WeightsError
from gruworks.files import regular_file

__all__ = ["TYPES", "array_of"]

TYPES = {  # ONNX' number of a type: ours, and the field that holds the numbers where raw_data doesn't
    1: ("<f4", "float_data"),
    6: ("<i4", "int32_data"),
    7: ("<i8", "int64_data"),
    9: ("?", "int32_data"),
    10: ("<f2", "int32_data"),
    11: ("<f8", "double_data"),
    16: ("bfloat16", "int32_data"),
}


def array_of(tensor: Any, folder: Path | None) -> Any:
    """The array in a TensorProto; `folder` is the model's, in which external data must lie. bfloat16 becomes float32.

    Raises:
        WeightsError: an element type that no GRU or shape has, segments, and a shape that the data doesn't fill;
            external data outside the folder, or of a model that is no file.
    """
    if tensor.data_type not in TYPES:
        raise WeightsError(f"the tensor {tensor.name!r} has the element type {tensor.data_type}; read are {_names()}")
    if tensor.HasField("segment") or any(size < 0 for size in tensor.dims):
        raise WeightsError(f"the tensor {tensor.name!r} has segments or a negative size: {list(tensor.dims)}")
    name, field = TYPES[tensor.data_type]
    dtype, count = numpy.dtype("<u2" if name == "bfloat16" else name), math.prod(tensor.dims)
    if tensor.data_location == tensor.EXTERNAL:
        array = _of_bytes(tensor, _external(tensor, count * dtype.itemsize, folder), dtype, count)
    elif tensor.HasField("raw_data"):
        array = _of_bytes(tensor, tensor.raw_data, dtype, count)
    else:
        array = _of_field(tensor, field, dtype, count)
    if name == "bfloat16":
        array = (array.astype(numpy.uint32) << 16).view(numpy.float32)
    try:
        return array.reshape(tuple(tensor.dims))
    except ValueError as error:  # more dimensions, or an empty one beside larger ones, than NumPy has
        raise _unfilled(tensor, f"{count} values") from error


def _of_bytes(tensor: Any, content: bytes, dtype: Any, count: int) -> Any:
    if len(content) != count * dtype.itemsize:
        raise _unfilled(tensor, f"{len(content)} bytes")
    return numpy.frombuffer(content, dtype).astype(dtype.newbyteorder("="), copy=False)


def _of_field(tensor: Any, field: str, dtype: Any, count: int) -> Any:
    values = getattr(tensor, field)
    if len(values) != count:
        raise _unfilled(tensor, f"{len(values)} values in {field}")
    if field == "int32_data" and dtype.itemsize == 2:  # halves lie there as their bits
        return numpy.array(values, numpy.int64).astype(numpy.uint16).view(dtype)
    return numpy.array(values, dtype.newbyteorder("="))


def _external(tensor: Any, size: int, folder: Path | None) -> bytes:
    said = {one.key: one.value for one in tensor.external_data}
    if folder is None:
        raise WeightsError(f"the tensor {tensor.name!r} is in another file: give the model's path, not the model")
    offset, length = (_number(tensor, said.get(key), other) for key, other in (("offset", 0), ("length", size)))
    path = _within(tensor, said.get("location", ""), folder)
    if length != size or offset + size > path.stat().st_size:
        raise _unfilled(tensor, f"{length} bytes from {offset} of {path}, which has {path.stat().st_size}")
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(size)
    except OSError as error:
        raise WeightsError(f"{path} can't be read: {error}") from error


def _within(tensor: Any, location: str, folder: Path) -> Path:
    parts = PurePosixPath(location).parts + PureWindowsPath(location).parts
    if not location or ".." in parts or PurePosixPath(location).is_absolute() or PureWindowsPath(location).anchor:
        raise WeightsError(f"the tensor {tensor.name!r} is in {location!r}; it must lie in the model's folder")
    path = regular_file(folder / location, WeightsError)
    if not path.resolve().is_relative_to(folder.resolve()):
        raise WeightsError(f"the tensor {tensor.name!r} is in {location!r}, a link out of the model's folder")
    return path


def _number(tensor: Any, text: str | None, other: int) -> int:
    if text is None:
        return other
    if not (text.isascii() and text.isdecimal() and len(text) < 20):
        raise WeightsError(f"the tensor {tensor.name!r} has the offset or length {text[:40]!r} in its file")
    return int(text)


def _unfilled(tensor: Any, found: str) -> WeightsError:
    return WeightsError(f"the tensor {tensor.name!r} has the shape {list(tensor.dims)}, which {found} don't fill")


def _names() -> str:
    return ", ".join(f"{number} ({name.lstrip('<')})" for number, (name, _) in TYPES.items())
