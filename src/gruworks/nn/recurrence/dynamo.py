"""Registration of `gruworks.GRU` with TorchDynamo, so that torch.compile traces it without a graph break.

Dynamo breaks the graph at `torch.nn.RNN`, `GRU`, `LSTM` and their subclasses unless `allow_rnn` is set. The classes
registered here, by exact type, are traced with that setting on; other modules keep the caller's setting. A GRU that
torch's own code computes (nn/gru.py) keeps the graph break.
"""

from __future__ import annotations

import sys
from typing import Any

from gruworks.nn.compatibility.import_hooks import when_imported

__all__ = ["admit", "admit_subclass"]

BUILDER = "torch._dynamo.variables.builder"


def admit(kind: type) -> None:
    """Register a class and its subclasses, now or when dynamo is imported."""
    when_imported(BUILDER, lambda builder: _enter(builder, kind))


def admit_subclass(kind: type) -> None:
    """Register a subclass that was defined after dynamo was imported."""
    if BUILDER in sys.modules:
        _enter(sys.modules[BUILDER], kind)


def _enter(builder: Any, kind: type) -> None:
    tables = getattr(getattr(builder, "VariableBuilder", None), "_type_dispatch_impl", None)
    if tables is None:  # a version of torch without this table keeps the graph break
        return
    for trace_numpy in (False, True):
        tables(trace_numpy)[kind] = _represent
    subclasses: list[type] = type.__subclasses__(kind)
    for subclass in subclasses:
        _enter(builder, subclass)


def _represent(builder: Any, module: Any) -> Any:
    from torch._dynamo import config

    if module.left_to_torch():
        return builder.wrap_module(module)
    with config.patch(allow_rnn=True):
        return builder.wrap_module(module)
