"""Parallel scan of the linear recurrence h_t = a_t * h_{t-1} + b_t, given the logarithms of a and b.

On CPUs a native kernel, as a torch operator; elsewhere cumulative sums in torch (Heinsen 2023, arXiv 2311.06281).
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from gruworks.errors import ShapeError
from gruworks.nn.compatibility.torch_version import const_data_ptr
from gruworks.nn.recurrence.conditions import AVAILABLE, eager
from gruworks.nn.recurrence.operands import check_alike, no_memory
from gruworks.ops import scan as ops

__all__ = ["log_scan", "log_scan_in_torch"]

# Logarithms are accumulated within chunks, to limit cancellation in their differences: 64 steps keep float32 results
# within 1e-5 of the sequential ones.
CHUNK = 64


def log_scan(log_a: Tensor, log_b: Tensor, h0: Tensor) -> Tensor:
    """States [T, B, H] of h_t = a_t * h_{t-1} + b_t, given log a and log b [T, B, H] and h0 [B, H].

    >>> half = torch.full((3, 1, 1), 0.5).log()
    >>> log_scan(half, half, torch.zeros(1, 1))[:, 0, 0]
    tensor([0.5000, 0.7500, 0.8750])

    Args:
        log_a, log_b: logarithms of the positive coefficients, as low as the type allows. T may be 0.
        h0: initial state, of any sign.

    Raises:
        ShapeError: shapes don't match.
        DeviceError, DtypeError: operands on different devices or of different types.
    """
    check_alike(log_a=log_a, log_b=log_b, h0=h0)
    if log_a.shape != log_b.shape or h0.shape != log_a.shape[1:]:
        shapes = [list(t.shape) for t in (log_a, log_b, h0)]
        raise ShapeError(f"expected log_a and log_b [T, B, H] and h0 [B, H], got {', '.join(map(str, shapes))}")
    if AVAILABLE and (eager() or torch.compiler.is_compiling()) and _served(log_a, log_b, h0):
        states: Tensor = torch.ops.gruworks.log_scan(log_a, log_b, h0)
        return states
    return log_scan_in_torch(log_a, log_b, h0)


def _served(*tensors: Tensor) -> bool:
    return all(t.device.type == "cpu" and t.dtype is tensors[0].dtype for t in tensors) and tensors[0].dtype in (
        torch.float32,
        torch.float64,
    )


def log_scan_in_torch(log_a: Tensor, log_b: Tensor, h0: Tensor) -> Tensor:
    """`log_scan` in torch operations: any device, differentiable to any order."""
    states, h = [], h0
    for a, b in zip(torch.split(log_a, CHUNK), torch.split(log_b, CHUNK), strict=True):
        decay = a.cumsum(0)  # log of the product of a up to each step
        chunk = decay.exp() * h + (decay + torch.logcumsumexp(b - decay, 0)).exp()
        states.append(chunk)
        h = chunk[-1] if len(chunk) else h
    return torch.cat(states)


def _scan(log_a: Tensor, log_b: Tensor, h0: Tensor) -> Tensor:
    start = _flat(h0[None])[0]
    states = ops.log_scan(_flat(log_a), _flat(log_b), start, torch.get_num_threads())
    return torch.from_numpy(states).reshape(log_a.shape)


def _scan_backward(log_a: Tensor, log_b: Tensor, h0: Tensor, states: Tensor, grad: Tensor) -> list[Tensor]:
    start, threads = _flat(h0[None])[0], torch.get_num_threads()
    found = ops.log_scan_backward(_flat(log_a), _flat(log_b), start, _flat(states), _flat(grad), threads)
    return [torch.from_numpy(g).reshape(t.shape) for g, t in zip(found, (log_a, log_b, h0), strict=True)]


def _flat(t: Any) -> Any:
    if t.numel() and not const_data_ptr(t):
        no_memory("an operand")
    return t.detach().reshape(len(t), math.prod(t.shape[1:])).numpy()


def _setup(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
    ctx.save_for_backward(*inputs, output)


def _derive(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    *inputs, states = ctx.saved_tensors
    if torch.is_grad_enabled() and not torch.compiler.is_compiling():  # create_graph=True
        found = torch.autograd.grad(log_scan_in_torch(*inputs), inputs, grad, create_graph=True, allow_unused=True)
        return tuple(found)
    found = torch.ops.gruworks.log_scan_backward(*inputs, states, grad)
    return tuple(g if need else None for g, need in zip(found, ctx.needs_input_grad, strict=True))


_torch: Any = torch.library  # its functions carry no types
_library = _torch.Library("gruworks", "FRAGMENT")
_library.define("log_scan(Tensor log_a, Tensor log_b, Tensor h0) -> Tensor")
_library.define("log_scan_backward(Tensor log_a, Tensor log_b, Tensor h0, Tensor states, Tensor grad) -> Tensor[]")
_library.impl("log_scan", _scan, "CPU")
_library.impl("log_scan_backward", _scan_backward, "CPU")
_torch.register_fake(
    "gruworks::log_scan", lambda a, b, h0: torch.empty_like(a, memory_format=torch.contiguous_format), lib=_library
)
_torch.register_fake(
    "gruworks::log_scan_backward",
    lambda *given: [torch.empty_like(t, memory_format=torch.contiguous_format) for t in given[:3]],
    lib=_library,
)
_torch.register_autograd("gruworks::log_scan", _derive, setup_context=_setup, lib=_library)
