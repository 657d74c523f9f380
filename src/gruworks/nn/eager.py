"""Whether a call is an ordinary eager one, over memory that may be read at once. Asked as cheaply as can be."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.nn import Parameter

__all__ = ["PLAIN", "STRIDED", "computable", "differentiable", "eager", "fits", "looks", "watched"]

PLAIN = (Tensor, Parameter)
STRIDED = torch.strided

# Looked up once: these questions are asked in every call.
_C: Any = torch._C
_is_compiling, _dispatch_modes, _tracing = (
    torch.compiler.is_compiling, _C._len_torch_dispatch_stack, _C._get_tracing_state,
)  # fmt: skip
_transforms, _batched = _C._functorch.peek_interpreter_stack, _C._functorch.is_legacy_batchedtensor
_saved_hooks = _C._autograd._top_saved_tensors_default_hooks


def eager() -> bool:
    """Nothing traces, transforms or watches the call, and no tensor carries a tangent."""
    if _is_compiling() or _dispatch_modes() or forward_ad._current_level >= 0:
        return False
    return _transforms() is None and _tracing() is None


def computable(*grads: Tensor | None) -> bool:
    """Whether these gradients lie in memory. Those of is_grads_batched=True are torch's older batched tensors."""
    for grad in grads:
        if grad is not None and (type(grad) not in PLAIN or _batched(grad)):
            return False
    return eager()


def watched() -> bool:
    """Whether hooks ask to see what is saved for the backward."""
    return _saved_hooks(True) is not None


def fits(t: Any, shape: tuple[int, ...], dtype: torch.dtype) -> bool:
    """An ordinary contiguous tensor on the processor, of this shape and type, whose memory holds its values."""
    if type(t) not in PLAIN or not t.is_cpu or t.dtype is not dtype or t.layout is not STRIDED or t.is_neg():
        return False
    try:
        return bool(t.shape == shape and t.is_contiguous())
    except RuntimeError:  # a nested tensor has no shape
        return False


def differentiable(*tensors: Tensor | None) -> bool:
    """Whether any of them asks for a gradient."""
    for t in tensors:  # noqa: SIM110 (a generator costs more than all of them)
        if t is not None and t.requires_grad:
            return True
    return False


def looks(w_ih: Tensor | None, w_hh: Tensor, b_ih: Tensor | None, b_hh: Tensor | None) -> tuple[Any, ...]:
    """What `.data = ...` and `module.to(...)` can change under the same name, asked as cheaply as can be."""
    if w_ih is None or b_ih is None or b_hh is None:
        return tuple(
            None if t is None else (t.shape, t.dtype, type(t), t.is_cpu and t.is_contiguous() and not t.is_neg())
            for t in (w_ih, w_hh, b_ih, b_hh)
        )
    return (
        w_ih.shape, w_hh.shape, b_ih.shape, b_hh.shape, w_ih.dtype, w_hh.dtype, b_ih.dtype, b_hh.dtype,
        type(w_ih), type(w_hh), type(b_ih), type(b_hh), w_ih.is_cpu, w_hh.is_cpu, b_ih.is_cpu, b_hh.is_cpu,
        w_ih.is_contiguous() and w_hh.is_contiguous() and b_ih.is_contiguous() and b_hh.is_contiguous(),
        w_ih.is_neg() or w_hh.is_neg() or b_ih.is_neg() or b_hh.is_neg(),
    )  # fmt: skip
