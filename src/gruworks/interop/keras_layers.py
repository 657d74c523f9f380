"""Assignment of the arrays of a Keras file to layers, by the model configuration or by group names."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from gruworks.errors import WeightsError
from gruworks.interop.keras_config import Described, Facts, assumed, described
from gruworks.interop.keras_file import Cell

__all__ = ["Layer", "layers_of"]

CONTAINERS = ("layers", "model_weights", "_layer_checkpoint_dependencies", "cell", "cells")
BELOW = {
    "layer": {"cell/vars": ""},
    "cell": {"vars": ""},
    "both": {"forward_layer/cell/vars": "forward", "backward_layer/cell/vars": "backward"},
}


class Layer(NamedTuple):
    name: str
    cells: list[Cell]  # the forward direction first
    facts: Facts


def layers_of(path: Path, cells: list[Cell], names: dict[str, str], config: Any) -> list[Layer]:
    """The GRU layers of a file in its order; the two cells of a Bidirectional are one layer.

    Args:
        path: the file.
        cells: its groups with the arrays of a GRU.
        names: names of layers by path.
        config: the model configuration, or None.

    Raises:
        WeightsError: arrays that match no layer of the configuration, or several.
    """
    try:
        layers = _by_groups(cells, names) if config is None else _by_description(cells, described(config))
    except WeightsError as error:
        raise WeightsError(f"{path}: {error}") from error
    repeated = [name for name, count in Counter(layer.name for layer in layers).items() if count > 1]
    if repeated:
        raise WeightsError(f"{path}: several layers are named {repeated[0]!r}: rename them")
    return layers


def _by_description(cells: list[Cell], known: list[Described]) -> list[Layer]:
    found: dict[Described, dict[str, Cell]] = {}
    for cell in cells:
        one, side = _match(cell.path, known)
        if side in found.setdefault(one, {}):
            raise WeightsError(f"the groups {found[one][side].path} and {cell.path} are both the layer {one.name!r}")
        found[one][side] = cell
    for one in known:
        sides = found.get(one, {})
        if one.facts.refused and one not in found:
            raise WeightsError(f"layer {one.name!r} has {one.facts.refused}")
        if sides and set(sides) != set(BELOW[one.kind].values()):
            raise WeightsError(f"layer {one.name!r} is Bidirectional, and has arrays of one direction")
    return [
        Layer(one.name, [sides[side] for side in sorted(sides, reverse=True)], one.facts)
        for one, sides in found.items()
    ]


def _match(path: str, known: list[Described]) -> tuple[Described, str]:
    """The layer of a group's path, and the direction if it is Bidirectional."""
    if f"/{path}".endswith("/vars"):
        place = path.replace("_layer_checkpoint_dependencies", "layers")
        matches = [
            (one, side) for one in known for end, side in BELOW[one.kind].items() if place == f"{one.path}/{end}"
        ]
    else:
        steps = path.removeprefix("model_weights/").split("/")
        side = re.search(r"/(forward|backward)_[^/]+/", path)
        matches = [(one, side[1] if side and one.kind == "both" else "") for one in _named(steps, known)]
    if len(matches) != 1:
        count = "no layer" if not matches else "more than one layer"
        raise WeightsError(
            f"the group {path} has the arrays of a GRU, and {count} of the model configuration matches it (is it in a "
            "custom class?), so activations and direction are unknown. Save it in a Sequential or Functional model or "
            "with model.save_weights('m.weights.h5'), for which Keras' defaults are assumed"
        )
    return matches[0]


def _named(steps: list[str], known: list[Described]) -> list[Described]:
    """Layers whose names occur in a path of an older file, preferably with all names of enclosing layers."""
    some = [one for one in known if one.names[:1] == (steps[0],) and one.names[-1] in steps]
    whole = [one for one in some if _within(one.names, steps)]
    return whole or some


def _within(names: tuple[str, ...], steps: list[str]) -> bool:
    rest = iter(steps)
    return all(name in rest for name in names)


def _by_groups(cells: list[Cell], names: dict[str, str]) -> list[Layer]:
    siblings = Counter(cell.path.rpartition("/")[0] for cell in cells)
    places = [_place(cell.path, siblings) for cell in cells]
    counts = Counter(places)
    layers: dict[str, list[Cell]] = {}
    for cell, (path, side) in zip(cells, places, strict=True):
        paired = counts[path, "forward"] == counts[path, "backward"] == 1
        found = layers.setdefault(path if paired or not side else f"{path}/{side}_layer", [])
        found.insert(0 if side == "forward" else len(found), cell)
    return [Layer(_name(names, path), found, Facts(warnings=(assumed(len(found)),))) for path, found in layers.items()]


def _place(path: str, siblings: Counter[str]) -> tuple[str, str]:
    """The path of a cell's layer, and its direction if that is Bidirectional, else ""."""
    if f"/{path}".endswith("/vars"):
        path = path.removesuffix("vars").rstrip("/").removesuffix("/cell")
    elif siblings[path.rpartition("/")[0]] == 1:  # older files: the cell's group is in its layer's
        path = path.rpartition("/")[0]
    found = re.fullmatch(r"(.*)/(forward|backward)_[^/]+", path)
    return (found[1], found[2]) if found else (path, "")


def _name(names: dict[str, str], path: str) -> str:
    """The layer names along a path, else the group names, without containers such as `layers`."""
    steps = path.split("/")
    paths = ["/".join(steps[: i + 1]) for i in range(len(steps))]
    parts = [
        names.get(one, step) for one, step in zip(paths, steps, strict=True) if one in names or step not in CONTAINERS
    ]
    return "/".join(dict.fromkeys(parts))  # older files repeat the layer's name
