"""Conversion of `torch.nn.GRU`, `GRUCell` and `gruworks.GRU`: state dicts, modules, .pt and .safetensors files."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import safetensors.numpy
import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from gruworks.errors import OptionError, ShapeError, WeightsError
from gruworks.interop import state_dict_grus
from gruworks.interop.stack import Merge, Stack
from gruworks.interop.torch_file import read_state
from gruworks.nn.functional import gru_layer
from gruworks.nn.gru import GRU
from gruworks.ops.activations import marks
from gruworks.ops.weights import GRUWeights

__all__ = [
    "LoadedGRU",
    "as_stack",
    "find",
    "from_module",
    "load_gru",
    "read_state",
    "save_gru",
    "state_dict",
    "to_module",
]

TYPES = (torch.float32, torch.float64, torch.float16, torch.bfloat16)


def find(state: Mapping[str, Any]) -> list[Stack]:
    """Find the GRUs and GRUCells of a state dict, named by their prefixes ("" for the root).

    >>> model = torch.nn.ModuleDict({"encoder": torch.nn.GRU(3, 4, num_layers=2), "head": torch.nn.Linear(4, 1)})
    >>> [(stack.name, stack.num_layers, stack.hidden_size) for stack in find(model.state_dict())]
    [('encoder', 2, 4)]

    Raises:
        WeightsError: a GRU with missing or inconsistent parts, or with layer norm.
    """
    return state_dict_grus.find(state, _numpy)


def state_dict(stack: Stack, prefix: str = "") -> dict[str, Tensor]:
    """Convert a stack to a state dict with torch's names; reset "before" adds the entry `reset_before`, and others.

    >>> sorted(state_dict(Stack("", ((GRUWeights.random(3, 4),),))))
    ['bias_hh_l0', 'bias_ih_l0', 'weight_hh_l0', 'weight_ih_l0']
    """
    state: dict[str, Tensor] = {}
    for layer, directions in enumerate(stack.weights):
        for reverse, weights in enumerate(directions):
            filled = _with_both_biases(weights) if stack.bias else weights
            state |= filled.map(_tensor).to_state_dict(layer, bool(reverse), prefix)
    return state | {prefix + name: torch.tensor(True) for name in marks(stack.unit)}


def from_module(gru: torch.nn.GRU | torch.nn.GRUCell, name: str = "") -> Stack:
    """Copy the weights of a module, torch's or ours.

    >>> from_module(torch.nn.GRU(3, 4, bidirectional=True)).directions
    2
    """
    if isinstance(gru, GRU) and gru.regularization is not None:
        gru.regularization.refuse()
    found = find({key: value.detach().cpu() for key, value in gru.state_dict().items()})
    if len(found) != 1 or found[0].name:
        kind = type(gru).__name__
        raise WeightsError(f"expected a GRU or GRUCell of torch or gruworks, got a {kind}; pass its GRU, or use `find`")
    properties = {"batch_first": bool(getattr(gru, "batch_first", False)), **getattr(gru, "properties", {})}
    properties.setdefault("initial", found[0].initial)
    return Stack(name, found[0].weights, **properties).check()


def as_stack(gru: torch.nn.GRU | torch.nn.GRUCell | Stack) -> Stack:
    """The weights of a module, or a `Stack` after its check."""
    return gru.check() if isinstance(gru, Stack) else from_module(gru)


def to_module(stack: Stack) -> GRU:
    """Build a `gruworks.GRU`, or a `LoadedGRU` for properties that it lacks, with these weights.

    The warnings of the stack are issued as UserWarning and kept in `load_warnings` of the module.

    >>> to_module(Stack("", ((GRUWeights.random(3, 4, reset="before"),),)))
    GRU(3, 4, reset='before')
    """
    stack.check()
    if stack.dtype not in (numpy.float32, numpy.float64):
        raise WeightsError(f"{stack.name!r} has {stack.dtype} weights: convert with weights.astype(numpy.float32)")
    sizes = (stack.input_size, stack.hidden_size, stack.num_layers, stack.bias, stack.batch_first, 0.0)
    make = GRU if stack.plain else LoadedGRU
    gru = make(
        *sizes, stack.directions == 2, dtype=_tensor(stack.weights[0][0].w_hh).dtype, reset=stack.reset,
        candidate_activation=stack.unit.candidate, gate_activation=stack.unit.gate,
    )  # fmt: skip
    gru.load_state_dict(state_dict(stack))
    if isinstance(gru, LoadedGRU):
        gru.set_properties(stack.reverse, stack.reading_order, stack.merge, stack.initial)
    gru.load_warnings = stack.warnings
    for sentence in stack.warnings:
        warnings.warn(f"GRU {stack.name!r}: {sentence}", UserWarning, stacklevel=2)
    return gru.eval()


def load_gru(path: str | Path) -> dict[str, GRU]:
    """Load the GRUs of a .safetensors or .pt file as modules, by name.

    Raises:
        WeightsError: the file is of another format, incomplete, or holds code.
    """
    return {stack.name: to_module(stack) for stack in find(read_state(path))}


def save_gru(gru: torch.nn.GRU | torch.nn.GRUCell | Stack, path: str | Path) -> None:
    """Write a .safetensors file with torch's names, for `gruworks.GRU(...).load_state_dict`."""
    stack = as_stack(gru)
    if not stack.plain:
        raise WeightsError(f"a state dict can't represent {stack.name!r}: it reverses, merges or has a stored state")
    safetensors.numpy.save_file({name: value.numpy() for name, value in state_dict(stack).items()}, path)


