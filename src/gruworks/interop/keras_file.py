"""GRU arrays, layer names and model configuration of Keras files and .keras archives."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from gruworks.errors import WeightsError
from gruworks.files import MIB, bounded_member, bounded_zip, read_json, regular_file
from gruworks.interop import hdf5

__all__ = [
    "INNER",
    "NAMES",
    "Cell",
    "cells_of",
    "config_of",
    "group_names",
    "major_version",
    "member",
    "opened",
]

NAMES = (("0", "1", "2"), ("kernel", "recurrent_kernel", "bias"), ("kernel:0", "recurrent_kernel:0", "bias:0"))
INNER = "model.weights.h5"  # the weights in a .keras archive
UNPACKED = 32 * MIB, 8  # limit of an unpacked member: first number of bytes + second * size of the archive
CONFIG = 16 * MIB


class Cell(NamedTuple):
    path: str  # of the group whose datasets these are, "layers/gru/cell/vars"
    datasets: list[Any]


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open an HDF5 file, or the one inside a .keras archive."""
    if path.is_dir():
        raise WeightsError(f"{path} is not a file (a SavedModel folder?): use model.save('model.keras')")
    regular_file(path, WeightsError)
    source = io.BytesIO(member(path, INNER)) if path.suffix == ".keras" else path
    with hdf5.opened(source, str(path)) as file:
        yield file


def member(path: Path, name: str) -> bytes:
    """Read a member of a .keras archive, of limited size."""
    with bounded_zip(path, error=WeightsError, kind="Keras file") as archive:
        if name not in archive.namelist():
            raise WeightsError(f"{path} has no {name}: it is not a .keras archive")
        return bounded_member(archive, name, UNPACKED[0] + UNPACKED[1] * path.stat().st_size, WeightsError)


def config_of(file: Any, path: Path) -> Any:
    """The model configuration of a .keras archive or an older .h5 model file; None for a file of weights."""
    text = member(path, "config.json") if path.suffix == ".keras" else hdf5.text(file, "model_config")
    if text is None:
        return None
    content = text.encode() if isinstance(text, str) else text
    config = read_json(content, CONFIG, error=WeightsError, name=f"the model configuration of {path}", nan=True)
    if not isinstance(config, dict) or not isinstance(config.get("config"), dict | list):
        raise WeightsError(f"the model configuration of {path} must be an object with class_name and config")
    return config


def major_version(file: Any, path: Path) -> int:
    """The major version of the Keras that wrote a model; 3 where the file doesn't state it."""
    if path.suffix == ".keras":
        with bounded_zip(path, error=WeightsError, kind="Keras file") as archive:
            if "metadata.json" not in archive.namelist():
                return 3
        metadata = read_json(member(path, "metadata.json"), CONFIG, error=WeightsError, name=f"the metadata of {path}")
        version = metadata.get("keras_version") if isinstance(metadata, dict) else None
    else:
        version = hdf5.text(file, "keras_version")
    first = str(version or "3").partition(".")[0]
    return int(first) if first.isdecimal() else 3


def cells_of(file: Any) -> list[Cell]:
    """The groups whose datasets have the names and shapes of a GRU's kernel, recurrent kernel and optional bias."""
    return [cell for path, _, datasets in hdf5.walk(file) for cell in _cells(path, datasets)]


def group_names(file: Any) -> dict[str, str]:
    """Names of layers by their paths, which Keras 3 writes to the groups `vars`."""
    found = {path: hdf5.text(group, "name") for path, group, _ in hdf5.walk(file) if f"/{path}".endswith("/vars")}
    return {path.removesuffix("vars").rstrip("/"): name for path, name in found.items() if name}


def _cells(path: str, datasets: dict[str, Any]) -> Iterator[Cell]:
    for names in NAMES:
        given = [datasets[name] for name in names if name in datasets]
        if set(datasets) in (set(names), set(names[:2])) and _is_gru([hdf5.shape_of(one) for one in given]):
            yield Cell(path, given)


def _is_gru(shapes: list[tuple[int, ...]]) -> bool:
    kernel, recurrent, *bias = shapes
    if not len(kernel) == len(recurrent) == 2 or 0 in kernel + recurrent:
        return False
    H, rows = recurrent
    return rows == kernel[1] == 3 * H and (not bias or bias[0] in ((2, 3 * H), (3 * H,)))
