"""Conditions for choosing an implementation: modes of torch, and layouts and types of operands.

`fast` is the fast path's condition for the table of implementations (nn/functional.py); fast_path.py evaluates an
equivalent one with less overhead, and a test compares the two.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.nn import Parameter

from gruworks.nn.compatibility.torch_version import const_data_ptr
from gruworks.ops.activations import Unit
from gruworks.ops.backend import backend
from gruworks.ops.operands import Operands

__all__ = [
    "AVAILABLE",
    "PLAIN",
    "STRIDED",
    "Call",
    "Layer",
    "Recompute",
    "computable",
    "differentiable",
    "differentiated_once",
    "eager",
    "expanded",
    "fast",
    "fits",
    "half",
    "has_saved_tensors_hooks",
    "has_tangent",
    "jit_traced",
    "plain",
    "readable",
    "supported",
    "transformed",
]

PLAIN = (Tensor, Parameter)
STRIDED = torch.strided
NATIVE_TYPES = (torch.float32, torch.float64)
AVAILABLE = backend().name != "torch"  # evaluated once, because torch.compile can't trace an import

Weights = tuple[Any, Any, Any, Any]  # w_ih, w_hh, b_ih, b_hh
Layer = Callable[[Operands, Unit, bool], tuple[Tensor, Tensor]]  # operands, unit, reverse → output, final state
Recompute = (
    bool | int
)  # False: save all activations. True: segment length by checkpointing.segment. int: segment length

# Attribute look-ups done once, because every call evaluates these conditions.
_C: Any = torch._C
_is_compiling, _dispatch_modes, _tracing = (
    torch.compiler.is_compiling, _C._len_torch_dispatch_stack, _C._get_tracing_state,
)  # fmt: skip
_transforms, _batched = _C._functorch.peek_interpreter_stack, _C._functorch.is_legacy_batchedtensor
_saved_hooks = _C._autograd._top_saved_tensors_default_hooks


class Call(NamedTuple):
    """A call of a layer, a stack of layers or a cell, as the table of implementations sees it."""

    kind: Literal["layer", "stack", "cell"]
    x: Any  # layer: [T, B, I]; stack: as passed to the module; cell: [B, I]
    h0: Any
    weights: Sequence[Weights]  # by layer, then direction
    unit: Unit
    over_layers: Callable[[Layer], Any]  # computes the call, given an implementation of one layer
    torch_module: Callable[[], Any] | None = None  # computes the call by torch's module, if equivalent
    directions: int = 1
    batch_first: bool = False
    further: Sequence[Any] = ()  # operands other than x, h0 and the weights
    ragged: bool = False  # rows of different lengths
    additions: bool = False  # decay, masks, layer norm or resets
    recompute: Recompute = False

    @property
    def tensors(self) -> list[Tensor]:
        """All operands that are tensors; the chosen implementation rejects the others."""
        weights = itertools.chain.from_iterable(self.weights)
        return [t for t in (self.x, self.h0, *weights, *self.further) if isinstance(t, Tensor)]

    @property
    def w_hh(self) -> Any:
        """The first layer's recurrent weights, which determine device and type."""
        return self.weights[0][1]


def supported(weight: Any) -> bool:
    """True if the native kernel is available and supports this tensor's device and type."""
    return AVAILABLE and weight.device.type == "cpu" and weight.dtype in NATIVE_TYPES


def half(weight: Any) -> bool:
    """True for bfloat16 and float16 on the CPU, which the native kernel computes in float32."""
    return AVAILABLE and weight.device.type == "cpu" and weight.dtype in (torch.bfloat16, torch.float16)


def fast(call: Call) -> bool:
    """True if the fast path takes the call: eager, contiguous operands of matching shapes, no additions, no hooks."""
    x, h0, w_hh = call.x, call.h0, call.w_hh
    if (
        call.ragged
        or call.additions
        or call.recompute
        or not call.unit.usual
        or not eager()
        or torch.is_autocast_enabled("cpu")
    ):
        return False
    if type(x) not in PLAIN or type(w_hh) not in PLAIN or not supported(w_hh):
        return False
    if not (readable(x, w_hh.dtype) and readable(w_hh, w_hh.dtype)) or w_hh.dim() != 2:
        return False
    H, D = w_hh.shape[1], call.directions
    axes = {"layer": (2,), "stack": (1, 2), "cell": (0, 1)}[call.kind]  # other than the feature axis
    if x.dim() - 1 not in axes or not x.numel():
        return False
    for place, own in enumerate(call.weights):
        width = 3 * H if own[0] is None else x.shape[-1] if place < D else D * H
        shapes = (3 * H, width), (3 * H, H), (3 * H,), (3 * H,)
        if not all(t is None or fits(t, shape, w_hh.dtype) for t, shape in zip(own, shapes, strict=True)):
            return False
        if own[0] is None and x.shape[-1] != 3 * H:
            return False
    if h0 is not None and not fits(h0, _initial_shape(call, H), w_hh.dtype):
        return False
    tensors: list[Any] = call.tensors
    if not all(const_data_ptr(t) for t in tensors):  # storage that was freed
        return False
    return not (torch.is_grad_enabled() and differentiable(*call.tensors) and has_saved_tensors_hooks())


