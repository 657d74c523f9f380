"""Compiled parts of gruworks.ops"""

from collections.abc import Sequence
from typing import Annotated

import numpy
from numpy.typing import NDArray
import torch
from typing_extensions import CapsuleType


def instruction_sets() -> list[str]:
    """
    Instruction sets of this processor that kernels are compiled for, weakest first.
    """

def builds() -> list[str]:
    """Builds of the kernels that this processor can run, weakest first."""

def build() -> str:
    """The build in use."""

def choose_build(arg: str, /) -> bool:
    """Use another build; false where this processor has no such one."""

def set_exact(arg: bool, /) -> bool:
    """Set this thread's exact mode; returns the mode before."""

def thread_pool() -> str:
    """The pool of threads in use: openmp, or own."""

def padded(arg: int, /) -> int:
    """H rounded up to whole vectors: what a step saves is 4 times that."""

def pooled32(arg: Sequence[int], /) -> Annotated[torch.Tensor, dict(dtype='float32')]:
    """An empty float32 tensor of this shape, its memory from the pool."""

def pooled64(arg: Sequence[int], /) -> Annotated[torch.Tensor, dict(dtype='float64')]:
    """The same in float64."""

def gates32(arg0: int, arg1: int, arg2: int, arg3: int, arg4: int, arg5: int, arg6: int, /) -> None: ...

def gates64(arg0: int, arg1: int, arg2: int, arg3: int, arg4: int, arg5: int, arg6: int, /) -> None: ...

def gates_backward32(arg0: int, arg1: int, arg2: int, arg3: int, arg4: int, arg5: int, arg6: int, arg7: int, arg8: int, arg9: int, /) -> None: ...

def gates_backward64(arg0: int, arg1: int, arg2: int, arg3: int, arg4: int, arg5: int, arg6: int, arg7: int, arg8: int, arg9: int, /) -> None: ...

def chance32(arg0: int, arg1: int, arg2: float, arg3: float, arg4: int, arg5: int, /) -> None: ...

def chance64(arg0: int, arg1: int, arg2: float, arg3: float, arg4: int, arg5: int, /) -> None: ...

def scan32(arg0: int, arg1: int, arg2: Sequence[int], arg3: int, arg4: int, /) -> None: ...

def scan64(arg0: int, arg1: int, arg2: Sequence[int], arg3: int, arg4: int, /) -> None: ...

def scan_backward32(arg0: int, arg1: int, arg2: Sequence[int], arg3: int, arg4: Sequence[int], arg5: int, arg6: int, /) -> None: ...

def scan_backward64(arg0: int, arg1: int, arg2: Sequence[int], arg3: int, arg4: Sequence[int], arg5: int, arg6: int, /) -> None: ...

class Kept32:
    """Saved values of a plain call."""

    def backward(self, arg0: object, arg1: object | None, arg2: object | None, arg3: object, arg4: object | None, arg5: object | None, arg6: object | None, arg7: object | None, arg8: object | None, arg9: tuple[object, ...], arg10: int, /) -> object: ...

class Layer32:
    """What is packed for one layer and direction, and its recurrence."""

    def __init__(self) -> None: ...

    def plain(self, arg0: object, arg1: object | None, arg2: object | None, arg3: object, arg4: object | None, arg5: object | None, arg6: bool, arg7: bool, arg8: bool, arg9: bool, arg10: bool, arg11: bool, arg12: int, /) -> object: ...

    def freeze(self, arg: bool, /) -> bool: ...

    def forward(self, arg0: tuple[int, int, int, int, bool, bool, int, bool], arg1: tuple[int, int, int, int], arg2: tuple[tuple[int, int, int], tuple[int, int, int], tuple[int, int], int, tuple[int, int, int], tuple[int, int], tuple[int, int, int], tuple[tuple[int, int], tuple[int, int, int], int, int]], arg3: tuple[int, int, int], arg4: int, arg5: int, arg6: int, arg7: int, /) -> None: ...

    def backward(self, arg0: tuple[int, int, int, int, bool, bool, int, bool], arg1: tuple[int, int, int, int], arg2: tuple[tuple[int, int, int], tuple[int, int, int], tuple[int, int], int, tuple[int, int, int], tuple[int, int], tuple[int, int, int], tuple[tuple[int, int], tuple[int, int, int], int, int]], arg3: tuple[int, int, int], arg4: int, arg5: int, arg6: tuple[tuple[int, int, int], tuple[int, int], tuple[int, int, int], tuple[int, int, int], tuple[int, int, int]], arg7: Sequence[int], arg8: int, /) -> None: ...

