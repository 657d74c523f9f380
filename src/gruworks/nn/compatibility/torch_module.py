"""torch's own module in the place of one of ours, for tools that know only torch's class."""

from __future__ import annotations

import copy
from typing import Any

from torch import nn
from torch.nn.utils import parametrize

from gruworks.errors import OptionError

__all__ = ["reason_against", "twin"]

OURS = "__module__", "reset", "recompute", "regularization"  # what our modules have beside torch's attributes
BASES = nn.GRU, nn.GRUCell


def twin(module: Any, reader: str) -> Any:
    """A `torch.nn.GRU` or `GRUCell` with the very parameters, hooks and settings of `module`, which stays as it is.

    Raises:
        OptionError: torch's class computes something else; `reader` is named as the one who asked for it.
    """
    if (reason := reason_against(module)) is not None:
        raise OptionError(f"{reader} knows torch's {type(module).__name__}, and this one {reason}")
    theirs = copy.copy(module)
    for name in OURS:
        theirs.__dict__.pop(name, None)
    theirs.__class__ = next(base for base in BASES if isinstance(module, base))
    return theirs


def reason_against(module: Any) -> str | None:
    """Why a module of ours has no twin, or None."""
    if module.reset != "after":
        return f"is reset={module.reset!r}, another function"
    if getattr(module, "regularization", None) is not None:
        return f"has more than it{module.regularization}"
    return "is parametrised" if parametrize.is_parametrized(module) else None
