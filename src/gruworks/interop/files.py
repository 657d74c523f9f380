"""Reading and writing of GRUs in files, with the format chosen by the suffix."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gruworks.errors import OptionError, require
from gruworks.interop import state_dict_grus
from gruworks.interop.stack import Stack
from gruworks.ops.weights import Reset

if TYPE_CHECKING:
    from gruworks.nn.gru import GRU

__all__ = ["FORMATS", "find", "load_gru", "save_gru"]

FORMATS = {
    ".keras": "keras",
    ".weights.h5": "keras",
    ".h5": "keras",
    ".hdf5": "keras",
    ".onnx": "onnx",
    ".safetensors": "torch",
    ".pt": "torch",
    ".pth": "torch",
    ".npz": "npz",
}
WRITTEN = (".keras", ".weights.h5", ".onnx", ".safetensors")


def find(path: str | Path, reset: Reset | None = None) -> list[Stack]:
    """Find the GRUs of a Keras, ONNX, torch or .npz file.

    >>> import tempfile, torch
    >>> path = f"{tempfile.mkdtemp()}/gru.safetensors"
    >>> save_gru(torch.nn.GRU(3, 4), path)
    >>> [(stack.num_layers, stack.hidden_size, stack.reset) for stack in find(path)]
    [(1, 4, 'after')]

    Args:
        path: the file.
        reset: reset form of Keras layers without bias, if the file does not state it.

    Returns:
        A `Stack` for each GRU, with name, sizes, reset form, and the weights of each layer and direction.

    Raises:
        OptionError: an unknown suffix.
        WeightsError: as `find` of the format's module.
    """
    kind = _format(path)
    if str(path).endswith(".safetensors") and not importlib.util.find_spec("torch"):
        return state_dict_grus.find(state_dict_grus.read_safetensors(path), lambda _, value: value)
    module: Any = require(f"gruworks.interop.{kind}", "torch" if kind == "torch" else "exchange")
    if kind == "keras":
        return list(module.find(path, reset))
    return list(module.find(module.read_state(path) if kind == "torch" else path))


def load_gru(path: str | Path, reset: Reset | None = None) -> dict[str, GRU]:
    """Load the GRUs of a file as modules in evaluation mode.

    >>> import tempfile, torch
    >>> path = f"{tempfile.mkdtemp()}/gru.safetensors"
    >>> save_gru(torch.nn.GRU(3, 4), path)
    >>> load_gru(path)
    {'': GRU(3, 4)}

    Args:
        path: the file.
        reset: reset form of Keras layers without bias, if the file does not state it.

    Returns:
        A `gruworks.GRU` for each GRU of the file, by its name; batch_first where the format is, as in Keras.

    Raises:
        OptionError, WeightsError: as `find`.
    """
    to_module = require("gruworks.interop.torch", "torch").to_module

    return {stack.name: to_module(stack) for stack in find(path, reset)}


def save_gru(gru: Any, path: str | Path) -> None:
    """Write a GRU as .onnx, .keras, .weights.h5 or .safetensors.

    >>> import tempfile, torch
    >>> save_gru(torch.nn.GRU(3, 4), f"{tempfile.mkdtemp()}/gru.safetensors")

    Args:
        gru: a module (torch's or ours) or a `Stack`.
        path: the file to write.

    Raises:
        OptionError: another suffix.
        WeightsError: a property that the format can't represent.
    """
    if not str(path).endswith(WRITTEN):
        raise OptionError(f"{path}: a GRU is written as {', '.join(WRITTEN)}")
    module: Any = require(f"gruworks.interop.{_format(path)}", "exchange")
    module.save_gru(gru, path)


def _format(path: str | Path) -> str:
    for suffix, kind in FORMATS.items():
        if str(path).endswith(suffix):
            return kind
    raise OptionError(f"{path} has an unknown extension: use one of {', '.join(FORMATS)}")
