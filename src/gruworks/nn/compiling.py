"""Lets torch.compile see into a GRU.

Dynamo refuses every `torch.nn.GRU` by its class, subclasses included, unless its setting `allow_rnn` is on: with
fullgraph=True that is an error, without it a break in the graph. Our forward is one operator, which it can trace. The
setting is switched on when dynamo is first imported, not before: importing dynamo takes longer than importing torch.
It applies to the process: dynamo then also traces torch's own RNN, LSTM and GRU.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

__all__ = ["allow_rnn"]

SETTINGS = "torch._dynamo.config"


def allow_rnn() -> None:
    """Switch the setting on, now or as soon as there is one."""
    if SETTINGS in sys.modules:
        _switch_on(sys.modules[SETTINGS])
    elif not any(isinstance(finder, _Watcher) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Watcher())


def _switch_on(settings: Any) -> None:
    if hasattr(settings, "allow_rnn"):
        settings.allow_rnn = True


class _Watcher(MetaPathFinder):
    """Waits for the one import, steps aside and has the setting switched on after it."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != SETTINGS:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            loader: Any = spec.loader
            execute = loader.exec_module

            def exec_module(module: ModuleType) -> None:
                execute(module)
                _switch_on(module)

            loader.exec_module = exec_module
        return spec
