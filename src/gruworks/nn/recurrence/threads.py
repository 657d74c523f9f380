"""How many of torch's threads a piece of work uses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["torch_threads"]


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Run a block on `count` of torch's threads (0: as many as are set), then set what was set before.

    Small matrices gain nothing from threads that wait for each other, and lose 20-fold on a busy machine.
    """
    before = torch.get_num_threads()
    if count:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
