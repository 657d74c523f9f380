"""Promise that a module's weights don't change: `frozen`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from gruworks.errors import OptionError
from gruworks.nn.gru import GRU
from gruworks.nn.gru_cell import GRUCell
from gruworks.nn.recurrence.conditions import AVAILABLE
from gruworks.nn.recurrence.kernel import cached_layer

__all__ = ["frozen"]


@contextmanager
def frozen(module: torch.nn.Module) -> Iterator[torch.nn.Module]:
    """Context in which the weights of all GRUs of a module are promised not to change.

    Calls without gradients then use the weights as they were packed at first and don't compare their contents: four
    steps of a row, or one of eight rows, at H = 256 take less than half the time. A change within the context has no
    effect on such calls before its end; calls of a step or two of a few rows read the weights as they are, changed or
    not. Modules on other devices and of other element types than float32 and float64 compute as ever.

    >>> gru, h = GRU(3, 4), torch.zeros(1, 1, 4)
    >>> with torch.no_grad(), frozen(gru):
    ...     for x in torch.randn(5, 10, 1, 3):                 # blocks of ten steps, [T, B, I]
    ...         y, h = gru(x, h)                               # [T, B, H], [1, B, H]
    >>> y.shape
    torch.Size([10, 1, 4])

    Args:
        module: one that is or contains a gruworks.GRU or gruworks.GRUCell.

    Returns:
        A context manager, whose value is the module.

    Raises:
        OptionError: no gruworks.GRU or gruworks.GRUCell in the module.
    """
    units = [unit for unit in module.modules() if isinstance(unit, (GRU, GRUCell))]
    if not units:
        raise OptionError(f"expected a module with a gruworks.GRU or GRUCell, got {type(module).__name__} without any")
    weights = [p for unit in units for name, p in unit.named_parameters(recurse=False) if name.startswith("weight_hh")]
    layers = [
        cached_layer(w).layer for w in weights if AVAILABLE and w.is_cpu and w.dtype in (torch.float32, torch.float64)
    ]
    begun = [layer for layer in layers if not layer.freeze(True)]
    try:
        yield module
    finally:
        for layer in begun:
            layer.freeze(False)