def _initial_shape(call: Call, H: int) -> tuple[int, ...]:
    axes = tuple(call.x.shape[:-1])
    if call.kind == "cell":
        return (*axes, H)
    batch = axes[1:] if not (call.batch_first and len(axes) == 2) else axes[:1]
    return (*batch, H) if call.kind == "layer" else (len(call.weights), *batch, H)


def eager() -> bool:
    """True outside of compilation, tracing, dispatch modes, torch.func transforms and forward-mode autograd."""
    if _is_compiling() or _dispatch_modes() or forward_ad._current_level >= 0:
        return False
    return _transforms() is None and _tracing() is None


def computable(*grads: Tensor | None) -> bool:
    """True if the gradients are ordinary tensors with memory, not the batched tensors of is_grads_batched=True."""
    for grad in grads:
        if grad is not None and (type(grad) not in PLAIN or _batched(grad)):
            return False
    return eager()


def has_saved_tensors_hooks() -> bool:
    """True if torch.autograd.graph.saved_tensors_hooks are active."""
    return _saved_hooks(True) is not None


def fits(t: Any, shape: tuple[int, ...], dtype: torch.dtype) -> bool:
    """True for an ordinary contiguous CPU tensor of this shape and type without lazy negation."""
    if type(t) not in PLAIN or not t.is_cpu or t.dtype is not dtype or t.layout is not STRIDED or t.is_neg():
        return False
    try:
        return bool(t.shape == shape and t.is_contiguous())
    except RuntimeError:  # a nested tensor has no shape
        return False


def readable(x: Tensor, dtype: torch.dtype) -> bool:
    """True for a strided CPU tensor of this type without lazy negation."""
    return x.dtype is dtype and x.is_cpu and x.layout is STRIDED and not x.is_neg() and not x.is_nested


def jit_traced() -> bool:
    """True under torch.jit.trace."""
    return not _is_compiling() and _tracing() is not None


def expanded(weight: Any) -> bool:
    """True for a parameter replaced by torch's ExpandedWeight, which supports torch's functions only."""
    return type(weight).__name__ == "ExpandedWeight"


def plain(tensors: Sequence[Tensor]) -> bool:
    """True for tensors of ordinary classes in eager mode, whose memory may be read directly."""
    if _is_compiling() or _dispatch_modes() or _transforms() is not None or _tracing() is not None:
        return False
    return not has_tangent(tensors) and all(type(t) in PLAIN for t in tensors)


def transformed(tensors: Sequence[Tensor]) -> bool:
    """True under forward-mode autograd and torch.func transforms other than vmap, for which the operator has a rule."""
    if _is_compiling():
        return False
    if has_tangent(tensors):
        return True
    stack = _C._functorch.get_interpreter_stack() or ()
    return any(level.key() != _C._functorch.TransformType.Vmap for level in stack)


def differentiated_once(tensors: Sequence[Tensor]) -> bool:
    """True under torch.func transforms that are vmap but for one grad or vjp."""
    if _is_compiling() or has_tangent(tensors):
        return False
    kinds, types = [level.key() for level in _C._functorch.get_interpreter_stack() or ()], _C._functorch.TransformType
    return kinds.count(types.Grad) == 1 and all(kind in (types.Grad, types.Vmap) for kind in kinds)


def has_tangent(tensors: Sequence[Tensor]) -> bool:
    """True if any tensor carries a forward-mode tangent, which a registered operator would silently drop."""
    if forward_ad._current_level < 0:
        return False
    unpack: Any = forward_ad.unpack_dual
    return any(t.is_floating_point() and unpack(t).tangent is not None for t in tensors)


def differentiable(*tensors: Tensor | None) -> bool:
    """True if any tensor requires a gradient."""
    for t in tensors:  # noqa: SIM110 (a generator is slower)
        if t is not None and t.requires_grad:
            return True
    return False
