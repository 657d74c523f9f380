"""Context manager for the number of torch's threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["torch_threads"]


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Set torch's number of threads within a block (0: unchanged) and restore it afterwards.

    Small matrices gain nothing from several threads, and are up to 20 times slower on a busy machine.
    """
    before = torch.get_num_threads()
    if count:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
