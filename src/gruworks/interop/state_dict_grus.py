"""GRUs in a state dict with torch's names, of NumPy arrays; .safetensors files without torch."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import safetensors
import safetensors.numpy

from gruworks.errors import WeightsError
from gruworks.files import regular_file
from gruworks.interop.stack import Stack, printable
from gruworks.ops.activations import MARKS, Unit, unit_of
from gruworks.ops.weights import GRUWeights, Reset, parameter_names

__all__ = ["find", "read_safetensors"]

INITIAL = "initial_state"
PART = re.compile(rf"(.*?)((?:weight|bias)_[ih]h(?:_l\d+)?(?:_reverse)?|{INITIAL}|(?:{'|'.join(MARKS)})\w*)", re.DOTALL)


def find(state: Mapping[str, Any], to_array: Callable[[str, Any], Any]) -> list[Stack]:
    """Find the GRUs and GRUCells of a state dict, named by their prefixes ("" for the root).

    Args:
        state: arrays or tensors by torch's names.
        to_array: converts a value of the state, given its name and itself.

    Raises:
        WeightsError: a GRU with missing or inconsistent parts, or with layer norm.
    """
    prefixes = [key.removesuffix(tail) for key in state for tail in ("weight_hh_l0", "weight_hh") if key.endswith(tail)]
    for prefix in prefixes:
        if f"{prefix}norm_hh_l0" in state:
            raise WeightsError(f"GRU {prefix!r} has layer norm (norm_hh_l0): it can't be exchanged")
    arrays = {key: to_array(key, value) for key, value in _parts(state, set(prefixes))}
    return [_stack(arrays, prefix) for prefix in prefixes if _is_gru(arrays, prefix)]


def read_safetensors(path: str | Path) -> dict[str, Any]:
    """Read the arrays of a .safetensors file by name; float16 becomes float32.

    Raises:
        WeightsError: the file is damaged, or has types that NumPy lacks, as bfloat16, for which torch is needed.
    """
    path = regular_file(path, WeightsError)
    try:
        state = safetensors.numpy.load_file(path)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, safetensors.SafetensorError) as error:
        reason = str(error).split("\n")[0][:300] or type(error).__name__
        needed = "for bfloat16 and float8, pip install 'gruworks[torch]'"
        raise WeightsError(f"{path} is not a .safetensors file of types that NumPy has ({reason}); {needed}") from error
    wide = {key: value.astype(numpy.float32) if value.dtype == numpy.float16 else value for key, value in state.items()}
    return {printable(key): value for key, value in wide.items()}


def _parts(state: Mapping[str, Any], prefixes: set[str]) -> Iterator[tuple[str, Any]]:
    """Weights, biases, initial states and entries that name a form under these prefixes."""
    for key, value in state.items():
        found = PART.fullmatch(key)
        if found and found[1] in prefixes:
            yield key, (True if found[2].startswith(MARKS) else value)


def _is_gru(arrays: Mapping[str, Any], prefix: str) -> bool:
    """True for the shape of a GRU's recurrent weight; an LSTM's has 4H rows, an RNN's H."""
    w_hh = arrays.get(f"{prefix}weight_hh_l0", arrays.get(f"{prefix}weight_hh"))
    return w_hh is not None and w_hh.ndim == 2 and w_hh.shape[0] == 3 * w_hh.shape[1]


def _stack(arrays: Mapping[str, Any], prefix: str) -> Stack:
    unit = unit_of({key.removeprefix(prefix) for key in arrays if key.startswith(prefix)})
    reset: Reset = "before" if unit.before else "after"
    initial = arrays.get(prefix + INITIAL)
    if f"{prefix}weight_hh" in arrays:  # a cell
        kinds = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        cell = {f"{kind}_l0": arrays[prefix + kind] for kind in kinds if prefix + kind in arrays}
        weights = replace(GRUWeights.from_state_dict(cell, reset=reset), **activations(unit))
        return Stack(
            prefix.rstrip("."), ((weights,),), initial=None if initial is None else initial[None, None]
        ).check()
    layers: list[tuple[GRUWeights, ...]] = []
    while f"{prefix}weight_hh_l{len(layers)}" in arrays:
        both = f"{prefix}{parameter_names(len(layers), reverse=True)[1]}" in arrays
        directions = (False, True) if both else (False,)
        layers.append(
            tuple(
                replace(GRUWeights.from_state_dict(arrays, len(layers), reverse, reset, prefix), **activations(unit))
                for reverse in directions
            )
        )
    return Stack(prefix.rstrip("."), tuple(layers), initial=None if initial is None else initial[:, None]).check()


def activations(unit: Unit) -> dict[str, Any]:
    """The activations of a unit, as arguments of `GRUWeights`."""
    return {"candidate_activation": unit.candidate, "gate_activation": unit.gate}
