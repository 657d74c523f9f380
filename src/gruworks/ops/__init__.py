"""Array operations without torch: reference equations, weight layouts, compiled kernels, CTC and n-gram models."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gruworks.ops.stream import GRUStream
    from gruworks.ops.weights import GRUWeights

__all__ = ["GRUStream", "GRUWeights"]

_HOMES = {"GRUStream": "gruworks.ops.stream", "GRUWeights": "gruworks.ops.weights"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'gruworks.ops' has no attribute {name!r}; it has: {', '.join(__all__)}")
    return getattr(importlib.import_module(_HOMES[name]), name)
