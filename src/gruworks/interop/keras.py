"""Reading and writing of Keras files with h5py alone: `.weights.h5`, `.keras`, and older `.h5` model files.

Keras has gates z, r, h; z keeps; transposed kernels [I, 3H]; `reset_after=True` has a bias [2, 3H] (input, hidden),
`reset_after=False` a bias [3H]. A weights file states no activations; Keras' defaults are assumed. The hard sigmoid of
Keras 1 and 2 has another slope than Keras 3's, which is expressed in the weights.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy

from gruworks.errors import WeightsError, require
from gruworks.files import bounded_zip
from gruworks.interop import hdf5
from gruworks.interop.activations import KERAS_2, Function, converted
from gruworks.interop.keras_config import Facts, sequential
from gruworks.interop.keras_file import (
    INNER,
    NAMES,
    Cell,
    cells_of,
    config_of,
    group_names,
    major_version,
    member,
    opened,
)
from gruworks.interop.keras_layers import Layer, layers_of
from gruworks.interop.stack import Stack
from gruworks.ops.weights import GRUWeights, Reset

if TYPE_CHECKING:
    from gruworks.nn.gru import GRU

__all__ = ["find", "from_weights", "load_gru", "save_gru", "to_weights", "write_back"]


def from_weights(weights: Sequence[Any], reset: Reset | None = None) -> GRUWeights:
    """Convert the weights of a Keras `GRU` or `GRUCell`, `layer.get_weights()`, without rounding.

    >>> from_weights(to_weights(GRUWeights.random(3, 4))).reset
    'after'

    Args:
        weights: kernel [I, 3H], recurrent kernel [H, 3H] and, if there is one, bias [2, 3H] or [3H].
        reset: reset form, "after" for `reset_after=True`; required without bias, else known from its shape.
    """
    kernel, recurrent, *rest = (numpy.array(array) for array in weights)
    bias = rest[0] if rest else None
    if bias is not None:
        if bias.shape not in ((2, recurrent.shape[-1]), recurrent.shape[-1:]):
            raise WeightsError(f"a bias must be [2, 3H] or [3H] beside {list(recurrent.shape)}, not {list(bias.shape)}")
        found: Reset = "after" if bias.ndim == 2 else "before"
        if reset not in (None, found):
            raise WeightsError(f"a bias {list(bias.shape)} belongs to reset={found!r}, not to reset={reset!r}")
        reset = found
    if reset is None:
        raise WeightsError("without bias the reset form is unknown: pass reset='after' (reset_after=True) or 'before'")
    w_ih, w_hh = kernel.T.copy(), recurrent.T.copy()
    if reset == "after" and bias is not None:
        given = GRUWeights(w_ih, w_hh, bias[0], bias[1], reset=reset)
    else:
        given = GRUWeights.with_merged(w_ih, w_hh, bias, reset=reset)
    return GRUWeights.from_layout(*given.arrays(), reset=reset, update="keeps", order="zrn")


def to_weights(weights: GRUWeights) -> list[Any]:
    """Convert weights to arrays for `layer.set_weights`; with reset "before", summing the biases rounds once.

    >>> [array.shape for array in to_weights(GRUWeights.random(3, 4, reset="before"))]
    [(3, 12), (4, 12), (12,)]
    """
    if weights.reset == "before":
        b, _ = weights.merged()
        weights = replace(weights, b_ih=b, b_hh=None)
    w_ih, w_hh, b_ih, b_hh = weights.to_layout(update="keeps", order="zrn")
    kernels = [w_ih.T.copy(), w_hh.T.copy()]
    if b_ih is None and b_hh is None:
        return kernels
    if weights.reset == "before":
        return [*kernels, b_ih]
    zeros = numpy.zeros_like(w_ih[:, 0])
    return [*kernels, numpy.stack([zeros if b is None else b for b in (b_ih, b_hh)])]


def find(path: str | Path, reset: Reset | None = None) -> list[Stack]:
    """Find the GRU layers of a Keras file; a Bidirectional is one layer.

    Args:
        path: the file.
        reset: reset form of layers without bias in a weights file, which does not state it.

    Raises:
        WeightsError: the file is of another format, incomplete or has no GRU; or a layer has other activations than
            `ops.activations`, or `merge_mode=None`.
        MissingExtraError: h5py is not installed.
    """
    path = Path(path)
    with opened(path) as file:
        config, names = config_of(file, path), group_names(file)
        version = 3 if config is None else major_version(file, path)
        cells = [Cell(cell.path, [hdf5.numbers(one) for one in cell.datasets]) for cell in cells_of(file)]
    if not cells:
        raise WeightsError(f"{path} has no GRU layer (a group with matrices [I, 3H] and [H, 3H])")
    return [_stack(path, layer, reset, version) for layer in layers_of(path, cells, names, config)]


def load_gru(path: str | Path, reset: Reset | None = None) -> dict[str, GRU]:
    """Load the GRU layers of a Keras file as `batch_first` modules, by name. Arguments and errors as `find`."""
    to_module = require("gruworks.interop.torch", "torch").to_module

    return {stack.name: to_module(stack) for stack in find(path, reset)}


def save_gru(gru: Any, path: str | Path) -> None:
    """Write a GRU as a Keras Sequential model (`.keras`), or its weights (`.weights.h5`).

    `keras.models.load_model(path)` opens a `.keras` file; its layers return sequences. Biases as in `to_weights`.

    Args:
        gru: a module (torch's or ours) or a `Stack`.
        path: the file to write.

    Raises:
        WeightsError: a stored initial state, or a reversed GRU with outputs in input order.
    """
    from gruworks.interop.torch import as_stack

    stack = as_stack(gru)
    if stack.initial is not None or (stack.reverse and not stack.reading_order):
        raise WeightsError("a Keras file has no initial state, and the outputs of a reversed Keras GRU are reversed")
    path = Path(path)
    if path.suffix != ".keras":
        stack.weights[0][0].usual("a Keras file of weights, which states no activations, (write .keras instead)")
    content = io.BytesIO()
    with require("h5py", "exchange").File(content, "w") as file:
        for name, cell in _keras_paths(stack):
            for key, array in zip(NAMES[0], to_weights(cell), strict=False):
                file[f"{name}/cell/vars/{key}"] = array
    if path.suffix == ".keras":
        inner, content = content, io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr("metadata.json", json.dumps({"keras_version": "3.0.0", "date_saved": ""}))
            archive.writestr("config.json", json.dumps(sequential(stack)))
            archive.writestr(INNER, inner.getvalue())
    path.write_bytes(content.getvalue())


def write_back(source: str | Path, stacks: Sequence[Stack], target: str | Path) -> None:
    """Copy a Keras file and replace the weights of its GRU layers.

    Unchanged stacks of `find` are written bit for bit; the rest of the file is copied.

    Args:
        source: the file to copy.
        stacks: new weights, for the layers of the same names.
        target: the file to write.

    Raises:
        WeightsError: a name that the file does not have, or sizes other than the layer's.
    """
    source, target = Path(source), Path(target)
    named = {stack.name: stack for stack in stacks}
    inner = source.suffix == ".keras"
    with opened(source) as file:  # checks the file
        config = config_of(file, source)
        version = 3 if config is None else major_version(file, source)
    content = io.BytesIO(member(source, INNER) if inner else source.read_bytes())
    with hdf5.opened(content, str(source), "r+") as file:
        for layer in layers_of(source, cells_of(file), group_names(file), config):
            stack = named.pop(layer.name, None)
            if stack is not None:
                if "hard_sigmoid" in (layer.facts.gate, layer.facts.candidate) and version < 3:
                    raise WeightsError(
                        f"{layer.name!r} of {source} has Keras {version}'s hard sigmoid: it is only read"
                    )
                _write(layer, stack, source)
    if named:
        raise WeightsError(f"{source} has no GRU named {' or '.join(map(repr, named))}")
    target.write_bytes(_archive(source, content.getvalue()) if inner else content.getvalue())


def _archive(source: Path, weights: bytes) -> bytes:
    """The content of a .keras archive, with other weights."""
    whole = io.BytesIO()
    with bounded_zip(source, error=WeightsError) as old, zipfile.ZipFile(whole, "w") as new:
        for entry in old.infolist():
            new.writestr(entry, weights if entry.filename == INNER else member(source, entry.filename))
    return whole.getvalue()


def _stack(path: Path, layer: Layer, reset: Reset | None, version: int) -> Stack:
    known, name = layer.facts, layer.name
    if known.refused:
        raise WeightsError(f"layer {name!r} of {path} has {known.refused}")
    try:
        arrays, back = [cell.datasets for cell in layer.cells], known.backwards
        weights = tuple(from_weights(one, known.reset or (reset if len(one) == 2 else None)) for one in arrays)
        _compare(weights[0], known)
        weights = tuple(
            converted(one, *(_function(name, version) for name in (known.gate, known.candidate))) for one in weights
        )
        return Stack(name, (weights,), not known.time_major, back, back, known.merge, None, known.warnings).check()
    except WeightsError as error:
        raise WeightsError(f"layer {name!r} of {path}: {error}") from error


def _function(name: str, version: int) -> Function:
    return Function.line(name, *KERAS_2) if name == "hard_sigmoid" and version < 3 else Function(name)


def _compare(weights: GRUWeights, known: Facts) -> None:
    biased = weights.b_ih is not None
    if known.units not in (None, weights.hidden_size) or known.bias not in (None, biased):
        raise WeightsError(
            f"expected units={known.units}, use_bias={known.bias}, got units={weights.hidden_size}, use_bias={biased}"
        )


def _write(layer: Layer, stack: Stack, path: Path) -> None:
    if stack.num_layers != 1 or stack.directions != len(layer.cells):
        raise WeightsError(f"{layer.name!r} of {path} is one layer in {len(layer.cells)} directions")
    if stack.unit[1:] != (layer.facts.candidate, layer.facts.gate):
        raise WeightsError(f"{layer.name!r} of {path} has other activations than the stack, {stack.unit[1:]}")
    for cell, weights in zip(layer.cells, stack.weights[0], strict=True):
        arrays = to_weights(weights)
        shapes, expected = [a.shape for a in arrays], [d.shape for d in cell.datasets]
        if shapes != expected:
            raise WeightsError(f"{layer.name!r} of {path} has arrays of shapes {expected}, not {shapes}")
        for dataset, array in zip(cell.datasets, arrays, strict=True):
            dataset[...] = array


def _keras_paths(stack: Stack) -> Iterator[tuple[str, GRUWeights]]:
    kind = "bidirectional" if stack.directions == 2 else "gru"
    for i, layer in enumerate(stack.weights):
        path = f"layers/{kind}" + (f"_{i}" if i else "")
        if stack.directions == 1:
            yield path, layer[0]
        else:
            yield from zip((f"{path}/forward_layer", f"{path}/backward_layer"), layer, strict=True)