class Kept64:
    """Saved values of a plain call."""

    def backward(self, arg0: object, arg1: object | None, arg2: object | None, arg3: object, arg4: object | None, arg5: object | None, arg6: object | None, arg7: object | None, arg8: object | None, arg9: tuple[object, ...], arg10: int, /) -> object: ...

class Layer64:
    """What is packed for one layer and direction, and its recurrence."""

    def __init__(self) -> None: ...

    def plain(self, arg0: object, arg1: object | None, arg2: object | None, arg3: object, arg4: object | None, arg5: object | None, arg6: bool, arg7: bool, arg8: bool, arg9: bool, arg10: bool, arg11: bool, arg12: int, /) -> object: ...

    def freeze(self, arg: bool, /) -> bool: ...

    def forward(self, arg0: tuple[int, int, int, int, bool, bool, int, bool], arg1: tuple[int, int, int, int], arg2: tuple[tuple[int, int, int], tuple[int, int, int], tuple[int, int], int, tuple[int, int, int], tuple[int, int], tuple[int, int, int], tuple[tuple[int, int], tuple[int, int, int], int, int]], arg3: tuple[int, int, int], arg4: int, arg5: int, arg6: int, arg7: int, /) -> None: ...

    def backward(self, arg0: tuple[int, int, int, int, bool, bool, int, bool], arg1: tuple[int, int, int, int], arg2: tuple[tuple[int, int, int], tuple[int, int, int], tuple[int, int], int, tuple[int, int, int], tuple[int, int], tuple[int, int, int], tuple[tuple[int, int], tuple[int, int, int], int, int]], arg3: tuple[int, int, int], arg4: int, arg5: int, arg6: tuple[tuple[int, int, int], tuple[int, int], tuple[int, int, int], tuple[int, int, int], tuple[int, int, int]], arg7: Sequence[int], arg8: int, /) -> None: ...

class Stream32:
    """Steps for many sessions; the state is the caller's memory."""

    def __init__(self, arg0: tuple[int, int, int, int, bool, bool, int, bool], arg1: tuple[int, int, int, int], arg2: int, arg3: int, /) -> None: ...

    def step(self, arg: Annotated[NDArray[numpy.float32], dict(order='C', device='cpu', writable=False)], /) -> bool: ...

    def repeat(self, arg0: Annotated[NDArray[numpy.float32], dict(order='C', device='cpu', writable=False)], arg1: int, /) -> bool: ...

class Stream64:
    """Steps for many sessions; the state is the caller's memory."""

    def __init__(self, arg0: tuple[int, int, int, int, bool, bool, int, bool], arg1: tuple[int, int, int, int], arg2: int, arg3: int, /) -> None: ...

    def step(self, arg: Annotated[NDArray[numpy.float64], dict(order='C', device='cpu', writable=False)], /) -> bool: ...

    def repeat(self, arg0: Annotated[NDArray[numpy.float64], dict(order='C', device='cpu', writable=False)], arg1: int, /) -> bool: ...

def connect_torch(arg0: CapsuleType, arg1: object, arg2: object, arg3: object, arg4: object, arg5: object, arg6: object, arg7: object, /) -> bool:
    """
    Let plain calls read and make torch's tensors; false where DLPack's exchange API has another major version.
    """

class Grams:
    """An n-gram model in backoff form."""

    def __init__(self, arg: int, /) -> None: ...

    def add(self, arg0: Annotated[NDArray[numpy.int64], dict(shape=(None,), order='C', device='cpu', writable=False)], arg1: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], arg2: Annotated[NDArray[numpy.float64], dict(shape=(None,), order='C', device='cpu', writable=False)], /) -> None: ...

    def row(self, arg: Sequence[int], /) -> list[float]: ...

