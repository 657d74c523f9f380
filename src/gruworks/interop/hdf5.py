"""Reading of untrusted HDF5 files: no links, no external data, no array larger than the stored data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from gruworks.errors import GruworksError, WeightsError, require
from gruworks.files import MIB
from gruworks.interop.stack import printable

__all__ = ["DEPTH", "Group", "numbers", "opened", "shape_of", "text", "walk"]

Group = Any
DEPTH = 32
TEXT = 16 * MIB


@contextmanager
def opened(source: Path | IO[bytes], name: str, mode: str = "r") -> Iterator[Group]:
    """Open a file; errors of h5py, also later in the block, become a WeightsError that names it."""
    h5py = require("h5py", "exchange")
    try:
        with h5py.File(source, mode) as file:
            yield file
    except GruworksError as error:
        raise type(error)(f"{name}: {error}") from error
    except Exception as error:  # h5py raises KeyError, OSError, RuntimeError and others
        raise WeightsError(
            f"{name} is not a complete Keras file ({str(error)[:300] or type(error).__name__})"
        ) from error


def walk(group: Group) -> Iterator[tuple[str, Group, dict[str, Any]]]:
    """Yield a group and all groups below it: path, group, datasets by name.

    Raises:
        WeightsError: links, an object with several paths, or groups nested deeper than `DEPTH`.
    """
    h5py = require("h5py", "exchange")
    seen: set[int] = set()
    waiting = [("", group)]
    while waiting:
        path, here = waiting.pop()
        if path.count("/") >= DEPTH:
            raise WeightsError(f"the group {path} is nested deeper than {DEPTH} levels, the maximum for a Keras file")
        children = {printable(name): _child(h5py, here, name) for name in here}
        for name, child in (("", here), *children.items()) if not path else children.items():
            address = h5py.h5o.get_info(child.id).addr
            if address in seen:
                raise WeightsError(f"{path}/{name} has several paths or contains itself, as in no Keras file")
            seen.add(address)
        yield path, here, {name: child for name, child in children.items() if isinstance(child, h5py.Dataset)}
        groups = [(f"{path}/{name}".lstrip("/"), one) for name, one in children.items() if isinstance(one, h5py.Group)]
        waiting.extend(reversed(groups))


def shape_of(dataset: Any) -> tuple[int, ...]:
    """The shape of a dataset; () for a null dataspace."""
    return tuple(dataset.shape or ())


def numbers(dataset: Any) -> Any:
    """Read a dataset as an array in native byte order.

    Raises:
        WeightsError: external or virtual data, compression, a type other than floats of 2, 4 or 8 bytes, or a shape
            with more numbers than the file stores.
    """
    plist = dataset.id.get_create_plist()
    if plist.get_external_count() or dataset.is_virtual:
        raise WeightsError(f"{dataset.name} refers to data in another file or dataset, which is not read")
    if plist.get_nfilters():
        raise WeightsError(f"{dataset.name} is compressed: unpack the file with h5repack -f NONE OLD NEW")
    dtype = _dtype(dataset)
    if dtype is None or dtype.kind != "f" or dtype.itemsize not in (2, 4, 8):
        raise WeightsError(f"{dataset.name} has type {dtype or 'unknown'}; expected floating-point numbers")
    stored, claimed = dataset.id.get_storage_size(), dataset.id.get_space().get_simple_extent_npoints() * dtype.itemsize
    if claimed > stored or stored > dataset.file.id.get_filesize():
        raise WeightsError(f"{dataset.name}: its shape needs {claimed:,} bytes, but the file stores {stored:,}")
    return dataset[()].astype(dtype.newbyteorder("="), copy=False)


def text(owner: Any, name: str) -> str | None:
    """Read an attribute as text; None if it is missing.

    Raises:
        WeightsError: the attribute is not a text, or too long.
    """
    if name not in owner.attrs:
        return None
    attribute = owner.attrs.get_id(name)
    if attribute.get_storage_size() > TEXT or attribute.shape not in ((), (1,)):
        raise WeightsError(f"the attribute {name!r} of {owner.name} is not a single string of at most {TEXT:,} bytes")
    value = owner.attrs[name]
    value = value[0] if getattr(value, "shape", ()) == (1,) else value
    if not isinstance(value, str | bytes):
        raise WeightsError(f"the attribute {name!r} of {owner.name} must be a text, not {type(value).__name__}")
    return printable(value)


def _child(h5py: Any, group: Group, name: str | bytes) -> Any:
    link = group.get(name, getlink=True)
    if not isinstance(link, h5py.HardLink):
        where = f"{group.name}/{printable(name)}".replace("//", "/")
        raise WeightsError(f"{where} is a {type(link).__name__}; links are not followed")
    return group[name]


def _dtype(dataset: Any) -> Any:
    try:
        return dataset.dtype
    except Exception:  # the type has no counterpart in NumPy
        return None
