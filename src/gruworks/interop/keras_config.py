"""Model configurations of Keras: properties of GRU layers, and the configuration of written models."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from gruworks.interop.activations import KERAS
from gruworks.interop.stack import MERGES, Merge, Stack
from gruworks.ops.weights import Reset

__all__ = ["Described", "Facts", "assumed", "described", "sequential"]

Config = dict[str, Any]
COMMON = ("reset", "units", "bias", "time_major", "gate", "candidate")  # of both directions
OURS = ("", "keras", "tensorflow", "tf_keras", "builtins")  # modules of Keras' own classes and functions


@dataclass(frozen=True)
class Facts:
    """Properties of a layer; `refused` names an unsupported property, `warnings` are for the caller."""

    reset: Reset | None = None
    units: int | None = None
    bias: bool | None = None
    backwards: bool = False
    time_major: bool = False
    merge: Merge = "concat"
    gate: str = "sigmoid"
    candidate: str = "tanh"
    refused: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Described:
    """A GRU layer of a model: its path in a Keras 3 weights file, and the names of the enclosing layers and its own."""

    path: str
    names: tuple[str, ...]
    kind: str  # "layer"; "cell", one of several in an RNN; "both", a Bidirectional
    facts: Facts

    @property
    def name(self) -> str:
        return "/".join(self.names)

    def warned(self, *warnings: str) -> Described:
        return replace(self, facts=replace(self.facts, warnings=(*self.facts.warnings, *warnings)))


def assumed(directions: int) -> str:
    """A warning that lists the defaults assumed for a file of weights."""
    merge = ", merge_mode='concat'" if directions == 2 else ""
    return (
        "a weights file has no model configuration; assumed: activation='tanh', "
        f"recurrent_activation='sigmoid', go_backwards=False, time_major=False{merge}, stateful=False, no masking"
    )


def described(config: Any) -> list[Described]:
    """The GRU layers of a model configuration: `GRU`, `RNN` of `GRUCell`s and `Bidirectional`, in its order."""
    found, masks = list(_walk(_dict(config), "", ())), ", ".join(dict.fromkeys(_masks(config)))
    warning = f"the model masks steps ({masks}), this layer does not: pass lengths= if they are padding at the end"
    return [one.warned(warning) for one in found] if masks else found


def _masks(value: Any) -> Iterator[str]:
    """The layers of a model that compute masks or are called with one."""
    for layer in _dicts(value):
        config = _dict(layer.get("config"))
        if layer.get("class_name") == "Masking" or config.get("mask_zero"):
            yield f"{layer.get('class_name')} {_text(config.get('name'))!r}"
        if any(one.get("mask") is not None for one in _dicts(layer.get("inbound_nodes"))):
            yield f"mask= of {_text(config.get('name'))!r}"


def _dicts(value: Any) -> Iterator[Config]:
    """All objects in a JSON value; `read_json` limits its depth."""
    if isinstance(value, dict):
        yield value
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _dicts(child)


def _walk(layer: Config, path: str, names: tuple[str, ...]) -> Iterator[Described]:
    config, kind = _config(layer), _text(layer.get("class_name"))
    gru, both = _as_gru(layer), _as_gru(_dict(config.get("layer"))) if kind == "Bidirectional" else None
    if gru is not None:
        yield Described(path, names, "layer", _of_gru(gru))
    elif both is not None:
        yield Described(path, names, "both", _of_both(config, both))
    elif kind == "RNN":
        yield from _stacked(config, f"{path}/cell/cells", names)
    elif kind != "Bidirectional" and isinstance(config.get("layer"), dict):
        warning = f"it is wrapped in {kind} {_text(config.get('name'))!r}, which isn't loaded"
        yield from (one.warned(warning) for one in _walk(config["layer"], f"{path}/layer", names))
    for step, child in _numbered(config.get("layers")):
        name = _text(_config(child).get("name")) or step
        yield from _walk(child, f"{path}/layers/{step}".strip("/"), (*names, name))


def _stacked(config: Config, path: str, names: tuple[str, ...]) -> Iterator[Described]:
    """The cells of an RNN with several cells; `go_backwards` applies to the input of the first."""
    around = {key: config.get(key) for key in ("go_backwards", "stateful", "time_major")}
    for i, (step, cell) in enumerate(_numbered(_config(_dict(config.get("cell"))).get("cells"))):
        if _is_keras(cell, "GRUCell"):
            gru = {**_config(cell), **around, "go_backwards": i == 0 and around["go_backwards"]}
            yield Described(f"{path}/{step}", (*names, _text(gru.get("name")) or step), "cell", _of_gru(gru))


def _as_gru(layer: Config) -> Config | None:
    """The configuration of a GRU, also of an RNN with one GRUCell; None for other layers."""
    config = _config(layer)
    if _is_keras(layer, "GRU", "CuDNNGRU"):
        return {**config, "class_name": layer["class_name"]}
    cell = _dict(config.get("cell"))
    if not _is_keras(layer, "RNN") or not _is_keras(cell, "GRUCell"):
        return None
    return {**_config(cell), **{key: config.get(key) for key in ("name", "go_backwards", "stateful", "time_major")}}


def _is_keras(layer: Config, *kinds: str) -> bool:
    """True for Keras' own class of that name, not for one that a user registered."""
    module = _text(layer.get("module")).split(".")[0]
    return layer.get("class_name") in kinds and module in OURS and ">" not in _text(layer.get("registered_name"))


