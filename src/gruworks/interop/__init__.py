"""Weights and graphs to and from PyTorch, Keras and TensorFlow, ONNX, Flax and Equinox.

    from gruworks.interop import find, load_gru, save_gru

    find("model.keras")                     # the GRU layers of a file, as NumPy weights
    load_gru("model.onnx")["encoder"]       # a GRU layer as a module
    save_gru(gru, "model.onnx")             # writes a module; the suffix chooses the format

Each format has a module: `torch`, `keras`, `onnx`, `flax`, `equinox`. docs/exchange.md documents the conventions.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gruworks.interop.files import find, load_gru, save_gru
    from gruworks.interop.stack import Stack

__all__ = ["Stack", "find", "load_gru", "save_gru"]

_HOMES = {"Stack": "stack", "find": "files", "load_gru": "files", "save_gru": "files"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'gruworks.interop' has no attribute {name!r}; it has: {', '.join(__all__)}")
    return getattr(importlib.import_module(f"gruworks.interop.{_HOMES[name]}"), name)
