"""Compiled parts of gruworks.ops"""

from collections.abc import Sequence
from typing import Annotated

import numpy
from numpy.typing import NDArray
import torch


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
    """What a plain forward kept."""

    def backward(self, arg0: int, arg1: int, arg2: int, arg3: int, arg4: int, arg5: int, arg6: int, arg7: int, arg8: int, arg9: int, arg10: int, arg11: int, arg12: int, arg13: int, arg14: int, arg15: int, arg16: int, arg17: int, arg18: int, /) -> bool: ...

class Layer32:
    """What is packed for one layer and direction, and its recurrence."""

    def __init__(self) -> None: ...

    def forward_plain(self, arg0: int, arg1: int, arg2: int, arg3: int, arg4: bool, arg5: bool, arg6: bool, arg7: int, arg8: int, arg9: int, arg10: int, arg11: int, arg12: int, arg13: int, arg14: int, arg15: int, arg16: int, arg17: int, arg18: int, /) -> None: ...

    def forward_kept(self, arg0: int, arg1: int, arg2: int, arg3: int, arg4: bool, arg5: bool, arg6: bool, arg7: int, arg8: int, arg9: int, arg10: int, arg11: int, arg12: int, arg13: int, arg14: int, arg15: int, arg16: int, arg17: int, arg18: int, /) -> Kept32: ...

    def forward(self, arg0: tuple[int, int, int, int, bool, bool], arg1: tuple[int, int, int, int], arg2: tuple[tuple[int, int, int], tuple[int, int, int], tuple[int, int], int, tuple[int, int, int], tuple[int, int], tuple[tuple[int, int], tuple[int, int, int], int, int]], arg3: tuple[int, int, int], arg4: int, arg5: int, arg6: int, arg7: int, /) -> None: ...

    def backward(self, arg0: tuple[int, int, int, int, bool, bool], arg1: tuple[int, int, int, int], arg2: tuple[tuple[int, int, int], tuple[int, int, int], tuple[int, int], int, tuple[int, int, int], tuple[int, int], tuple[tuple[int, int], tuple[int, int, int], int, int]], arg3: tuple[int, int, int], arg4: int, arg5: int, arg6: tuple[tuple[int, int, int], tuple[int, int], tuple[int, int, int], tuple[int, int, int], tuple[int, int, int]], arg7: Sequence[int], arg8: int, /) -> None: ...

class Kept64:
    """What a plain forward kept."""

    def backward(self, arg0: int, arg1: int, arg2: int, arg3: int, arg4: int, arg5: int, arg6: int, arg7: int, arg8: int, arg9: int, arg10: int, arg11: int, arg12: int, arg13: int, arg14: int, arg15: int, arg16: int, arg17: int, arg18: int, /) -> bool: ...

class Layer64:
    """What is packed for one layer and direction, and its recurrence."""

    def __init__(self) -> None: ...

    def forward_plain(self, arg0: int, arg1: int, arg2: int, arg3: int, arg4: bool, arg5: bool, arg6: bool, arg7: int, arg8: int, arg9: int, arg10: int, arg11: int, arg12: int, arg13: int, arg14: int, arg15: int, arg16: int, arg17: int, arg18: int, /) -> None: ...

    def forward_kept(self, arg0: int, arg1: int, arg2: int, arg3: int, arg4: bool, arg5: bool, arg6: bool, arg7: int, arg8: int, arg9: int, arg10: int, arg11: int, arg12: int, arg13: int, arg14: int, arg15: int, arg16: int, arg17: int, arg18: int, /) -> Kept64: ...

    def forward(self, arg0: tuple[int, int, int, int, bool, bool], arg1: tuple[int, int, int, int], arg2: tuple[tuple[int, int, int], tuple[int, int, int], tuple[int, int], int, tuple[int, int, int], tuple[int, int], tuple[tuple[int, int], tuple[int, int, int], int, int]], arg3: tuple[int, int, int], arg4: int, arg5: int, arg6: int, arg7: int, /) -> None: ...

    def backward(self, arg0: tuple[int, int, int, int, bool, bool], arg1: tuple[int, int, int, int], arg2: tuple[tuple[int, int, int], tuple[int, int, int], tuple[int, int], int, tuple[int, int, int], tuple[int, int], tuple[tuple[int, int], tuple[int, int, int], int, int]], arg3: tuple[int, int, int], arg4: int, arg5: int, arg6: tuple[tuple[int, int, int], tuple[int, int], tuple[int, int, int], tuple[int, int, int], tuple[int, int, int]], arg7: Sequence[int], arg8: int, /) -> None: ...