class LoadedGRU(GRU):
    """A GRU with properties of other formats (see `Stack`) that `gruworks.GRU` lacks; called like one."""

    properties: dict[str, Any]
    initial: Tensor | None

    def set_properties(self, reverse: bool, reading_order: bool, merge: Merge, initial: Any) -> None:
        """Set the properties; arguments as in `Stack`."""
        self.properties = {"reverse": reverse, "reading_order": reading_order, "merge": merge, "initial": initial}
        self.register_buffer("initial", None if initial is None else torch.tensor(initial), persistent=False)

    def extra_repr(self) -> str:
        shown = (f"{name}={value!r}" for name, value in self.properties.items() if name != "initial" and value)
        return ", ".join([super().extra_repr(), *shown, *(["initial=..."] if self.initial is not None else [])])

    def forward(  # type: ignore[override]
        self,
        input: Tensor | PackedSequence,  # noqa: A002 (torch's name)
        hx: Tensor | None = None,
        *,
        lengths: Any = None,
    ) -> tuple[Tensor | PackedSequence, Tensor]:
        """Output and final state of input and initial state, as `gruworks.GRU`; packed input is refused."""
        if isinstance(input, PackedSequence) or input.dim() != 3:
            raise OptionError("expected a padded batch [T, B, I] or [B, T, I], which GRUs that reverse or merge need")
        if hx is None and self.initial is not None:
            batch = input.shape[0 if self.batch_first else 1]
            if self.initial.shape[1] not in (1, batch):
                raise ShapeError(f"the stored initial state has batch size {self.initial.shape[1]}, the input {batch}")
            hx = self.initial.expand(-1, batch, -1).contiguous()
        if self.properties["reverse"]:
            return self._from_the_end(input, hx, lengths)
        output, final = super().forward(input, hx, lengths=lengths)
        assert isinstance(output, Tensor)
        return self._merged(output), final

    def _from_the_end(self, x: Tensor, hx: Tensor | None, lengths: Any) -> tuple[Tensor, Tensor]:
        time = 1 if self.batch_first else 0
        if lengths is None:
            output, final = super().forward(x.flip(time), hx)
            assert isinstance(output, Tensor)
            return (output if self.properties["reading_order"] else output.flip(time)), final
        if self.properties["reading_order"]:
            raise OptionError("lengths= is not supported where outputs are in processing order (Keras' go_backwards)")
        steps, start = x.transpose(0, 1) if self.batch_first else x, None if hx is None else hx[0]
        output, last = gru_layer(steps, start, self.weights(), torch.as_tensor(lengths).long(), reverse=True)
        return (output.transpose(0, 1) if self.batch_first else output), last[None]

    def _merged(self, output: Tensor) -> Tensor:
        merge, (one, two) = self.properties["merge"], (output[..., : self.hidden_size], output[..., self.hidden_size :])
        if merge == "concat":
            return output
        return one * two if merge == "mul" else (one + two) / (2 if merge == "ave" else 1)


def _with_both_biases(weights: GRUWeights) -> GRUWeights:
    zeros = numpy.zeros(3 * weights.hidden_size, weights.w_hh.dtype)
    b_ih, b_hh = (zeros if b is None else b for b in (weights.b_ih, weights.b_hh))
    return replace(weights, b_ih=b_ih, b_hh=b_hh)


def _tensor(array: Any) -> Tensor:
    return torch.from_numpy(numpy.array(array, order="C"))


def _numpy(key: str, value: Any) -> Any:
    """Convert a weight to an array; float16 and bfloat16 become float32.

    Raises:
        WeightsError: the tensor is sparse, quantized, on the meta device, of another type, or expanded.
    """
    if not isinstance(value, Tensor):
        return numpy.asarray(value)
    if value.layout is not torch.strided or value.is_nested or value.is_meta or value.dtype not in TYPES:
        where = "on the meta device, without data" if value.is_meta else f"{value.layout}, {value.dtype}"
        raise WeightsError(f"{key} must be a plain tensor of floating-point numbers; it is {where}")
    if value.numel() * value.element_size() > value.untyped_storage().nbytes():
        raise WeightsError(f"{key} has the shape {list(value.shape)} and less memory (an expanded tensor)")
    value = value.detach().cpu().resolve_neg()
    return (value.float() if value.element_size() == 2 else value.clone()).numpy()
