"""Extension of griffe for the API reference: docstrings of estimators with the settings listed at run time."""

from __future__ import annotations

import importlib
import inspect
from operator import attrgetter
from typing import Any

import griffe

__all__ = ["ListedSettings"]


class ListedSettings(griffe.Extension):
    """Replacement of the docstrings of a task's estimator and its methods by those of the imported objects."""

    def on_class(self, *, cls: griffe.Class, **_: Any) -> None:
        replace(cls)

    def on_function(self, *, func: griffe.Function, **_: Any) -> None:
        replace(func)


def replace(found: griffe.Object) -> None:
    """Take the docstring at run time, where settings are listed in it (gruworks/tasks/signatures.py)."""
    module = found.module.path
    if not (module.startswith("gruworks.tasks.") and module.endswith(".estimator") and found.docstring):
        return
    live = attrgetter(found.path.removeprefix(f"{module}."))(importlib.import_module(module))
    found.docstring.value = inspect.getdoc(live) or found.docstring.value
