"""Callbacks that run when another module is imported.

Used to register gruworks' types with other libraries without importing them.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

__all__ = ["when_imported"]


def when_imported(name: str, act: Callable[[Any], None]) -> None:
    """Call `act(module)` now if the module `name` is imported, else right after its import."""
    module = sys.modules.get(name)
    if module is not None and not getattr(module.__spec__, "_initializing", False):
        act(module)
    else:
        sys.meta_path.insert(0, _Waiting(name, act))


class _Waiting:
    """Meta path finder that delegates to the other finders, calls `act` after the import, and removes itself."""

    def __init__(self, name: str, act: Callable[[Any], None]) -> None:
        self.name, self.act, self.delegating = name, act, False

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != self.name or self.delegating:
            return None
        self.delegating = True  # importlib's find_spec calls this finder, too
        try:
            spec = find_spec(name)
        finally:
            self.delegating = False
        if spec is not None and spec.loader is not None:
            loader: Any = spec.loader
            execute = loader.exec_module

            def exec_module(module: ModuleType) -> None:
                execute(module)
                if self in sys.meta_path:
                    sys.meta_path.remove(self)
                    self.act(module)

            loader.exec_module = exec_module
        return spec
