"""The native recurrence on torch tensors, without autograd."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter

from gruworks.nn.compatibility.torch_version import const_data_ptr
from gruworks.nn.recurrence.conditions import AVAILABLE
from gruworks.nn.recurrence.operands import no_memory
from gruworks.ops.activations import Unit
from gruworks.ops.backend import native as module
from gruworks.ops.operands import BATCHED, LENGTHS, Form, Memory, Operands
from gruworks.ops.recurrence import new_layer, saved_width

__all__ = [
    "CONNECTED",
    "CachedLayer",
    "bernoulli",
    "cached_layer",
    "contiguous",
    "empty_gradients",
    "forward",
    "forward_kept",
    "gradients",
    "last_axis_contiguous",
    "lazy_clone",
    "new_state",
    "new_state_gradients",
    "pooled",
]

CPU = torch.device("cpu")  # explicit, because torch.set_default_device may be in effect
# False without the native module, and for versions of torch without DLPack's exchange API.
_exchange: Any = getattr(Tensor, "__dlpack_c_exchange_api__", None)
CONNECTED: bool = AVAILABLE and _exchange is not None and module.connect_torch(
    _exchange, Tensor, Parameter, torch.empty, torch.float32, torch.float64, CPU, torch.strided
)  # fmt: skip
LARGE = 1 << 16  # elements: 256 KiB of float32, for which page faults cost more than DLPack's 4 µs


def forward(o: Operands, unit: Unit, reverse: bool) -> tuple[Tensor, Tensor]:
    """Output [T, B, H] and final state [B, H]."""
    output, final, _, _ = _run(o, unit, reverse, None, None)
    return output, final


def forward_kept(o: Operands, unit: Unit, reverse: bool) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """As `forward`, and the backward's `saved` (which it overwrites) and decayed states (or empty)."""
    T, B, _ = o.given.shape
    H = o.w_hh.shape[1]
    # Steps beyond a row's length are neither written nor read; zeros make the contents deterministic.
    saved = _kept((T * B, saved_width(H, o.gain is not None)), o)
    states = _kept((T * B if o.reads_another_state else 0, H), o)
    return _run(o, unit, reverse, saved, states)


def _kept(shape: tuple[int, int], o: Operands) -> Tensor:
    """A tensor for saved activations; large ones come from the native memory pool to avoid page faults."""
    if o.lengths is not None or shape[0] * shape[1] < LARGE:
        make = torch.empty if o.lengths is None else torch.zeros
        return make(shape, dtype=o.w_hh.dtype, device=CPU)
    return pooled(torch.Size(shape), o.w_hh.dtype)


def _run(o: Operands, unit: Unit, reverse: bool, saved: Any, states: Any) -> tuple[Tensor, Tensor, Any, Any]:
    o = _readable(o)
    T, B, _ = o.given.shape
    dtype, H = o.w_hh.dtype, o.w_hh.shape[1]
    results = torch.empty(T, B, H, dtype=dtype, device=CPU), torch.empty(B, H, dtype=dtype, device=CPU)
    MEMORY.forward(cached_layer(o.w_hh).layer, o, (unit, reverse), results, (saved, states), torch.get_num_threads())
    return *results, saved, states


def gradients(
    o: Operands,
    form: Form,
    kept: tuple[Tensor, Tensor, Tensor],
    grads: tuple[Tensor | None, ...],
    needed: tuple[bool, ...],
) -> list[Tensor | None]:
    """Gradients of the operands that are `needed`, in their order; `kept` is (output, saved, states).

    Overwrites `saved`.
    """
    grad_output, grad_final = (None if g is None else last_axis_contiguous(g) for g in grads)
    found = Operands(*empty_gradients(o, needed))
    if found.replacement is not None and o.decay is not None:  # the kernel accumulates it in decay's gradient
        found = found._replace(decay=torch.empty_like(o.decay, memory_format=torch.contiguous_format))
    layer, threads = cached_layer(o.w_hh).layer, torch.get_num_threads()
    MEMORY.backward(layer, _readable(o), form, kept, (grad_output, grad_final), found, threads)
    return list(found)


def empty_gradients(tensors: Sequence[Tensor | None], needed: Sequence[bool]) -> list[Tensor | None]:
    """Uninitialized contiguous gradients of the tensors that are `needed`, None for the others."""
    return [
        torch.empty_like(t, memory_format=torch.contiguous_format) if need and t is not None else None
        for t, need in zip(tensors, needed, strict=True)
    ]


