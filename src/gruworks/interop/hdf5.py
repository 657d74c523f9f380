"""HDF5 read without trust: no links, no data from elsewhere, no array that is larger than what the file stores."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from gruworks.errors import GruworksError, WeightsError, require
from gruworks.files import MIB

__all__ = ["DEPTH", "Group", "numbers", "opened", "shape_of", "text", "walk"]

Group = Any
DEPTH = 32
TEXT = 16 * MIB


@contextmanager
def opened(source: Path | IO[bytes], name: str, mode: str = "r") -> Iterator[Group]:
    """The open file; a WeightsError that names it for whatever h5py finds wrong with it, now or while it is read."""
    h5py = require("h5py", "exchange")
    try:
        with h5py.File(source, mode) as file:
            yield file
    except GruworksError as error:
        raise type(error)(f"{name}: {error}") from error
    except Exception as error:  # h5py passes on what the HDF5 library says, as KeyError, OSError, RuntimeError ...
        raise WeightsError(f"{name} is no whole Keras file ({str(error)[:300] or type(error).__name__})") from error


def walk(group: Group) -> Iterator[tuple[str, Group, dict[str, Any]]]:
    """Every group below this one, the group itself first: its path, itself, and its datasets by name.

    Raises:
        WeightsError: links, a group or dataset at two places, groups nested deeper than `DEPTH`.
    """
    h5py = require("h5py", "exchange")
    seen: set[int] = set()
    waiting = [("", group)]
    while waiting:
        path, here = waiting.pop()
        if path.count("/") >= DEPTH:
            raise WeightsError(f"the group {path} is nested deeper than {DEPTH}, which no Keras file has")
        children = {_printable(name): _child(h5py, here, name) for name in here}
        for name, child in (("", here), *children.items()) if not path else children.items():
            address = h5py.h5o.get_info(child.id).addr
            if address in seen:
                raise WeightsError(f"{path}/{name} stands at two places or within itself, which no Keras file has")
            seen.add(address)
        yield path, here, {name: child for name, child in children.items() if isinstance(child, h5py.Dataset)}
        groups = [(f"{path}/{name}".lstrip("/"), one) for name, one in children.items() if isinstance(one, h5py.Group)]
        waiting.extend(reversed(groups))


def shape_of(dataset: Any) -> tuple[int, ...]:
    """The shape; () of what has none, a null dataspace."""
    return tuple(dataset.shape or ())


def numbers(dataset: Any) -> Any:
    """The array in a dataset, in this machine's byte order.

    Raises:
        WeightsError: data in another file or dataset, compressed data, another type than floating-point numbers of 2, 4
            or 8 bytes, and a shape with more numbers than the file stores.
    """
    plist = dataset.id.get_create_plist()
    if plist.get_external_count() or dataset.is_virtual:
        raise WeightsError(f"{dataset.name} takes its numbers from another file or dataset, which isn't followed")
    if plist.get_nfilters():
        raise WeightsError(
            f"{dataset.name} is compressed, which Keras' own files are not: h5repack -f NONE OLD NEW unpacks it"
        )
    dtype = _dtype(dataset)
    if dtype is None or dtype.kind != "f" or dtype.itemsize not in (2, 4, 8):
        raise WeightsError(f"{dataset.name} holds {dtype or 'values of a foreign type'}, not floating-point numbers")
    stored, claimed = dataset.id.get_storage_size(), dataset.id.get_space().get_simple_extent_npoints() * dtype.itemsize
    if claimed > stored or stored > dataset.file.id.get_filesize():
        raise WeightsError(
            f"{dataset.name} has the shape {list(shape_of(dataset))}, {claimed:,} bytes; the file stores {stored:,}"
        )
    return dataset[()].astype(dtype.newbyteorder("="), copy=False)


def text(owner: Any, name: str) -> str | None:
    """The attribute of that name as text; None where there is none.

    Raises:
        WeightsError: an attribute that is no text, or a long one.
    """
    if name not in owner.attrs:
        return None
    attribute = owner.attrs.get_id(name)
    if attribute.get_storage_size() > TEXT or attribute.shape not in ((), (1,)):
        raise WeightsError(f"the attribute {name!r} of {owner.name} is no single text of at most {TEXT:,} bytes")
    value = owner.attrs[name]
    value = value[0] if getattr(value, "shape", ()) == (1,) else value
    if not isinstance(value, str | bytes):
        raise WeightsError(f"the attribute {name!r} of {owner.name} is no text but {type(value).__name__}")
    return _printable(value)


def _child(h5py: Any, group: Group, name: str | bytes) -> Any:
    link = group.get(name, getlink=True)
    if not isinstance(link, h5py.HardLink):
        where = f"{group.name}/{_printable(name)}".replace("//", "/")
        raise WeightsError(f"{where} is a {type(link).__name__}; links are not followed")
    return group[name]


def _dtype(dataset: Any) -> Any:
    try:
        return dataset.dtype
    except Exception:  # no counterpart in NumPy: h5py raises TypeError, and what NumPy raises
        return None


def _printable(text: str | bytes) -> str:
    """Names and texts that are not UTF-8, which h5py gives as bytes or with surrogates, spelt in ASCII."""
    if isinstance(text, bytes):
        return text.decode("utf-8", "backslashreplace")
    return text.encode("utf-8", "backslashreplace").decode()