class Stream32:
    """Steps for many sessions; the state is the caller's memory."""

    def __init__(self, arg0: tuple[int, int, int, int, bool, bool], arg1: tuple[int, int, int, int], arg2: int, arg3: int, /) -> None: ...

    def step(self, arg: Annotated[NDArray[numpy.float32], dict(order='C', device='cpu', writable=False)], /) -> bool: ...

    def repeat(self, arg0: Annotated[NDArray[numpy.float32], dict(order='C', device='cpu', writable=False)], arg1: int, /) -> bool: ...

class Stream64:
    """Steps for many sessions; the state is the caller's memory."""

    def __init__(self, arg0: tuple[int, int, int, int, bool, bool], arg1: tuple[int, int, int, int], arg2: int, arg3: int, /) -> None: ...

    def step(self, arg: Annotated[NDArray[numpy.float64], dict(order='C', device='cpu', writable=False)], /) -> bool: ...

    def repeat(self, arg0: Annotated[NDArray[numpy.float64], dict(order='C', device='cpu', writable=False)], arg1: int, /) -> bool: ...

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

    def backward(self, arg0: int, arg1: int, arg2: int, arg3: Sequence[int], arg4: Sequence[int], arg5: tuple[int, int, int], arg6: int, arg7: int, arg8: int, arg9: Sequence[int], arg10: int, /) -> bool: ...

def stack32(arg0: Sequence[Layer32], arg1: int, arg2: int, arg3: int, arg4: int, arg5: int, arg6: bool, arg7: bool, arg8: tuple[int, int, int], arg9: int, arg10: int, arg11: int, arg12: Sequence[int], arg13: Sequence[int], arg14: int, /) -> None:
    """Output and final states of a stack."""

def stack_kept32(arg0: Sequence[Layer32], arg1: int, arg2: int, arg3: int, arg4: int, arg5: int, arg6: bool, arg7: bool, arg8: tuple[int, int, int], arg9: int, arg10: int, arg11: int, arg12: Sequence[int], arg13: Sequence[int], arg14: int, /) -> StackKept32:
    """The same, and what the backward needs."""

class StackKept64:
    """Saved values of a stack's forward."""

    def backward(self, arg0: int, arg1: int, arg2: int, arg3: Sequence[int], arg4: Sequence[int], arg5: tuple[int, int, int], arg6: int, arg7: int, arg8: int, arg9: Sequence[int], arg10: int, /) -> bool: ...

def stack64(arg0: Sequence[Layer64], arg1: int, arg2: int, arg3: int, arg4: int, arg5: int, arg6: bool, arg7: bool, arg8: tuple[int, int, int], arg9: int, arg10: int, arg11: int, arg12: Sequence[int], arg13: Sequence[int], arg14: int, /) -> None:
    """Output and final states of a stack."""

def stack_kept64(arg0: Sequence[Layer64], arg1: int, arg2: int, arg3: int, arg4: int, arg5: int, arg6: bool, arg7: bool, arg8: tuple[int, int, int], arg9: int, arg10: int, arg11: int, arg12: Sequence[int], arg13: Sequence[int], arg14: int, /) -> StackKept64:
    """The same, and what the backward needs."""

class AttentionDecoder:
    """A decoder with attention; its states are the caller's memory."""

    def __init__(self, arg0: Sequence[int], arg1: bool, arg2: float, arg3: Sequence[int], arg4: int, /) -> None: ...

    def step(self, arg0: tuple[int, int, int, int, int], arg1: int, arg2: Sequence[int], arg3: tuple[int, int, int], arg4: int, /) -> None: ...
