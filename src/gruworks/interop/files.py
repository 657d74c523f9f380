"""One door for every file format: the suffix says which."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from gruworks.errors import OptionError, require
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
    """Every GRU in a Keras, ONNX, torch or .npz file, as NumPy weights with names.

        for stack in find("model.onnx"):
            print(stack.name, stack.num_layers, stack.directions, stack.hidden_size, stack.reset)

    `reset` is for Keras weights without bias, which alone don't tell their form.

    Raises:
        OptionError: a suffix of no known format. WeightsError: as the format's own `find`.
    """
    kind = _format(path)
    module: Any = require(f"gruworks.interop.{kind}", "exchange")
    if kind == "keras":
        return list(module.find(path, reset))
    return list(module.find(module.read_state(path) if kind == "torch" else path))


def load_gru(path: str | Path, reset: Reset | None = None) -> dict[str, GRU]:
    """Every GRU in a Keras, ONNX, torch or .npz file as a module, by name; in evaluation mode.

    gru = load_gru("model.keras")["encoder"]      # batch_first, as Keras is
    """
    from gruworks.interop.torch import to_module

    return {stack.name: to_module(stack) for stack in find(path, reset)}


def save_gru(gru: Any, path: str | Path) -> None:
    """Write a GRU (ours, torch's, or a Stack) as .onnx, .keras, .weights.h5 or .safetensors.

    Raises:
        OptionError: another suffix. WeightsError: what the format can't hold.
    """
    if not str(path).endswith(WRITTEN):
        raise OptionError(f"{path}: a GRU is written as {', '.join(WRITTEN)}")
    module: Any = require(f"gruworks.interop.{_format(path)}", "exchange")
    module.save_gru(gru, path)


def _format(path: str | Path) -> str:
    for suffix, kind in FORMATS.items():
        if str(path).endswith(suffix):
            return kind
    raise OptionError(f"{path}: known are {', '.join(FORMATS)}")
