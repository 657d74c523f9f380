"""Where a Keras file holds the arrays of its GRU layers: Keras 3's groups, and those of older files."""

from __future__ import annotations

import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from gruworks.errors import WeightsError, require

__all__ = ["CONTAINERS", "INNER", "NAMES", "Cell", "Layer", "layers_of", "opened", "weights_member"]

NAMES = (("0", "1", "2"), ("kernel", "recurrent_kernel", "bias"), ("kernel:0", "recurrent_kernel:0", "bias:0"))
CONTAINERS = ("layers", "model_weights", "_layer_checkpoint_dependencies", "cell", "cells")
INNER = "model.weights.h5"  # a .keras archive's weights


class Cell(NamedTuple):
    path: str  # of the layer, "layers/gru"
    datasets: list[Any]


class Layer(NamedTuple):
    name: str
    path: str
    cells: list[Cell]


def opened(path: Path) -> Any:
    """The open HDF5 file, also from inside a .keras archive."""
    h5py = require("h5py", "exchange")
    if not path.is_file():
        hint = "; a SavedModel folder isn't read: model.save('model.keras')" if path.is_dir() else ""
        raise WeightsError(f"{path} is not a file{hint}")
    try:
        return h5py.File(io.BytesIO(weights_member(path)) if path.suffix == ".keras" else path, "r")
    except (OSError, zipfile.BadZipFile) as error:
        raise WeightsError(f"{path} is no whole Keras file ({error})") from error


def weights_member(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        if INNER not in archive.namelist():
            raise WeightsError(f"{path} has no {INNER} inside: it is no .keras archive")
        return archive.read(INNER)


def _cells(group: Any, path: str = "") -> Iterator[Cell]:
    """Groups whose datasets are a GRU's kernel, recurrent kernel and perhaps bias, by their shapes."""
    h5py = require("h5py", "exchange")
    children = {name: group[name] for name in group}
    datasets = {name: child for name, child in children.items() if isinstance(child, h5py.Dataset)}
    for names in NAMES:
        given = [datasets[name] for name in names if name in datasets]
        if set(datasets) in (set(names), set(names[:2])) and _is_gru(given):
            yield Cell(path, given)
    for name, child in children.items():
        if isinstance(child, h5py.Group):
            yield from _cells(child, f"{path}/{name}" if path else name)


def _is_gru(datasets: list[Any]) -> bool:
    if not all(datasets[i].ndim == 2 for i in (0, 1)):
        return False
    (_, width), (H, rows), *bias = (one.shape for one in datasets)
    return bool(rows == width == 3 * H and (not bias or bias[0] in ((2, 3 * H), (3 * H,))))


def layers_of(file: Any) -> list[Layer]:
    """Cells as layers: the two of a Bidirectional are one."""
    cells = list(_cells(file))
    siblings = Counter(cell.path.rpartition("/")[0] for cell in cells)
    layers: dict[str, Layer] = {}
    for cell in cells:
        path, side = _layer_path(cell.path, siblings)
        known = layers.setdefault(path, Layer(_name(file, path), path, []))
        known.cells.insert(0 if side == "forward" else len(known.cells), cell)
    return list(layers.values())


def _layer_path(path: str, siblings: Counter[str]) -> tuple[str, str]:
    """The layer's path, that of a Bidirectional where the cell is in one, and the side of it ("" outside)."""
    if path.endswith("/vars"):
        path = path.removesuffix("/vars").removesuffix("/cell")
    elif siblings[path.rpartition("/")[0]] == 1:  # an older file, whose cells stand under their layer by name
        path = path.rpartition("/")[0]
    found = re.fullmatch(r"(.*)/(forward|backward)_[^/]+", path)
    return (found[1], found[2]) if found else (path, "")


def _name(file: Any, path: str) -> str:
    """The names that Keras wrote beside the groups on the way, else the groups' own, without `layers/` and the like."""
    parts: list[str] = []
    steps = path.split("/")
    for i, step in enumerate(steps):
        here = file["/".join(steps[: i + 1])]
        said = here["vars"].attrs.get("name") if "vars" in here else None
        if said is not None or step not in CONTAINERS:
            parts.append(str(said or step))
    return "/".join(dict.fromkeys(parts))  # older files repeat the layer's name
