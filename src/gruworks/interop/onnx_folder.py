"""Export of a task's model as a folder of ONNX files with a description, `model.json`.

    model.json     format, versions; for each graph its file, inputs, outputs, state tensors and the largest difference
                   between ONNX Runtime and the original; then entries of the task
    NAME.onnx      each graph, including its weights

The graphs of a task are defined in its `exporting.py`.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gruworks import __version__
from gruworks.errors import ExportError, OptionError
from gruworks.interop.onnx_export import to_model
from gruworks.interop.onnx_write import OPSET

__all__ = ["FORMAT", "Part", "write"]

FORMAT = 1
DESCRIPTION = "model.json"


@dataclass(frozen=True)
class Part:
    """One graph: `module(*inputs.values())` returns the outputs in order, as a flat tuple or one tensor.

    Args:
        name: name of the file, NAME.onnx.
        module: the module to export.
        inputs: an example of each input by name.
        outputs: names of the outputs.
        free: names of the dynamic axes of each input; axes with one name have one size.
        others: more example inputs, of other sizes, for the comparison.
        carried: state outputs and the inputs to which the next call passes them.
    """

    name: str
    module: torch.nn.Module
    inputs: Mapping[str, Tensor]
    outputs: Sequence[str]
    free: Mapping[str, Mapping[int, str]]
    others: Sequence[Mapping[str, Tensor]] = ()
    carried: Mapping[str, str] = field(default_factory=dict)


def write(parts: Sequence[Part], facts: Mapping[str, Any], folder: str | Path) -> dict[str, float]:
    """Write graphs and `model.json` into a new or empty folder, or replace an earlier export.

    Args:
        parts: the graphs.
        facts: further entries of `model.json`.
        folder: the folder to write.

    Returns:
        For each graph the largest difference between ONNX Runtime and the module (see `onnx_export.export`).

    Raises:
        ExportError: a graph can't be exported or differs by more than 1e-5; then nothing is written.
        OptionError: the folder holds other files.
    """
    folder = Path(folder).resolve()
    _check(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as name:
        made = Path(name) / "made"
        made.mkdir()
        graphs = {part.name: _write_part(part, made) for part in parts}
        versions = {"gruworks": __version__, "torch": torch.__version__, "opset": OPSET}
        description = {"format": FORMAT, "versions": versions, "graphs": graphs, **facts}
        text = json.dumps(description, indent=1, ensure_ascii=False, allow_nan=False)
        (made / DESCRIPTION).write_text(text + "\n", encoding="utf-8")
        _move(made, folder)
    return {name: graph["largest_difference"] for name, graph in graphs.items()}


def _check(folder: Path) -> None:
    if folder.is_dir() and any(folder.iterdir()):
        others = [one.name for one in folder.iterdir() if one.name != DESCRIPTION and one.suffix != ".onnx"]
        if others or not (folder / DESCRIPTION).is_file():
            raise OptionError(f"{folder} holds other files than an earlier export: choose another folder with --out")
    elif folder.exists() and not folder.is_dir():
        raise OptionError(f"{folder} is a file: expected a folder")


def _move(made: Path, folder: Path) -> None:
    """Replace the files of the folder; `model.json` is removed first and written last, as mark of completeness."""
    if not folder.exists():
        made.replace(folder)
        return
    for old in sorted(folder.iterdir(), key=lambda one: one.name != DESCRIPTION):
        old.unlink()
    for new in sorted(made.iterdir(), key=lambda one: one.name == DESCRIPTION):
        new.replace(folder / new.name)


def _write_part(part: Part, folder: Path) -> dict[str, Any]:
    names = list(part.inputs)
    cases = [[one[name] for name in names] for one in (part.inputs, *part.others)]
    try:
        model, worst = to_model(part.module, cases[0], names, part.outputs, part.free, cases[1:])
    except ExportError as error:
        raise ExportError(f"{part.name}.onnx: {error}") from error
    file = folder / f"{part.name}.onnx"
    file.write_bytes(model.SerializeToString())
    kept = {one.name for one in model.graph.input}
    return {
        "file": file.name,
        "inputs": {name: _shown(part.inputs[name], part.free.get(name, {})) for name in names if name in kept},
        "outputs": list(part.outputs),
        "carried": dict(part.carried),
        "largest_difference": worst,
    }


def _shown(value: Tensor, free: Mapping[int, str]) -> dict[str, Any]:
    shape = [free.get(axis, size) for axis, size in enumerate(value.shape)]
    return {"type": str(value.dtype).removeprefix("torch."), "shape": shape}
