"""Modules as C for microcontrollers and WebAssembly, with a test that proves that they compute the same.

from gruworks.interop.c import export

export(torch.nn.Sequential(GRU(3, 16), torch.nn.Linear(16, 2)), "build", "gesture")
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gruworks.interop.c.exporting import Report, export
    from gruworks.interop.c.graph import Add, Graph, Node

__all__ = ["Add", "Graph", "Node", "Report", "export"]

_HOMES = {"Add": "graph", "Graph": "graph", "Node": "graph", "Report": "exporting", "export": "exporting"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'gruworks.interop.c' has no attribute {name!r}; it has: {', '.join(__all__)}")
    return getattr(importlib.import_module(f"gruworks.interop.c.{_HOMES[name]}"), name)
