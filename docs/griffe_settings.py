"""Extension of griffe for the API reference: settings that docstrings list at run time, examples as code."""

from __future__ import annotations

import importlib
import inspect
import re
from operator import attrgetter
from typing import Any

import griffe

__all__ = ["ListedSettings"]

EXAMPLE = re.compile(r"^>>> .*(?:\n.+)*", re.MULTILINE)


class ListedSettings(griffe.Extension):
    """Replacement of the docstrings of a task's estimator and its methods by those of the imported objects."""

    def on_class(self, *, cls: griffe.Class, **_: Any) -> None:
        replace(cls)
        fence(cls)

    def on_function(self, *, func: griffe.Function, **_: Any) -> None:
        replace(func)
        fence(func)


def fence(found: griffe.Object) -> None:
    """Mark the examples of a docstring as code."""
    if found.docstring:
        text = EXAMPLE.sub(lambda match: f"```pycon\n{match[0]}\n```", inspect.cleandoc(found.docstring.value))
        found.docstring.value = text


def replace(found: griffe.Object) -> None:
    """Take the docstring at run time, where settings are listed in it (gruworks/tasks/signatures.py)."""
    module = found.module.path
    if not (module.startswith("gruworks.tasks.") and module.endswith(".estimator") and found.docstring):
        return
    live = attrgetter(found.path.removeprefix(f"{module}."))(importlib.import_module(module))
    found.docstring.value = inspect.getdoc(live) or found.docstring.value
