"""Which code runs the recurrence, and why not the native one when it does not."""

from __future__ import annotations

import functools
import importlib
from dataclasses import dataclass

__all__ = ["Backend", "backend"]


@dataclass(frozen=True)
class Backend:
    """`name` of what runs the recurrence on a CPU ("torch"), the `reason`, and the processor's instruction sets.

    `instruction_sets` is empty where the native module is missing: it is the one that asks the processor.
    """

    name: str
    reason: str
    instruction_sets: tuple[str, ...]


@functools.cache
def backend() -> Backend:
    """The backend of this process.

    >>> backend().name
    'torch'
    """
    try:
        native = importlib.import_module("gruworks.ops._native")
    except ImportError as error:
        reason = f"the native module is not built ({error}); reinstall with a C++ compiler and Python's headers"
        return Backend("torch", reason, ())
    sets = tuple(native.instruction_sets())
    return Backend("torch", "the native module holds no recurrence kernel in this version", sets)
