"""`torch.ops.gruworks` before our torch modules are imported: whoever asks for an operator there has it defined.

So `import torch, gruworks` is enough for torch.export.load, and `import gruworks` alone still imports no torch.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

from gruworks.nn.compatibility.import_hooks import when_imported

__all__ = ["announce", "give_way"]

NAME = "gruworks"


def announce() -> None:
    """Put the namespace where torch looks for it, as soon as torch is imported."""
    when_imported("torch", lambda torch: vars(torch.ops).setdefault(NAME, _Announced(torch.ops)))


def give_way(ops: Any) -> None:
    """Leave the place to the namespace that torch makes of the operators themselves."""
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
