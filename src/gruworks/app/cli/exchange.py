"""`gruworks exchange`: GRU layers in files of other frameworks, listed and converted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gruworks.app.cli.common.flags import command
from gruworks.app.cli.common.show import Show
from gruworks.errors import OptionError
from gruworks.ops.weights import Reset

if TYPE_CHECKING:
    from gruworks.interop import Stack

__all__ = ["app"]

app = typer.Typer(
    help="GRU layers in files of Keras, TensorFlow, ONNX, PyTorch, Flax and Equinox.", no_args_is_help=True
)

ResetFlag = Annotated[
    Reset | None, typer.Option("--reset", help="Reset form of Keras weights without bias, which do not determine it.")
]
COLUMNS = (
    ("input", "input_size"), ("hidden", "hidden_size"), ("layers", "num_layers"), ("directions", "directions"),
    ("reset", "reset"), ("bias", "bias"), ("type", "dtype"),
)  # fmt: skip


@command(app)
def inspect(
    show: Show,
    file: Annotated[Path, typer.Argument(help=".keras, .h5, .onnx, .pt, .safetensors or .npz")],
    reset: ResetFlag = None,
) -> None:
    """List the GRU layers in a file: name, sizes, reset form, direction, and what the file does not determine."""
    from gruworks.interop import find

    stacks = find(file, reset)
    layers = [{"name": one.name or "(root)"} | {key: getattr(one, name) for key, name in COLUMNS} for one in stacks]
    if not layers:
        raise OptionError(f"{file} holds no GRU layer")
    show.table([{**layer, "directions": _directions(one)} for layer, one in zip(layers, stacks, strict=True)])
    for layer, stack in zip(layers, stacks, strict=True):
        _warn(show, stack)
        layer |= {"type": str(stack.dtype), "reversed": stack.reverse, "merge": stack.merge}
        layer |= {"candidate_activation": stack.unit.candidate, "gate_activation": stack.unit.gate}
        layer["warnings"] = list(stack.warnings)
    show.result({"file": str(file), "layers": layers})


@command(app)
def convert(
    show: Show,
    source: Annotated[Path, typer.Argument(help=".keras, .h5, .onnx, .pt, .safetensors or .npz")],
    target: Annotated[Path, typer.Argument(help=".keras, .weights.h5, .onnx or .safetensors")],
    layer: Annotated[str | None, typer.Option(help="Name of the layer, where the file holds several.")] = None,
    reset: ResetFlag = None,
) -> None:
    """Write one GRU of a file in another format."""
    from gruworks.interop import find, save_gru

    found = {stack.name: stack for stack in find(source, reset)}
    name = next(iter(found)) if layer is None and len(found) == 1 else layer
    if name not in found:
        asked = "choose one with --layer" if layer is None else f"none of them is {layer!r}"
        names = ", ".join(name or "(root)" for name in found) or "no GRU layer"
        raise OptionError(f"{source} holds {names}: {asked}")
    save_gru(found[name], target)
    show.answer(f"{name or 'the GRU'} of {source} is now in {target}")
    _warn(show, found[name])
    warnings = list(found[name].warnings)
    show.result({"layer": name, "source": str(source), "target": str(target), "warnings": warnings})


def _directions(stack: Stack) -> str:
    return "backward" if stack.reverse else "1" if stack.directions == 1 else f"2, {stack.merge}"


def _warn(show: Show, stack: Stack) -> None:
    for sentence in stack.warnings:
        show.answer(f"{stack.name or '(root)'}: {sentence}")
