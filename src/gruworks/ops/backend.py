"""Which code runs the recurrence, and why not the native one when it does not."""

from __future__ import annotations

import functools
import importlib
import os
from dataclasses import dataclass
from typing import Any

from gruworks.errors import OptionError

__all__ = ["Backend", "backend", "native"]

CHOICE = "GRUWORKS_KERNEL"


@dataclass(frozen=True)
class Backend:
    """`name` of what runs the recurrence on a CPU, the `reason`, and the processor's instruction sets.

    `name` is a build of the native kernel ("avx512", "avx2" or "portable"), or "torch". `instruction_sets` is empty
    where the native module is missing: it is the one that asks the processor.
    """

    name: str
    reason: str
    instruction_sets: tuple[str, ...]


@functools.cache
def backend() -> Backend:
    """The backend of this process: the strongest build that the processor can run, unless GRUWORKS_KERNEL names one.

    >>> backend().name in ("avx512", "avx2", "portable", "torch")
    True
    """
    choice = os.environ.get(CHOICE, "")
    try:
        module = _load()
    except ImportError as error:
        reason = f"the native module is not built ({error}); reinstall with a C++ compiler and Python's headers"
        return Backend("torch", reason, ())
    sets = tuple(module.instruction_sets())
    if choice == "off":
        return Backend("torch", f"{CHOICE}=off", sets)
    if choice and not module.choose_build(choice):
        raise OptionError(
            f"{CHOICE} must be off or one of {', '.join(module.builds())} on this processor, not {choice!r}"
        )
    reason = f"{CHOICE}={choice}" if choice else "the strongest build that this processor can run"
    return Backend(module.build(), reason, sets)


def native() -> Any:
    """The native module; an OptionError that says why where it is missing or switched off."""
    found = backend()
    if found.name == "torch":
        raise OptionError(f"this needs the native kernel, which does not run here: {found.reason}")
    return _load()


def _load() -> Any:
    return importlib.import_module("gruworks.ops._native")
