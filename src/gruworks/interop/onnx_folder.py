"""A whole model as a folder: its graphs as ONNX files, and `model.json`, which says what a program around them needs.

    model.json     format, versions; for each graph its file, inputs, outputs, what is carried from call to call, and
                   how far ONNX Runtime's numbers were from the original's; then the facts of the task
    NAME.onnx      each graph, weights inside

Nothing here knows a task: `tasks/*/exporting.py` say what the parts are.
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
    """One graph: `module(*inputs.values())` gives the outputs in order, as one flat tuple (or one tensor).

    Args:
        name: of the file, NAME.onnx.
        inputs: an example of each by name. others: more of them, of other sizes, to compare on.
        free: which axes of which input have which free size; one name is one size everywhere.
        carried: outputs that are inputs of the next call.
    """

    name: str
    module: torch.nn.Module
    inputs: Mapping[str, Tensor]
    outputs: Sequence[str]
    free: Mapping[str, Mapping[int, str]]
    others: Sequence[Mapping[str, Tensor]] = ()
    carried: Mapping[str, str] = field(default_factory=dict)


def write(parts: Sequence[Part], facts: Mapping[str, Any], folder: str | Path) -> dict[str, float]:
    """Write the parts and `model.json` into `folder`: new, empty, or holding an earlier export, which is replaced.

    Returns:
        For each part the largest difference of ONNX Runtime's outputs to the original's (see `onnx_export.export`).

    Raises:
        ExportError: what can't be written as ONNX, or numbers that are too far off; nothing is written then.
        OptionError: a folder that holds something else.
    """
    folder = Path(folder).resolve()
    _check(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as name:
        made = Path(name) / "made"
        made.mkdir()
        graphs = {part.name: _write_part(part, made) for part in parts}
        says = {"format": FORMAT, "versions": _versions(), "graphs": graphs, **facts}
        text = json.dumps(says, indent=1, ensure_ascii=False, allow_nan=False)
        (made / DESCRIPTION).write_text(text + "\n", encoding="utf-8")
        _move(made, folder)
    return {name: graph["largest_difference"] for name, graph in graphs.items()}


def _check(folder: Path) -> None:
    if folder.is_dir() and any(folder.iterdir()):
        others = [one.name for one in folder.iterdir() if one.name != DESCRIPTION and one.suffix != ".onnx"]
        if others or not (folder / DESCRIPTION).is_file():
            raise OptionError(f"{folder} holds files that are no earlier export: name another folder with --out")
    elif folder.exists() and not folder.is_dir():
        raise OptionError(f"{folder} is a file: an export is a folder")


def _move(made: Path, folder: Path) -> None:
    """The finished files into place; `model.json` goes first and comes last, so that it stands for a whole export."""
    if not folder.exists():
        made.replace(folder)
        return
    for old in sorted(folder.iterdir(), key=lambda one: one.name != DESCRIPTION):
        old.unlink()
    for new in sorted(made.iterdir(), key=lambda one: one.name == DESCRIPTION):
        new.replace(folder / new.name)


def _write_part(part: Part, folder: Path) -> dict[str, Any]:
    names = list(part.inputs)
    others = [tuple(one[name] for name in names) for one in part.others]
    free = {name: dict(axes) for name, axes in part.free.items()}
    try:
        model, worst = to_model(part.module, tuple(part.inputs.values()), names, part.outputs, free, others)
    except ExportError as error:
        raise ExportError(f"{part.name}.onnx: {error}") from error
    file = folder / f"{part.name}.onnx"
    file.write_bytes(model.SerializeToString())
    kept = {one.name for one in model.graph.input}
    return {
        "file": file.name,
        "inputs": {name: _shown(value, free.get(name, {})) for name, value in part.inputs.items() if name in kept},
        "outputs": list(part.outputs),
        "carried": dict(part.carried),
        "largest_difference": worst,
    }


def _shown(value: Tensor, free: Mapping[int, str]) -> dict[str, Any]:
    shape = [free.get(axis, size) for axis, size in enumerate(value.shape)]
    return {"type": str(value.dtype).removeprefix("torch."), "shape": shape}


def _versions() -> dict[str, Any]:
    return {"gruworks": __version__, "torch": torch.__version__, "opset": OPSET}
