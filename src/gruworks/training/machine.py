"""Machine settings during a fit: threads, memory allocator, matrix product backend."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch

from gruworks.nn.recurrence.threads import torch_threads

__all__ = ["fast_products", "kept_memory", "tuned"]

LARGE = 300_000  # parameters from which faster products outweigh the overhead of oneDNN, 10 us a call

# Parameters of glibc's mallopt, its defaults, and the values that keep freed memory in the process.
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4
DEFAULTS = {M_TRIM_THRESHOLD: 128 << 10, M_TOP_PAD: 128 << 10, M_MMAP_MAX: 65536}
KEPT = {M_TRIM_THRESHOLD: (1 << 31) - 1, M_TOP_PAD: 64 << 20, M_MMAP_MAX: 0}


@contextmanager
def tuned(model: torch.nn.Module, threads: int) -> Iterator[None]:
    """Run a block with `threads` threads (0: torch's setting) and the fastest settings for training `model`."""
    with ExitStack() as stack:
        stack.enter_context(torch_threads(threads))
        stack.enter_context(kept_memory())
        if sum(p.numel() for p in model.parameters()) >= LARGE:
            stack.enter_context(fast_products())
        yield


@contextmanager
def kept_memory() -> Iterator[None]:
    """Keep the memory of freed tensors in the process, where the C library is glibc.

    By default glibc maps each large block anew, and the kernel clears its pages, a third of a translator's step.
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
    """Compute float32 matrix products by oneDNN, which on AMD processors is twice as fast as MKL.

    torch uses oneDNN at precision "medium", which rounds to bfloat16 on processors with AMX; there nothing is changed.
    Elsewhere results are as exact as MKL's.
    """
    cpu: Any = torch.cpu
    mkldnn: Any = torch.backends.mkldnn
    chosen = torch.get_float32_matmul_precision() != "highest"  # by the caller or another thread
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