def _of_both(config: Config, gru: Config) -> Facts:
    other = _dict(config.get("backward_layer"))
    one, two = _of_gru(gru), _of_gru(_as_gru(other) or {"class_name": other.get("class_name")} if other else gru)
    merge, refused = config.get("merge_mode", "concat"), one.refused or two.refused
    if merge is None:
        refused = "merge_mode=None, which has two outputs: save it with merge_mode='concat'"
    elif merge not in MERGES:
        refused = f"merge_mode={merge!r}; supported are {', '.join(MERGES)}"
    elif one.backwards or (other and not two.backwards):
        refused = "go_backwards=True in its forward layer, which swaps the directions"
    elif any(getattr(one, name) != getattr(two, name) for name in COMMON):
        refused = "two directions with different configurations"
    return replace(one, merge=merge if merge in MERGES else "concat", refused=refused)


def _of_gru(config: Config) -> Facts:
    refused, activations = "", []
    for name, supported in (("activation", KERAS), ("recurrent_activation", ("sigmoid", "hard_sigmoid"))):
        given = _activation(config.get(name))
        activations.append(given)
        if given not in supported:
            refused = refused or f"{name}={given!r}; supported are {', '.join(supported)}"
    if config.get("class_name") not in (None, "GRU"):
        refused = f"the class {config['class_name']!r}; supported are GRU and RNN of GRUCell"
    after = config.get("reset_after", False)  # older files lack the option and have reset "before"
    units, bias = config.get("units"), config.get("use_bias")
    stateful = "stateful=True: Keras carries the state from call to call; pass the previous final state as hx"
    return Facts(
        reset="after" if after else "before",
        units=units if isinstance(units, int) else None,
        bias=bias if isinstance(bias, bool) else None,
        backwards=bool(config.get("go_backwards")),
        time_major=bool(config.get("time_major")),
        candidate=str(activations[0]),
        gate=str(activations[1]),
        refused=refused,
        warnings=(stateful,) if config.get("stateful") else (),
    )


def _activation(given: Any) -> Any:
    """The name of a function, also of one of Keras' own in object form; otherwise the configuration as text."""
    if given is None:
        return "linear"
    if isinstance(given, dict) and given.get("class_name") == "function" and _is_keras(given, "function"):
        return given.get("config")
    return given if isinstance(given, str) else json.dumps(given)


def _numbered(layers: Any) -> Iterator[tuple[str, Config]]:
    """Layers with the names of their groups in a weights file: gru, gru_1, dense ..."""
    seen: Counter[str] = Counter()
    for child in layers if isinstance(layers, list) else ():
        snake = _snake(_text(_dict(child).get("class_name")))
        yield snake + (f"_{seen[snake]}" if seen[snake] else ""), _dict(child)
        seen[snake] += 1


def _config(layer: Config) -> Config:
    """The configuration of a layer; the oldest Sequential models have a list of layers instead."""
    config = layer.get("config")
    return {"layers": config} if isinstance(config, list) else _dict(config)


def _dict(value: Any) -> Config:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _snake(name: str) -> str:
    """A class name in the form of Keras' group names: GRU → gru, TimeDistributed → time_distributed."""
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def sequential(stack: Stack) -> Config:
    """The configuration of a Sequential model with the layers of a stack, as Keras 3 writes it."""
    width, dtype = stack.input_size, str(stack.dtype)
    layers = [_layer("InputLayer", {"batch_shape": [None, None, width], "dtype": dtype, "name": "input"})]
    for i in range(stack.num_layers):
        gru = _gru(stack, f"gru_{i}")
        if stack.directions == 2:
            both = {"name": f"bidirectional_{i}", "dtype": dtype, "merge_mode": stack.merge, "layer": gru}
            gru = _layer("Bidirectional", both | {"backward_layer": _gru(stack, f"backward_gru_{i}", backwards=True)})
        layers.append({**gru, "build_config": {"input_shape": [None, None, width]}})
        width = stack.hidden_size * stack.directions
    model = _layer("Sequential", {"name": "sequential", "trainable": True, "dtype": dtype, "layers": layers})
    return {**model, "module": "keras", "build_config": {"input_shape": [None, None, stack.input_size]}}


def _layer(kind: str, config: Config) -> Config:
    return {"module": "keras.layers", "class_name": kind, "config": config, "registered_name": None}


def _gru(stack: Stack, name: str, backwards: bool = False) -> Config:
    return _layer("GRU", {
        "name": name, "dtype": str(stack.dtype), "units": stack.hidden_size, "activation": stack.unit.candidate,
        "recurrent_activation": stack.unit.gate, "use_bias": stack.bias, "reset_after": stack.reset == "after",
        "return_sequences": True, "go_backwards": backwards or stack.reverse,
    })  # fmt: skip
