"""Machine settings of a fit: threads, memory that is kept, and the faster of torch's two products of floats."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch

from gruworks.nn.recurrence.threads import torch_threads

__all__ = ["fast_products", "kept_memory", "tuned"]

LARGE = 300_000  # parameters from which products outweigh what a call of oneDNN costs, 10 us

# glibc's <malloc.h>, and the values that it starts with.
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4
DEFAULTS = {M_TRIM_THRESHOLD: 128 << 10, M_TOP_PAD: 128 << 10, M_MMAP_MAX: 65536}
KEPT = {M_TRIM_THRESHOLD: (1 << 31) - 1, M_TOP_PAD: 64 << 20, M_MMAP_MAX: 0}


@contextmanager
def tuned(model: torch.nn.Module, threads: int) -> Iterator[None]:
    """Run the fit of `model` on `threads` threads (0: as many as are set), as fast as this machine can."""
    with ExitStack() as stack:
        stack.enter_context(torch_threads(threads))
        stack.enter_context(kept_memory())
        if sum(p.numel() for p in model.parameters()) >= LARGE:
            stack.enter_context(fast_products())
        yield


@contextmanager
def kept_memory() -> Iterator[None]:
    """Large tensors that are freed leave their pages to the next ones. Nothing happens where the C library isn't glibc.

    By default glibc maps every large block anew, and the kernel clears its pages: a third of a translator's step.
    """
    libc = _glibc()
    if libc is None:
        yield
        return
    try:
        for parameter, value in KEPT.items():
            libc.mallopt(parameter, value)
        yield
    finally:
        for parameter, value in DEFAULTS.items():
            libc.mallopt(parameter, value)
        libc.malloc_trim(0)


@contextmanager
def fast_products() -> Iterator[None]:
    """Products of float32 matrices by oneDNN, which on AMD's processors has twice the speed of MKL's.

    Torch hands them over at the precision "medium", which lets oneDNN round to bfloat16 where that is faster: on
    processors with AMX. There MKL is fast, and nothing is changed. Elsewhere results are as exact as MKL's.
    """
    cpu: Any = torch.cpu
    mkldnn: Any = torch.backends.mkldnn
    chosen = torch.get_float32_matmul_precision() != "highest"  # by the caller, or by another thread that is in here
    if chosen or not mkldnn.is_available() or cpu._is_amx_tile_supported():
        yield
        return
    torch.set_float32_matmul_precision("medium")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision("highest")


def _glibc() -> Any:
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "gnu_get_libc_version") and hasattr(libc, "mallopt") else None
