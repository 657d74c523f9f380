"""Lazy definition of the operators in `torch.ops.gruworks`, on first access.

With `import torch, gruworks` torch.export.load finds them; `import gruworks` alone doesn't import torch.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

from gruworks.nn.compatibility.import_hooks import when_imported

__all__ = ["announce", "give_way"]

NAME = "gruworks"


def announce() -> None:
    """Install a lazy namespace in torch.ops, now or when torch is imported."""
    when_imported("torch", lambda torch: vars(torch.ops).setdefault(NAME, _Announced(torch.ops)))


def give_way(ops: Any) -> None:
    """Remove the lazy namespace, so that torch creates its own."""
    if isinstance(vars(ops).get(NAME), _Announced):
        delattr(ops, NAME)


class _Announced(ModuleType):
    def __init__(self, ops: Any) -> None:
        super().__init__(f"torch.ops.{NAME}")
        self.__dict__["ops"] = ops

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        for module in ("operators", "linear_scan"):
            importlib.import_module(f"gruworks.nn.recurrence.{module}")
        give_way(self.ops)
        return getattr(getattr(self.ops, NAME), name)