class Guide:
    """What steers a prefix search."""

def word_guide(arg0: tuple[Sequence[int], Sequence[int], Sequence[int]], arg1: tuple[Sequence[int], Sequence[int], Sequence[float]], arg2: int, arg3: int, arg4: bool, arg5: tuple[Grams, Sequence[int], int, int, int, float, float], /) -> Guide: ...

def symbol_guide(arg0: Sequence[float], arg1: Sequence[int], arg2: tuple[Grams, Sequence[int], int, int, int, float, float], /) -> Guide: ...

class PrefixSearch:
    """Prefix beam search over CTC's log-probabilities."""

    def __init__(self, arg0: Guide | None, arg1: int, arg2: int, arg3: float, /) -> None: ...

    def advance(self, arg: Annotated[NDArray[numpy.float64], dict(shape=(None, None), order='C', device='cpu', writable=False)], /) -> bool: ...

    def results(self, arg0: int, arg1: bool, /) -> list[tuple[list[int], float, float]]: ...

    def stable(self) -> list[int]: ...

def allow_dot_products(arg: bool, /) -> None:
    """Allow or forbid dot products of 8 bits in streams made from now on."""

class NarrowStream:
    """Steps with narrow weights; the state is the caller's memory."""

    def __init__(self, arg0: tuple[int, int, int, int], arg1: tuple[int, int, int, int], arg2: int, arg3: int, arg4: int, arg5: bool, arg6: int, arg7: int, arg8: int, /) -> None: ...

    def step(self, arg: Annotated[NDArray[numpy.float32], dict(order='C', device='cpu', writable=False)], /) -> bool: ...

    def repeat(self, arg0: Annotated[NDArray[numpy.float32], dict(order='C', device='cpu', writable=False)], arg1: int, /) -> bool: ...

    @property
    def build(self) -> str: ...

class NarrowSequence:
    """Whole sequences with narrow weights."""

    def __init__(self, arg0: tuple[int, int, int, int], arg1: tuple[int, int, int, int], arg2: int, arg3: int, arg4: int, arg5: bool, /) -> None: ...

    def run(self, arg0: int, arg1: int, arg2: bool, arg3: Sequence[int], arg4: int, arg5: int, arg6: Sequence[int], arg7: int, arg8: int, /) -> None: ...

    @property
    def build(self) -> str: ...

class StackKept32:
    """Saved values of a stack's forward."""

    def backward(self, arg0: tuple[object, ...], arg1: tuple[object, ...], arg2: object, arg3: object | None, arg4: object | None, arg5: tuple[object, ...], arg6: int, /) -> object: ...

def stack32(arg0: Sequence[Layer32], arg1: tuple[object, ...], arg2: tuple[object, ...], arg3: int, arg4: int, arg5: bool, arg6: bool, arg7: bool, arg8: int, /) -> object:
    """A stack of layers in torch's tensors."""

class StackKept64:
    """Saved values of a stack's forward."""

    def backward(self, arg0: tuple[object, ...], arg1: tuple[object, ...], arg2: object, arg3: object | None, arg4: object | None, arg5: tuple[object, ...], arg6: int, /) -> object: ...

def stack64(arg0: Sequence[Layer64], arg1: tuple[object, ...], arg2: tuple[object, ...], arg3: int, arg4: int, arg5: bool, arg6: bool, arg7: bool, arg8: int, /) -> object:
    """A stack of layers in torch's tensors."""

class AttentionDecoder:
    """A decoder with attention; its states are the caller's memory."""

    def __init__(self, arg0: Sequence[int], arg1: bool, arg2: float, arg3: Sequence[int], arg4: int, /) -> None: ...

    def step(self, arg0: tuple[int, int, int, int, int], arg1: int, arg2: Sequence[int], arg3: tuple[int, int, int], arg4: int, /) -> None: ...
