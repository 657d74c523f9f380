"""The native recurrence on torch tensors: their addresses in, new tensors out. No autograd here.

Every function takes the operands in one order, the one of `OPERANDS`; those that there are not are None.
"""

from __future__ import annotations

import weakref
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gruworks.errors import DtypeError, ShapeError
from gruworks.nn.checks import check_beside, check_tensor, no_memory
from gruworks.ops.backend import backend
from gruworks.ops.backend import native as module
from gruworks.ops.recurrence import NONE2, NONE3, check_together, new_layer, saved_width

__all__ = [
    "OPERANDS",
    "Known",
    "Operands",
    "chance",
    "check",
    "check_readable",
    "forward",
    "forward_kept",
    "gates",
    "gates_gradients",
    "gradients",
    "inner",
    "known",
    "pooled",
    "serves",
    "shared",
    "whole",
]

OPERANDS = ("x", "gi", "h0", "w_ih", "w_hh", "b_ih", "b_hh", "lengths", "decay", "replacement", "mask",
            "zoneout", "gain", "input_gain")  # fmt: skip
STEPS_OR_ROWS = (0, 1, 2, 8, 9, 10, 11)  # places of those that have a time or batch axis, lengths aside

CPU = torch.device("cpu")  # said every time: the caller may have set another default
LARGE = 1 << 16  # entries: 256 KiB of float32, of which a page fault for each 4 KiB costs more than DLPack's 4 us
AVAILABLE = backend().name != "torch"  # settled here: a graph can't be traced through an import


class Operands(NamedTuple):
    """x [T, B, I] or gi [T, B, 3H]; h0 [B, H]; the weights; lengths [B]; decay [T, B, H]; replacement [B, H]; and what
    training adds (ops/equations.py): mask [B, H], zoneout [T, B, H], gain and input_gain [3H]."""

    x: Tensor | None
    gi: Tensor | None
    h0: Tensor | None
    w_ih: Tensor | None
    w_hh: Tensor
    b_ih: Tensor | None
    b_hh: Tensor | None
    lengths: Tensor | None = None
    decay: Tensor | None = None
    replacement: Tensor | None = None
    mask: Tensor | None = None
    zoneout: Tensor | None = None
    gain: Tensor | None = None
    input_gain: Tensor | None = None

    @property
    def given(self) -> Tensor:
        """x, or gi in its place."""
        given = self.gi if self.x is None else self.x
        assert given is not None
        return given

    @property
    def reads_another_state(self) -> bool:
        """Whether products read another state than the step before left."""
        return self.decay is not None or self.mask is not None


def serves(weight: Tensor) -> bool:
    """Whether the native kernel computes on this device and element type, and is there."""
    if weight.device.type != "cpu" or weight.dtype not in (torch.float32, torch.float64):
        return False
    return AVAILABLE


def check(o: Operands) -> None:
    """Shapes and types that fit together: what the kernel is about to trust."""
    check_together(o)
    check_readable(o)
    given, H = o.given, o.w_hh.shape[-1] if o.w_hh.dim() else 0
    if given.dim() != 3:
        raise ShapeError(f"the input must be [T, B, I] (or gi [T, B, 3H]), not {list(given.shape)}")
    T, B, _ = given.shape
    I = o.w_ih.shape[-1] if o.w_ih is not None and o.w_ih.dim() else 3 * H  # noqa: E741 (the field's letter)
    shapes = ((T, B, I), (T, B, 3 * H), (B, H), (3 * H, I), (3 * H, H), (3 * H,), (3 * H,), (B,), (T, B, H), (B, H),
              (B, H), (T, B, H), (3 * H,), (3 * H,))  # fmt: skip
    dtype = o.w_hh.dtype
    for i, tensor in enumerate(o):
        if tensor is None:
            continue
        if tensor.shape != shapes[i]:
            raise ShapeError(f"{OPERANDS[i]} must be {list(shapes[i])} beside the others, not {list(tensor.shape)}")
        if tensor.dtype != dtype and i != 7:
            raise DtypeError(f"{OPERANDS[i]} must have the weights' element type {dtype}, not {tensor.dtype}")
    if o.lengths is not None and o.lengths.dtype != torch.int64:
        raise DtypeError(f"lengths must be torch.int64 here, not {o.lengths.dtype}")


def check_readable(o: Operands) -> None:
    """Strided tensors on the device of w_hh: without that an address means nothing."""
    check_tensor("w_hh", o.w_hh)
    for name, tensor in zip(OPERANDS, o, strict=True):
        if tensor is not None:
            check_beside(name, tensor, o.w_hh)


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
    output, final = torch.empty(T, B, H, dtype=dtype, device=CPU), torch.empty(B, H, dtype=dtype, device=CPU)
    known(o.w_hh).layer.forward(
        _sizes(o, before, reverse), _weights(o), _inputs(o), (output.data_ptr() or 8, B * H, H), final.data_ptr() or 8,
        0 if saved is None else saved.data_ptr() or 8, _address(states), torch.get_num_threads(),
    )  # fmt: skip
    return output, final, saved, states


