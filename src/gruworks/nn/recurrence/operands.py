"""Validation of operands: strided tensors on one device, of matching shapes and types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import numpy
import torch
from torch import Tensor

from gruworks.errors import DeviceError, DtypeError, OptionError, ShapeError
from gruworks.nn.compatibility.torch_version import const_data_ptr
from gruworks.nn.recurrence.conditions import PLAIN, STRIDED, eager
from gruworks.ops.operands import OPERANDS, Operands, check_shapes, check_together
from gruworks.ops.weights import GRUWeights

__all__ = [
    "autocast",
    "check",
    "check_alike",
    "check_beside",
    "check_readable",
    "check_tensor",
    "check_weights",
    "in_processing_order",
    "no_memory",
    "row_lengths",
    "step_resets",
]

_wrapped: Any = torch._C._functorch.is_functorch_wrapped_tensor
INTEGERS = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.uint16, torch.uint32, torch.uint64)


def check(o: Operands) -> None:
    """Check everything that the kernel relies on."""
    check_together(o)
    check_readable(o)
    check_shapes(o)
    if o.lengths is not None and o.lengths.dtype != torch.int64:
        raise DtypeError(f"lengths must be torch.int64 here, not {o.lengths.dtype}")
    if o.resets is not None and o.resets.dtype != torch.bool:
        raise DtypeError(f"resets must be torch.bool here, not {o.resets.dtype}")


def check_readable(o: Operands) -> None:
    """Check that all operands are strided tensors on the device of w_hh."""
    check_tensor("w_hh", o.w_hh)
    for name, tensor in zip(OPERANDS, o, strict=True):
        if tensor is not None:
            check_beside(name, tensor, o.w_hh)


def check_tensor(name: str, given: Any) -> None:
    """Raise a DtypeError unless this is a strided torch tensor, a ShapeError if its storage was freed."""
    if not isinstance(given, Tensor):
        raise DtypeError(
            f"{name} must be a torch.Tensor, not {type(given).__module__}.{type(given).__qualname__}; "
            f"make one: torch.as_tensor(...)"
        )
    if given.is_nested:
        raise DtypeError(
            f"{name} must be a strided tensor, not a nested one; pad it by to_padded_tensor(0.0) and give lengths="
        )
    if given.layout is not STRIDED:
        raise DtypeError(f"{name} must be a strided tensor, not {given.layout}; convert it: {name}.to_dense()")
    if not torch.compiler.is_compiling() and type(given) in PLAIN and given.is_cpu and eager() and _freed(given):
        no_memory(name)


def _freed(t: Any) -> bool:
    return bool(t.numel()) and not const_data_ptr(t) and not t._is_zerotensor()


def check_beside(name: str, given: Any, weight: Any) -> None:
    """As `check_tensor`; raise a DeviceError unless it is on the weights' device."""
    check_tensor(name, given)
    if given.device != weight.device:
        raise DeviceError(
            f"{name} must be on the weights' device {weight.device}, not on {given.device}; move one: "
            f"{name}.to('{weight.device}') or module.to('{given.device}')"
        )


def check_alike(**given: Any) -> None:
    """Check that all are strided tensors on one device and, except under autocast, of one floating type."""
    for name, one in given.items():
        check_tensor(name, one)
    first, reference = list(given.items())[-1]
    for name, one in given.items():
        if one.device != reference.device:
            raise DeviceError(f"{name} is on {one.device} and {first} on {reference.device}; move one to the other")
        if (one.dtype != reference.dtype and not autocast(one.device)) or not one.is_floating_point():
            raise DtypeError(f"{name} is {one.dtype} and {first} {reference.dtype}; both must be of one floating type")


def autocast(device: torch.device) -> bool:
    """True if autocast is enabled on this device."""
    return torch.amp.is_autocast_available(device.type) and torch.is_autocast_enabled(device.type)


