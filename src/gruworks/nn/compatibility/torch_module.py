"""Conversion of gruworks' modules to equivalent torch modules that share their parameters."""

from __future__ import annotations

import copy
from typing import Any

from torch import nn
from torch.nn.utils import parametrize

from gruworks.errors import OptionError

__all__ = ["as_torch_module", "reason_incompatible"]

OURS = (  # attributes that torch's modules don't have
    "__module__", "reset", "candidate_activation", "gate_activation", "recompute", "regularization",
    "learn_initial_state", "return_all_layers",
)  # fmt: skip
BASES = nn.GRU, nn.GRUCell


def as_torch_module(module: Any, reader: str) -> Any:
    """A torch.nn.GRU or GRUCell that shares parameters, hooks and settings with `module`.

    Args:
        module: a gruworks.GRU or GRUCell; not modified.
        reader: name of the tool that needs it, for the error message.

    Raises:
        OptionError: torch's class computes another function.
    """
    if (reason := reason_incompatible(module)) is not None:
        raise OptionError(f"{reader} supports torch's {type(module).__name__} only, and this one {reason}")
    theirs = copy.copy(module)
    for name in OURS:
        theirs.__dict__.pop(name, None)
    theirs.__class__ = next(base for base in BASES if isinstance(module, base))
    return theirs


def reason_incompatible(module: Any) -> str | None:
    """Reason why a module has no equivalent torch module, or None."""
    if module.reset != "after":
        return f"is reset={module.reset!r}, another function"
    if (module.candidate_activation, module.gate_activation) != ("tanh", "sigmoid"):
        return f"has candidate_activation={module.candidate_activation!r}, gate_activation={module.gate_activation!r}"
    for option in ("learn_initial_state", "return_all_layers"):
        if getattr(module, option, False):
            return f"has {option}=True"
    if getattr(module, "regularization", None) is not None:
        return f"is regularized{module.regularization}"
    return "is parametrised" if parametrize.is_parametrized(module) else None
