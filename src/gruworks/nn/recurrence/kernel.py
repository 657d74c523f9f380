"""The native recurrence on torch tensors: their addresses in, new tensors out. No autograd here."""

from __future__ import annotations

import weakref
from typing import Any

import torch
from torch import Tensor

from gruworks.nn.recurrence.operands import no_memory
from gruworks.ops.backend import native as module
from gruworks.ops.operands import BATCHED, LENGTHS, Form, Memory, Operands
from gruworks.ops.recurrence import new_layer, saved_width

__all__ = [
    "Known",
    "chance",
    "forward",
    "forward_kept",
    "gradients",
    "inner",
    "known",
    "new_state",
    "new_state_gradients",
    "pooled",
    "shared",
    "whole",
]

CPU = torch.device("cpu")  # said every time: the caller may have set another default
LARGE = 1 << 16  # entries: 256 KiB of float32, of which a page fault for each 4 KiB costs more than DLPack's 4 us


def forward(o: Operands, before: bool, reverse: bool) -> tuple[Tensor, Tensor]:
    """Every state [T, B, H] and each row's last one [B, H]."""
    output, final, _, _ = _run(o, before, reverse, None, None)
    return output, final


def forward_kept(o: Operands, before: bool, reverse: bool) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The same, with what the backward needs: `saved`, which it overwrites, and the decayed states (empty without)."""
    T, B, _ = o.given.shape
    H = o.w_hh.shape[1]
    # Steps beyond a row's length are neither written nor read; zeros there make the whole a function of the operands.
    saved = _kept((T * B, saved_width(H, o.gain is not None)), o)
    states = _kept((T * B if o.reads_another_state else 0, H), o)
    return _run(o, before, reverse, saved, states)


def _kept(shape: tuple[int, int], o: Operands) -> Tensor:
    """Memory for what a forward keeps. A large one is the pool's: new pages cost more than the steps."""
    if o.lengths is not None or shape[0] * shape[1] < LARGE:
        make = torch.empty if o.lengths is None else torch.zeros
        return make(shape, dtype=o.w_hh.dtype, device=CPU)
    return pooled(torch.Size(shape), o.w_hh.dtype)


def _run(o: Operands, before: bool, reverse: bool, saved: Any, states: Any) -> tuple[Tensor, Tensor, Any, Any]:
    o = _readable(o)
    T, B, _ = o.given.shape
    dtype, H = o.w_hh.dtype, o.w_hh.shape[1]
    results = torch.empty(T, B, H, dtype=dtype, device=CPU), torch.empty(B, H, dtype=dtype, device=CPU)
    MEMORY.forward(known(o.w_hh).layer, o, (before, reverse), results, (saved, states), torch.get_num_threads())
    return *results, saved, states


def gradients(
    o: Operands,
    form: Form,
    kept: tuple[Tensor, Tensor, Tensor],
    grads: tuple[Tensor | None, ...],
    needed: tuple[bool, ...],
) -> list[Tensor | None]:
    """Gradients of the operands that are `needed`, in their order; `kept` is output, saved and states.

    What `saved` holds is gone after this.
    """
    grad_output, grad_final = (None if g is None else inner(g) for g in grads)
    found = Operands(*(
        torch.empty_like(t, memory_format=torch.contiguous_format) if need and t is not None else None
        for t, need in zip(o, needed, strict=True)
    ))  # fmt: skip
    if found.replacement is not None and o.decay is not None:  # it is summed on the way to decay's
        found = found._replace(decay=torch.empty_like(o.decay, memory_format=torch.contiguous_format))
    layer, threads = known(o.w_hh).layer, torch.get_num_threads()
    MEMORY.backward(layer, _readable(o), form, kept, (grad_output, grad_final), found, threads)
    return list(found)


