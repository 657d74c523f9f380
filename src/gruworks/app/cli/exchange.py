"""`gruworks exchange`: what GRU layers a file of another framework holds, and one of them in another format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gruworks.app.cli.common.flags import Debug, Json, Quiet
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
    Reset | None, typer.Option("--reset", help="The form of Keras weights without bias, which alone don't tell it.")
]


@app.command()
def inspect(
    file: Annotated[Path, typer.Argument(help=".keras, .h5, .onnx, .pt, .safetensors or .npz")],
    reset: ResetFlag = None,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """List the GRU layers in a file: name, sizes, reset form, direction, and what the file leaves open."""
    from gruworks.interop import find

    stacks = find(file, reset)
    layers: list[dict[str, Any]] = [
        {
            "name": stack.name or "(root)",
            "input": stack.input_size,
            "hidden": stack.hidden_size,
            "layers": stack.num_layers,
            "directions": stack.directions,
            "reset": stack.reset,
            "bias": stack.bias,
            "type": str(stack.dtype),
        }
        for stack in stacks
    ]
    if not layers:
        raise OptionError(f"{file} holds no GRU layer")
    show = Show(as_json, quiet)
    show.table([{**layer, "directions": _directions(one)} for layer, one in zip(layers, stacks, strict=True)])
    for stack in stacks:
        _warn(show, stack)
    for layer, stack in zip(layers, stacks, strict=True):
        layer |= {"reversed": stack.reverse, "merge": stack.merge, "warnings": list(stack.warnings)}
    show.result({"file": str(file), "layers": layers})


@app.command()
def convert(
    source: Annotated[Path, typer.Argument(help=".keras, .h5, .onnx, .pt, .safetensors or .npz")],
    target: Annotated[Path, typer.Argument(help=".keras, .weights.h5, .onnx or .safetensors")],
    layer: Annotated[str | None, typer.Option("--layer", help="Which, where the file holds several.")] = None,
    reset: ResetFlag = None,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Write one GRU of a file in another format."""
    from gruworks.interop import find, save_gru

    found = {stack.name: stack for stack in find(source, reset)}
    name = next(iter(found)) if layer is None and len(found) == 1 else layer
    if name not in found:
        asked = "say which with --layer" if layer is None else f"none of them is {layer!r}"
        names = ", ".join(name or "(root)" for name in found) or "no GRU layer"
        raise OptionError(f"{source} holds {names}: {asked}")
    save_gru(found[name], target)
    show = Show(as_json, quiet)
    show.answer(f"{name or 'the GRU'} of {source} is now in {target}")
    _warn(show, found[name])
    warnings = list(found[name].warnings)
    show.result({"layer": name, "source": str(source), "target": str(target), "warnings": warnings})


def _directions(stack: Stack) -> str:
    return "backward" if stack.reverse else "1" if stack.directions == 1 else f"2, {stack.merge}"


def _warn(show: Show, stack: Stack) -> None:
    for sentence in stack.warnings:
        show.answer(f"{stack.name or '(root)'}: {sentence}")
