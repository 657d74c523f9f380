"""Networks without their first weights: to know their shapes before memory is taken, or to be filled from a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

__all__ = ["planned", "uninitialised"]


class _NoInit(TorchFunctionMode):
    """Leaves out what `torch.nn.init` would write; on the meta device that would import torch's compiler."""

    def __torch_function__(
        self, function: Callable[..., Any], types: Iterable[Any], args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if getattr(function, "__module__", None) == torch.nn.init.__name__:
            return args[0] if args else kwargs["tensor"]
        return function(*args, **kwargs)


@contextmanager
def uninitialised() -> Iterator[None]:
    """Modules made in this block hold whatever is in memory."""
    with _NoInit():
        yield


@contextmanager
def planned() -> Iterator[None]:
    """Modules made in this block have shapes and no memory."""
    with torch.device("meta"), _NoInit():
        yield
