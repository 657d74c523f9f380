"""Errors that Gruworks raises on purpose, as one class hierarchy.

    GruworksError
    ├── ShapeError        ValueError, RuntimeError   a tensor's or array's shape does not fit
    ├── DtypeError        TypeError, ValueError, RuntimeError     a tensor's or array's type or layout does not fit
    ├── DeviceError       RuntimeError               tensors of one call are on different devices
    ├── OptionError       ValueError                 an option or setting has a value that it cannot take
    ├── WeightsError      ValueError, RuntimeError   weights of another form, size or naming
    ├── DataError         ValueError                 the user's data: file, line, column and what to do
    │   └── TooShortError                            not enough rows for what was asked
    ├── RunError          ValueError                 a run folder that is missing, damaged or of another kind
    ├── WriteError        OSError                    a file that can't be written: no space, no permission
    ├── NotFittedError    RuntimeError               an estimator was used before fit or load
    ├── ExportError       RuntimeError               a model that another format can't hold, or holds inexactly
    ├── SearchError       RuntimeError               constraints that no decoded sequence satisfies
    └── MissingExtraError ImportError                an optional dependency is not installed

Each also derives from the type that Python or torch would raise in its place, so that a caller's
`except ValueError` or `except RuntimeError` still works. A message tells what was expected, what was found,
where, and what to do. The command line prints any of them as one line and exits with status 2.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

__all__ = [
    "DataError",
    "DeviceError",
    "DtypeError",
    "ExportError",
    "GruworksError",
    "MissingExtraError",
    "NotFittedError",
    "OptionError",
    "RunError",
    "SearchError",
    "ShapeError",
    "TooShortError",
    "WeightsError",
    "WriteError",
    "require",
]


class GruworksError(Exception):
    """Base of every error that Gruworks raises on purpose."""


class ShapeError(GruworksError, ValueError, RuntimeError):
    """A tensor's or array's shape does not fit."""


class DtypeError(GruworksError, TypeError, ValueError, RuntimeError):
    """A tensor's or array's element type or layout does not fit, or it is neither tensor nor array."""


class DeviceError(GruworksError, RuntimeError):
    """Tensors of one call are on different devices."""


class OptionError(GruworksError, ValueError):
    """An option or setting has a value that it cannot take."""


class WeightsError(GruworksError, ValueError, RuntimeError):
    """Weights of another form, size or naming than the one that is to hold them."""


class DataError(GruworksError, ValueError):
    """An error in the user's data; tells the file, line and column if there is one.

    Args:
        fault: identifier of the error, for translations of the message.
        facts: values in the message by name.
    """

    def __init__(self, message: str = "", fault: str = "", **facts: Any) -> None:
        super().__init__(message)
        self.fault, self.facts = fault, facts


class TooShortError(DataError):
    """Not enough rows for what was asked."""


class RunError(GruworksError, ValueError):
    """A run folder that is missing, damaged or of another kind."""


class WriteError(GruworksError, OSError):
    """A file that can't be written: `WriteError(errno, reason, path)`, as the system's own errors are made."""

    def __str__(self) -> str:
        if self.filename is None:
            return super().__str__()
        return f"can't write {self.filename}: {self.strerror}; what was there before is kept"


class NotFittedError(GruworksError, RuntimeError):
    """An estimator was used before `fit` or `load`."""


class ExportError(GruworksError, RuntimeError):
    """A model that another format can't hold, or whose numbers there are not the original's."""


class SearchError(GruworksError, RuntimeError):
    """Constraints that no decoded sequence satisfies."""


class MissingExtraError(GruworksError, ImportError):
    """An optional dependency is not installed; tells the command that installs it."""


def require(module: str, extra: str) -> ModuleType:
    """Import an optional dependency, or a module of the package that needs one.

    Raises:
        MissingExtraError: it is not installed; names the `extra` of the package that installs it.

    >>> require("json", extra="forecast").__name__
    'json'
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] == "gruworks":  # a fault of ours, not a missing extra
            raise
        raise MissingExtraError(f"{error.name} is not installed: pip install 'gruworks[{extra}]'") from error