def check_weights(weights: Any) -> GRUWeights:
    """The argument, if it is a GRUWeights."""
    if not isinstance(weights, GRUWeights):
        raise OptionError(f"weights must be a gruworks.GRUWeights, not {type(weights).__qualname__}")
    return weights


def no_memory(name: str) -> NoReturn:
    """Raise a ShapeError for a tensor whose storage was freed."""
    raise ShapeError(f"{name} has no memory: its storage was freed (resized to 0); give it a storage again")


def row_lengths(lengths: Any, T: int, B: int, device: torch.device) -> Tensor:
    """`lengths`, integers of any type in a tensor, array or sequence, as int64 [B] on the device of x [T, B, I]."""
    given: Any = lengths if isinstance(lengths, Tensor) else _from_sequence(lengths)
    check_tensor("lengths", given)
    if given.device != device and given.device.type != "cpu":
        raise DeviceError(f"lengths must be on x's device {device} or on the cpu, not on {given.device}")
    if given.dtype not in INTEGERS:
        raise DtypeError(f"lengths must be integers, got {given.dtype}")
    if tuple(given.shape) != (B,):
        raise ShapeError(f"lengths must hold one integer a row, [{B}], got {list(given.shape)}")
    if not torch.compiler.is_compiling() and _wrapped(given):  # values are checked below the transforms of torch.func
        wrapped: Tensor = given.long().to(device)
        return wrapped
    ends: Tensor = given.resolve_neg().long()
    if not torch.compiler.is_compiling() and type(ends) in PLAIN and not ends.is_meta:  # graphs have no values
        outside = ((ends < 0) | (ends > T)).nonzero()
        if len(outside):
            row = int(outside[0])
            raise ShapeError(f"lengths must lie between 0 and T = {T}; row {row} has {given[row].item()}")
    return ends.to(device)


def step_resets(resets: Any, expected: Sequence[int], device: torch.device) -> Tensor:
    """`resets`, bools or numbers in a tensor, array or sequence, as bool of the `expected` shape on x's device."""
    given: Any = resets
    if not isinstance(resets, Tensor):
        try:
            given = torch.as_tensor(numpy.asarray(resets))
        except (TypeError, ValueError, RuntimeError) as error:
            raise DtypeError(f"resets must be bools or numbers: {error}") from error
    check_tensor("resets", given)
    if given.device != device and given.device.type != "cpu":
        raise DeviceError(f"resets must be on x's device {device} or on the cpu, not on {given.device}")
    if tuple(given.shape) != tuple(expected):
        raise ShapeError(f"resets must be {list(expected)}, the input's axes but the last, got {list(given.shape)}")
    found: Tensor = given if given.dtype is torch.bool else given != 0
    return found.to(device)


def in_processing_order(resets: Tensor, reverse: bool, lengths: Tensor | None) -> Tensor:
    """Resets [T, B] as the kernel takes them: before the step, in order of processing.

    A reset separates steps t - 1 and t; in the reverse direction t - 1 is the one that begins anew.
    """
    if not reverse:
        return resets
    following = torch.cat([resets[1:], torch.zeros_like(resets[:1])])
    if lengths is None:
        return following
    later = torch.arange(1, len(resets) + 1, device=resets.device)
    return following & (later[:, None] < lengths)


def _from_sequence(lengths: Any) -> Tensor:
    try:
        array = numpy.asarray(lengths)
    except (TypeError, ValueError, RuntimeError) as error:
        raise DtypeError(f"lengths must be integers, one a row: {error}") from error
    listed = isinstance(lengths, list | tuple | range)
    if listed and not len(lengths):
        array = array.astype(numpy.int64)
    if array.dtype.kind not in "iu" or (listed and any(isinstance(one, bool) for one in lengths)):
        raise DtypeError(f"lengths must be integers, one a row, got {lengths!r:.80}")
    return torch.from_numpy(array.astype(numpy.int64))
