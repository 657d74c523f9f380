"""Choice of the native build that runs the recurrence, or the reason why none does."""

from __future__ import annotations

import functools
import importlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gruworks.errors import OptionError

__all__ = ["Backend", "backend", "native"]

CHOICE = "GRUWORKS_KERNEL"


@dataclass(frozen=True)
class Backend:
    """Implementation of the recurrence on a CPU.

    `name` is a build of the native kernel ("avx512", "avx2" or "portable"), or "torch"; `reason` is why it was chosen;
    `instruction_sets` are the processor's, empty where the native module, which detects them, is missing.
    """

    name: str
    reason: str
    instruction_sets: tuple[str, ...]


@functools.cache
def backend() -> Backend:
    """The backend of this process: the strongest build that the processor can run, unless GRUWORKS_KERNEL names one.

    >>> backend().name in ("avx512", "avx2", "neon", "portable", "torch")
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


def _load() -> Any:
    return importlib.import_module("gruworks.ops._native")


if TYPE_CHECKING:
    from gruworks.ops import _native as native
else:

    class _Native:
        """The native module, loaded at first use; an OptionError gives the reason where it is missing or disabled."""

        def __getattr__(self, name):
            if (found := backend()).name == "torch":
                raise OptionError(f"this needs the native kernel, which does not run here: {found.reason}")
            value = self.__dict__[name] = getattr(_load(), name)
            return value

    native = _Native()