def new_state(gi: Tensor, gh: Tensor, h: Tensor) -> Tensor:
    """The new state of the "after" form from sums of products that the caller formed, all contiguous."""
    H = h.shape[-1]
    state = torch.empty_like(h)
    run = module.gates32 if h.dtype is torch.float32 else module.gates64
    a, b, c, d = map(_address, (gi, gh, h, state))
    run(h.numel() // H, H, a, b, c, d, torch.get_num_threads())
    return state


def new_state_gradients(gi: Tensor, gh: Tensor, h: Tensor, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of the three from the new state's."""
    H = h.shape[-1]
    found = torch.empty_like(gi), torch.empty_like(gh), torch.empty_like(h)
    run = module.gates_backward32 if h.dtype is torch.float32 else module.gates_backward64
    grad = whole(grad)  # under a name: it must live until the kernel has read it
    a, b, c, d, *e = map(_address, (gi, gh, h, grad, *found))
    run(h.numel() // H, H, a, b, c, d, e[0], e[1], e[2], torch.get_num_threads())
    return found


def chance(shape: tuple[int, ...], share: float, value: float, like: Tensor) -> Tensor:
    """Numbers of `like`'s type, each `value` by chance `share`, else 0: torch's bernoulli_ at a tenth of the time.

    The seed comes from torch's generator.
    """
    made = pooled(torch.Size(shape), like.dtype)
    run = module.chance32 if like.dtype is torch.float32 else module.chance64
    seed = int(torch.empty((), dtype=torch.int64, device=CPU).random_())
    run(made.data_ptr(), made.numel(), share, value, seed, torch.get_num_threads())
    return made


def shared(t: Any) -> Any:
    """The same values as a tensor of their own, whose memory is shared until one of the two is written to."""
    try:
        return t._lazy_clone()
    except RuntimeError:  # memory of another allocator than torch's own
        return t.clone()


def pooled(shape: torch.Size, dtype: torch.dtype) -> Tensor:
    """An empty tensor in memory that the native module keeps for the next step when the tensor is gone."""
    make = module.pooled32 if dtype is torch.float32 else module.pooled64
    made: Tensor = make(tuple(shape))
    return made


class Known:
    """The native layer of one recurrent weight, and how the weights of its last plain call looked (direct.py)."""

    __slots__ = ("H", "I", "dtype", "layer", "looks", "parameters", "storage", "width")

    H: int
    I: int  # noqa: E741 (the field's letter). 0: ready terms are given in x's place
    width: int  # of what is given
    parameters: bool  # all of them, whose layout torch does not let anybody change

    def __init__(self, w_hh: Tensor, address: int) -> None:
        # Not on the tensor itself: torch.utils.swap_tensors refuses those that are referred to.
        self.storage = weakref.ref(w_hh.untyped_storage(), lambda dead: _forget(address, dead))
        self.dtype = w_hh.dtype
        self.layer: Any = new_layer(w_hh.itemsize)
        self.looks: tuple[Any, ...] | None = None
        self.parameters = False


_known: dict[int, Known] = {}


def known(w_hh: Any) -> Known:
    """What there is of the weight at this address. Its layer sees by content when it is another, or has changed."""
    address = w_hh.const_data_ptr()
    found = _known.get(address)
    if found is None or found.dtype is not w_hh.dtype:
        found = Known(w_hh, address)
        if address:
            _known[address] = found
    return found


def _forget(address: int, dead: Any) -> None:
    found = _known.get(address)
    if found is not None and found.storage is dead:  # another storage may be there by now
        del _known[address]


def _readable(o: Operands) -> Operands:
    """The last axis of everything, and the whole of weights and lengths, contiguous; and no sign left to be turned."""
    if all(t is None or (t.is_contiguous() and not t.is_neg()) for t in o):
        return o
    ways = (inner if i in BATCHED and i != LENGTHS else whole for i in range(len(o)))
    return Operands(*(None if t is None else way(t) for t, way in zip(o, ways, strict=True)))


def inner(t: Any) -> Any:
    """The same values with a contiguous last axis, in memory as they are: torch keeps some negations for later."""
    if t.is_neg() or (not t.const_data_ptr() and t._is_zerotensor()):  # torch's tensors of zeros have no memory
        t = t.clone()
    return t if t.stride(-1) == 1 else t.contiguous()


def whole(t: Any) -> Any:
    """The same, contiguous."""
    t = inner(t)
    return t if t.is_contiguous() else t.contiguous()


def _address(t: Any) -> int:
    return t.const_data_ptr() or (no_memory("an operand") if t.numel() else 0)


MEMORY = Memory(_address, lambda t: t.stride())
