"""Keras and TensorFlow files by h5py alone: `.weights.h5`, `.keras`, and the older `.h5` of whole models.

Keras: gates z, r, h; z keeps; kernels transposed ([I, 3H]); `reset_after=True` has a bias [2, 3H] (input, hidden),
`reset_after=False` one [3H]. A weights file knows no activations: Keras' defaults, tanh and sigmoid, are taken.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy

from gruworks.errors import WeightsError, require
from gruworks.files import bounded_zip
from gruworks.interop import hdf5
from gruworks.interop.keras_config import Facts, sequential
from gruworks.interop.keras_file import INNER, NAMES, Cell, cells_of, config_of, group_names, member, opened
from gruworks.interop.keras_layers import Layer, layers_of
from gruworks.interop.stack import Stack
from gruworks.ops.weights import GRUWeights, Reset

if TYPE_CHECKING:
    from gruworks.nn.gru import GRU

__all__ = ["find", "from_weights", "load_gru", "save_gru", "to_weights", "write_back"]


def from_weights(weights: Sequence[Any], reset: Reset | None = None) -> GRUWeights:
    """The weights of a Keras `GRU` or `GRUCell` as `layer.get_weights()` gives them. Exact.

    >>> from_weights(to_weights(GRUWeights.random(3, 4))).reset
    'after'

    Args:
        weights: kernel [I, 3H], recurrent kernel [H, 3H], and the bias, [2, 3H] or [3H], where there is one.
        reset: needed without a bias, whose shape else says the form: "after" is `reset_after=True`.
    """
    kernel, recurrent, *rest = (numpy.array(array) for array in weights)
    bias = rest[0] if rest else None
    if bias is not None:
        if bias.shape not in ((2, recurrent.shape[-1]), recurrent.shape[-1:]):
            raise WeightsError(f"a bias must be [2, 3H] or [3H] beside {list(recurrent.shape)}, not {list(bias.shape)}")
        said: Reset = "after" if bias.ndim == 2 else "before"
        if reset not in (None, said):
            raise WeightsError(f"a bias {list(bias.shape)} is that of reset={said!r}, not of reset={reset!r}")
        reset = said
    if reset is None:
        raise WeightsError(
            "without a bias nothing here tells the reset form: pass reset='after' (reset_after=True) or 'before'"
        )
    w_ih, w_hh = kernel.T.copy(), recurrent.T.copy()
    if reset == "after" and bias is not None:
        given = GRUWeights(w_ih, w_hh, bias[0], bias[1], reset=reset)
    else:
        given = GRUWeights.with_merged(w_ih, w_hh, bias, reset=reset)
    return GRUWeights.from_layout(*given.arrays(), reset=reset, update="keeps", order="zrn")


def to_weights(weights: GRUWeights) -> list[Any]:
    """Arrays for `layer.set_weights`. With `reset="before"` (`reset_after=False`) the biases' sum is rounded once.

    >>> [array.shape for array in to_weights(GRUWeights.random(3, 4, reset="before"))]
    [(3, 12), (4, 12), (12,)]
    """
    if weights.reset == "before":
        b, _ = weights.merged()
        weights = GRUWeights(weights.w_ih, weights.w_hh, b, reset="before")
    w_ih, w_hh, b_ih, b_hh = weights.to_layout(update="keeps", order="zrn")
    kernels = [w_ih.T.copy(), w_hh.T.copy()]
    if b_ih is None and b_hh is None:
        return kernels
    if weights.reset == "before":
        return [*kernels, b_ih]
    zeros = numpy.zeros_like(w_ih[:, 0])
    return [*kernels, numpy.stack([zeros if b is None else b for b in (b_ih, b_hh)])]


def find(path: str | Path, reset: Reset | None = None) -> list[Stack]:
    """Every GRU of a Keras file, in the file's order and under the layers' names; a Bidirectional is one of them.

    `reset` says the form of layers without bias in a weights file, which alone doesn't show it.

    Raises:
        WeightsError: a file that is no such file, is cut off or has no GRU; a layer with activations other than tanh
            and sigmoid, or `merge_mode=None`: named.
        MissingExtraError: h5py is not installed.
    """
    path = Path(path)
    with opened(path) as file:
        config, names = config_of(file, path), group_names(file)
        cells = [Cell(cell.path, [hdf5.numbers(one) for one in cell.datasets]) for cell in cells_of(file)]
    if not cells:
        raise WeightsError(f"{path} holds no GRU layer (a group with matrices [I, 3H] and [H, 3H])")
    return [_stack(path, layer, reset) for layer in layers_of(path, cells, names, config)]


def load_gru(path: str | Path, reset: Reset | None = None) -> dict[str, GRU]:
    """The GRU layers of a Keras file as modules, by name; `batch_first` as in Keras. Arguments and errors as `find`."""
    from gruworks.interop.torch import to_module

    return {stack.name: to_module(stack) for stack in find(path, reset)}


def save_gru(gru: Any, path: str | Path) -> None:
    """Write a GRU (ours, torch's, or a Stack) as a Keras Sequential model: `.keras`, or `.weights.h5` of the same.

    `keras.models.load_model(path)` opens a `.keras`; its layers return sequences. Biases as in `to_weights`.
    """
    stack = _as_stack(gru)
    if stack.initial is not None or (stack.reverse and not stack.reading_order):
        raise WeightsError("a Keras file holds no initial state, and Keras' reversed GRU gives its outputs reversed")
    path = Path(path)
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
    """Copy the Keras file `source` to `target` with the weights of `stacks` (by name) in their places.

    What `find` gave, unchanged, gives the same bits; all else in the file stays as it is.

    Raises:
        WeightsError: a name that the file hasn't, or sizes other than the layer's.
    """
    source, target = Path(source), Path(target)
    named = {stack.name: stack for stack in stacks}
    inner = source.suffix == ".keras"
    with opened(source) as file:  # every complaint about the file
        config = config_of(file, source)
    content = io.BytesIO(member(source, INNER) if inner else source.read_bytes())
    with hdf5.opened(content, str(source), "r+") as file:
        for layer in layers_of(source, cells_of(file), group_names(file), config):
            stack = named.pop(layer.name, None)
            if stack is not None:
                _write(layer, stack, source)
    if named:
        raise WeightsError(f"{source} has no GRU named {' or '.join(map(repr, named))}")
    target.write_bytes(_archive(source, content.getvalue()) if inner else content.getvalue())


def _archive(source: Path, weights: bytes) -> bytes:
    """The .keras archive `source` with other weights."""
    whole = io.BytesIO()
    with bounded_zip(source, error=WeightsError) as old, zipfile.ZipFile(whole, "w") as new:
        for entry in old.infolist():
            new.writestr(entry, weights if entry.filename == INNER else member(source, entry.filename))
    return whole.getvalue()


def _stack(path: Path, layer: Layer, reset: Reset | None) -> Stack:
    known, name = layer.facts, layer.name
    if known.refused:
        raise WeightsError(f"layer {name!r} of {path} has {known.refused}")
    try:
        arrays = [cell.datasets for cell in layer.cells]
        weights = tuple(from_weights(one, known.reset or (reset if len(one) == 2 else None)) for one in arrays)
        _compare(weights[0], known)
        return Stack(
            name, (weights,), not known.time_major, known.backwards, known.backwards, known.merge, None, known.warnings
        ).check()
    except WeightsError as error:
        raise WeightsError(f"layer {name!r} of {path}: {error}") from error


def _compare(weights: GRUWeights, known: Facts) -> None:
    biased = weights.b_ih is not None
    if known.units not in (None, weights.hidden_size) or known.bias not in (None, biased):
        raise WeightsError(
            f"it is described with units={known.units}, use_bias={known.bias}, and its arrays have "
            f"{weights.hidden_size} units and {'a' if biased else 'no'} bias"
        )


def _write(layer: Layer, stack: Stack, path: Path) -> None:
    if stack.num_layers != 1 or stack.directions != len(layer.cells):
        raise WeightsError(f"{layer.name!r} of {path} is one layer in {len(layer.cells)} directions")
    for cell, weights in zip(layer.cells, stack.weights[0], strict=True):
        arrays = to_weights(weights)
        shapes, expected = [a.shape for a in arrays], [d.shape for d in cell.datasets]
        if shapes != expected:
            raise WeightsError(f"{layer.name!r} of {path} holds arrays of shapes {expected}, not {shapes}")
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


def _as_stack(gru: Any) -> Stack:
    if isinstance(gru, Stack):
        return gru.check()
    from gruworks.interop.torch import from_module

    return from_module(gru)