def new_state(gi: Tensor, gh: Tensor, h: Tensor) -> Tensor:
    """New state of the "after" form, given contiguous input and recurrent projections gi and gh [..., 3H]."""
    H = h.shape[-1]
    state = torch.empty_like(h)
    run = module.gates32 if h.dtype is torch.float32 else module.gates64
    a, b, c, d = map(_address, (gi, gh, h, state))
    run(h.numel() // H, H, a, b, c, d, torch.get_num_threads())
    return state


def new_state_gradients(gi: Tensor, gh: Tensor, h: Tensor, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients with respect to gi, gh and h, given the gradient of the new state."""
    H = h.shape[-1]
    found = torch.empty_like(gi), torch.empty_like(gh), torch.empty_like(h)
    run = module.gates_backward32 if h.dtype is torch.float32 else module.gates_backward64
    grad = contiguous(grad)  # bound to a name, so that it outlives the call
    a, b, c, d, *e = map(_address, (gi, gh, h, grad, *found))
    run(h.numel() // H, H, a, b, c, d, e[0], e[1], e[2], torch.get_num_threads())
    return found


def bernoulli(shape: tuple[int, ...], p: float, value: float, like: Tensor) -> Tensor:
    """A tensor of `like`'s type, each element `value` with probability `p`, else 0; ten times as fast as torch's.

    The seed comes from torch's default generator.
    """
    made = pooled(torch.Size(shape), like.dtype)
    run = module.chance32 if like.dtype is torch.float32 else module.chance64
    seed = int(torch.empty((), dtype=torch.int64, device=CPU).random_())
    run(made.data_ptr(), made.numel(), p, value, seed, torch.get_num_threads())
    return made


def lazy_clone(t: Any) -> Any:
    """A copy-on-write clone."""
    try:
        return t._lazy_clone()
    except RuntimeError:  # memory not allocated by torch
        return t.clone()


def pooled(shape: torch.Size, dtype: torch.dtype) -> Tensor:
    """An uninitialized tensor in pooled memory, which returns to the native module's pool when the tensor is freed."""
    make = module.pooled32 if dtype is torch.float32 else module.pooled64
    made: Tensor = make(tuple(shape))
    return made


class CachedLayer:
    """Cache entry of a recurrent weight: its native layer."""

    __slots__ = ("dtype", "layer", "storage")

    def __init__(self, w_hh: Tensor, address: int) -> None:
        # A weak reference to the tensor itself would make torch.utils.swap_tensors fail.
        self.storage = weakref.ref(w_hh.untyped_storage(), lambda dead: _forget(address, dead))
        self.dtype = w_hh.dtype
        self.layer: Any = new_layer(w_hh.itemsize)


_cache: dict[int, CachedLayer] = {}


def cached_layer(w_hh: Any) -> CachedLayer:
    """Cache entry of the weight at this address. Its layer detects changed or replaced weights by their contents."""
    address = const_data_ptr(w_hh)
    found = _cache.get(address)
    if found is None or found.dtype is not w_hh.dtype:
        found = CachedLayer(w_hh, address)
        if address:
            _cache[address] = found
    return found


def _forget(address: int, dead: Any) -> None:
    found = _cache.get(address)
    if found is not None and found.storage is dead:  # the address may have been reused
        del _cache[address]


def _readable(o: Operands) -> Operands:
    """Operands with resolved negation: weights and lengths contiguous, the others contiguous along their last axis."""
    if all(t is None or (t.is_contiguous() and not t.is_neg()) for t in o):
        return o
    layouts = (last_axis_contiguous if i in BATCHED and i != LENGTHS else contiguous for i in range(len(o)))
    return Operands(*(None if t is None else arrange(t) for t, arrange in zip(o, layouts, strict=True)))


def last_axis_contiguous(t: Any) -> Any:
    """A tensor with a contiguous last axis, lazy negation resolved."""
    if t.is_neg() or (not const_data_ptr(t) and t._is_zerotensor()):  # zero tensors of autograd have no memory
        t = t.clone()
    return t if t.stride(-1) == 1 else t.contiguous()


def contiguous(t: Any) -> Any:
    """A contiguous tensor, lazy negation resolved."""
    t = last_axis_contiguous(t)
    return t if t.is_contiguous() else t.contiguous()


def _address(t: Any) -> int:
    return const_data_ptr(t) or (no_memory("an operand") if t.numel() else 0)


MEMORY = Memory(_address, lambda t: t.stride())
