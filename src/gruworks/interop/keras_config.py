"""A Keras model's own description: what its GRU layers say beside their weights, and one that we write."""

from __future__ import annotations

import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gruworks.errors import WeightsError
from gruworks.interop.stack import Merge, Stack
from gruworks.ops.weights import Reset

__all__ = ["Facts", "config_of", "facts_of", "sequential"]

Config = dict[str, Any]


@dataclass(frozen=True)
class Facts:
    """What a layer's description says; `refused` is what we can't compute, in words."""

    name: str = ""
    reset: Reset | None = None
    backwards: bool = False
    merge: Merge = "concat"
    refused: str = ""


def config_of(file: Any, path: Path) -> Config | None:
    """The description in a .keras archive or in an older whole-model .h5; None in a file of weights alone."""
    try:
        if path.suffix == ".keras":
            with zipfile.ZipFile(path) as archive:
                return dict(json.loads(archive.read("config.json")))
        said = file.attrs.get("model_config")
        return None if said is None else dict(json.loads(said))
    except (KeyError, ValueError) as error:
        raise WeightsError(f"{path} holds a model whose description can't be read ({error})") from error


def facts_of(config: Config | None) -> dict[str, Facts]:
    """By the path of the layer in the file, and by its name, which older files have as path."""
    found: dict[str, Facts] = {}
    for path, layer in _walk(config or {}, ""):
        facts = _facts(layer)
        found[path] = facts
        if found.setdefault(facts.name, facts) != facts:
            found[facts.name] = Facts(facts.name, refused="the same name as another layer that is described otherwise")
    return found


def _walk(layer: Config, path: str) -> Iterator[tuple[str, Config]]:
    """Every layer that is a GRU or a Bidirectional one, with its path in a Keras 3 weights file."""
    config = layer.get("config")
    if not isinstance(config, dict):
        return
    if _as_gru(layer) or (layer.get("class_name") == "Bidirectional" and _as_gru(config.get("layer"))):
        yield path, layer
        return
    for name in ("layer", "cell"):
        if isinstance(config.get(name), dict):
            yield from _walk(config[name], f"{path}/{name}".strip("/"))
    for name in ("layers", "cells"):
        seen: Counter[str] = Counter()
        for child in config.get(name) or []:
            snake = _snake(str(child.get("class_name")))
            unique = snake + (f"_{seen[snake]}" if seen[snake] else "")
            seen[snake] += 1
            yield from _walk(child, f"{path}/{name}/{unique}".strip("/"))


def _as_gru(layer: Any) -> Config | None:
    """The description of a GRU, a GRUCell, or an RNN of one GRUCell, as that of a GRU; None of anything else."""
    if not isinstance(layer, dict) or not isinstance(layer.get("config"), dict):
        return None
    config: Config = layer["config"]
    if layer.get("class_name") in ("GRU", "GRUCell"):
        return config
    cell = config.get("cell")
    if layer.get("class_name") != "RNN" or not isinstance(cell, dict) or cell.get("class_name") != "GRUCell":
        return None
    return {**cell["config"], "name": config.get("name"), "go_backwards": config.get("go_backwards")}


def _facts(layer: Config) -> Facts:
    gru = _as_gru(layer)
    if gru is not None:
        return _of_gru(gru)
    config = layer["config"]
    inner, other = _as_gru(config["layer"]) or {}, _as_gru(config.get("backward_layer"))
    one, two = _of_gru(inner), _of_gru(other or inner)
    merge = config.get("merge_mode", "concat")
    refused = one.refused or two.refused
    if merge is None:
        refused = "merge_mode=None, two outputs in place of one: save it with merge_mode='concat'"
    elif one.backwards:
        refused = "go_backwards=True within a Bidirectional, which exchanges its directions"
    return Facts(config.get("name", ""), one.reset, False, merge or "concat", refused)


def _of_gru(config: Config) -> Facts:
    refused = ""
    for name, expected in (("activation", "tanh"), ("recurrent_activation", "sigmoid")):
        given = config.get(name, expected)
        if given != expected:
            given = given if isinstance(given, str) else json.dumps(given)
            refused = f"{name}={given!r}; only {name}={expected!r} is a GRU here"
    after = config.get("reset_after", False)  # absent from files older than the option, which were "before"
    return Facts(
        config.get("name", ""), "after" if after else "before", bool(config.get("go_backwards")), "concat", refused
    )


def _snake(name: str) -> str:
    """As Keras names groups: GRU is gru, TimeDistributed time_distributed."""
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def sequential(stack: Stack) -> Config:
    """A Sequential model of the stack's layers, as Keras 3 describes one in a .keras archive."""
    width, layers = stack.input_size, []
    dtype = str(stack.dtype)
    start = {"batch_shape": [None, None, width], "dtype": dtype, "name": "input"}
    layers.append({"module": "keras.layers", "class_name": "InputLayer", "config": start, "registered_name": None})
    for i in range(stack.num_layers):
        gru = _gru(stack, f"gru_{i}")
        if stack.directions == 2:
            both = {"name": f"bidirectional_{i}", "dtype": dtype, "merge_mode": stack.merge, "layer": gru}
            both["backward_layer"] = _gru(stack, f"backward_gru_{i}", backwards=True)
            gru = {"module": "keras.layers", "class_name": "Bidirectional", "config": both, "registered_name": None}
        layers.append({**gru, "build_config": {"input_shape": [None, None, width]}})
        width = stack.hidden_size * stack.directions
    config: Config = {"name": "sequential", "trainable": True, "dtype": dtype, "layers": layers}
    build = {"input_shape": [None, None, stack.input_size]}
    return {
        "module": "keras", "class_name": "Sequential", "config": config, "registered_name": None, "build_config": build
    }  # fmt: skip


def _gru(stack: Stack, name: str, backwards: bool = False) -> Config:
    config = {
        "name": name, "dtype": str(stack.dtype), "units": stack.hidden_size, "activation": "tanh",
        "recurrent_activation": "sigmoid", "use_bias": stack.bias, "reset_after": stack.reset == "after",
        "return_sequences": True, "go_backwards": backwards or stack.reverse,
    }  # fmt: skip
    return {"module": "keras.layers", "class_name": "GRU", "config": config, "registered_name": None}