def gradients(
    o: Operands,
    form: tuple[bool, bool],
    results: tuple[Tensor, Tensor, Tensor],
    grads: tuple[Tensor | None, ...],
    needed: tuple[bool, ...],
) -> list[Tensor | None]:
    """Gradients of the operands that are `needed`, in their order; `form` is (before, reverse), `results` are output,
    saved and states.

    What `saved` holds is gone after this.
    """
    readable = _readable(o)
    output, saved, states = results
    grad_output, grad_final = (None if g is None else inner(g) for g in grads)
    found = [
        torch.empty_like(t, memory_format=torch.contiguous_format) if need and t is not None else None
        for t, need in zip(o, needed, strict=True)
    ]
    if found[9] is not None and o.decay is not None:  # it is summed on the way to decay's
        found[8] = torch.empty_like(o.decay, memory_format=torch.contiguous_format)
    x, gi, h0, w_ih, w_hh, b_ih, b_hh, _, decay, replacement, _, _, gain, input_gain = found
    whole = (_steps(grad_output), _rows(grad_final), _steps(x), _steps(gi), _steps(decay))
    flat = tuple(_address(t) for t in (h0, w_ih, w_hh, b_ih, b_hh, replacement, gain, input_gain))
    _, B, H = output.shape
    known(o.w_hh).layer.backward(
        _sizes(readable, *form), _weights(readable), _inputs(readable), (_address(output) or 8, B * H, H),
        saved.data_ptr() or 8, states.data_ptr(), whole, flat, torch.get_num_threads(),
    )  # fmt: skip
    return found


def gates(gi: Tensor, gh: Tensor, h: Tensor) -> Tensor:
    """The new state from ready terms ("after"), all contiguous."""
    H = h.shape[-1]
    state = torch.empty_like(h)
    run = module().gates32 if h.dtype is torch.float32 else module().gates64
    run(h.numel() // H, H, *map(_address, (gi, gh, h, state)), torch.get_num_threads())
    return state


def gates_gradients(gi: Tensor, gh: Tensor, h: Tensor, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of the three from the new state's."""
    H = h.shape[-1]
    found = torch.empty_like(gi), torch.empty_like(gh), torch.empty_like(h)
    run = module().gates_backward32 if h.dtype is torch.float32 else module().gates_backward64
    grad = whole(grad)  # under a name: it must live until the kernel has read it
    addresses = map(_address, (gi, gh, h, grad, *found))
    run(h.numel() // H, H, *addresses, torch.get_num_threads())
    return found


def chance(shape: tuple[int, ...], share: float, value: float, like: Tensor) -> Tensor:
    """Numbers of `like`'s type, each `value` by chance `share`, else 0: torch's bernoulli_ at a tenth of the time.

    The seed comes from torch's generator.
    """
    made = pooled(torch.Size(shape), like.dtype)
    run = module().chance32 if like.dtype is torch.float32 else module().chance64
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
    make = module().pooled32 if dtype is torch.float32 else module().pooled64
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
    ways = (inner if i in STEPS_OR_ROWS else whole for i in range(len(o)))
    found: Any = (None if t is None else way(t) for t, way in zip(o, ways, strict=True))
    return Operands(*found)


def inner(t: Any) -> Any:
    """The same values with a contiguous last axis, in memory as they are: torch keeps some negations for later."""
    if t.is_neg() or (not t.const_data_ptr() and t._is_zerotensor()):  # torch's tensors of zeros have no memory
        t = t.clone()
    return t if t.stride(-1) == 1 else t.contiguous()


def whole(t: Any) -> Any:
    """The same, contiguous."""
    t = inner(t)
    return t if t.is_contiguous() else t.contiguous()


def _sizes(o: Operands, before: bool, reverse: bool) -> tuple[int, int, int, int, bool, bool]:
    T, B, width = o.given.shape
    return T, B, 0 if o.x is None else width, o.w_hh.shape[1], before, reverse


def _address(t: Any) -> int:
    return 0 if t is None else t.const_data_ptr() or (no_memory("an operand") if t.numel() else 0)


def _steps(t: Tensor | None) -> tuple[int, int, int]:
    """Address and strides of [T, B, ...]. An empty tensor has no address; the kernel asks for one and reads nothing."""
    return NONE3 if t is None else (_address(t) or 8, t.stride(0), t.stride(1))


def _rows(t: Tensor | None) -> tuple[int, int]:
    return NONE2 if t is None else (_address(t), t.stride(0))


def _weights(o: Operands) -> tuple[int, int, int, int]:
    if o.x is None:  # ready terms hold the input's weights and bias already
        return 0, _address(o.w_hh), 0, _address(o.b_hh)
    return _address(o.w_ih), _address(o.w_hh), _address(o.b_ih), _address(o.b_hh)


def _inputs(o: Operands) -> tuple[Any, ...]:
    regular = _rows(o.mask), _steps(o.zoneout), _address(o.gain), _address(o.input_gain)
    return _steps(o.x), _steps(o.gi), _rows(o.h0), _address(o.lengths), _steps(o.decay), _rows(o.replacement), regular
