"""Assignment of a Keras file's arrays to layers: by the model's description, or by the groups' names without one."""

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
    """The GRU layers of the file `path`, in its order; the two cells of a Bidirectional are one layer.

    `names` are what the file calls its groups, `config` is the model's description, or None.

    Raises:
        WeightsError: with a description: arrays that no layer in it accounts for, or several do.
    """
    try:
        layers = _by_groups(cells, names) if config is None else _by_description(cells, described(config))
    except WeightsError as error:
        raise WeightsError(f"{path}: {error}") from error
    repeated = [name for name, count in Counter(layer.name for layer in layers).items() if count > 1]
    if repeated:
        raise WeightsError(f"{path}: several layers are named {repeated[0]!r}: give them different names")
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
            raise WeightsError(f"layer {one.name!r} has arrays of one direction, and is described as Bidirectional")
    return [
        Layer(one.name, [sides[side] for side in sorted(sides, reverse=True)], one.facts)
        for one, sides in found.items()
    ]


def _match(path: str, known: list[Described]) -> tuple[Described, str]:
    """The described layer whose arrays stand in a group of that path, and the side of a Bidirectional."""
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
            f"the group {path} holds the arrays of a GRU, and {count} of the model's description fits it (a layer in a "
            "class of your own?), so nothing says its activations and direction: save it in a Sequential or Functional "
            "model, or save model.save_weights('m.weights.h5'), for which Keras' defaults are assumed"
        )
    return matches[0]


def _named(steps: list[str], known: list[Described]) -> list[Described]:
    """Layers whose names stand in an older file's path, which begins with the outermost one; the whole chain counts."""
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
    """The layer's path, that of a Bidirectional where the cell is in one, and the side of it ("" outside)."""
    if f"/{path}".endswith("/vars"):
        path = path.removesuffix("vars").rstrip("/").removesuffix("/cell")
    elif siblings[path.rpartition("/")[0]] == 1:  # an older file, whose cells stand under their layer by name
        path = path.rpartition("/")[0]
    found = re.fullmatch(r"(.*)/(forward|backward)_[^/]+", path)
    return (found[1], found[2]) if found else (path, "")


def _name(names: dict[str, str], path: str) -> str:
    """The names that Keras wrote beside the groups on the way, else the groups' own, without `layers/` and the like."""
    steps = path.split("/")
    paths = ["/".join(steps[: i + 1]) for i in range(len(steps))]
    parts = [
        names.get(one, step) for one, step in zip(paths, steps, strict=True) if one in names or step not in CONTAINERS
    ]
    return "/".join(dict.fromkeys(parts))  # older files repeat the layer's name
