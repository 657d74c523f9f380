"""Lets torch.compile see into our GRU, and into no other module.

Dynamo breaks its graph at every `torch.nn.RNN`, `GRU` and `LSTM`, subclasses included, unless its setting `allow_rnn`
is on. Our forward is one operator, which it can trace. So our classes, by exact type, get an entry of their own in the
table by which dynamo chooses how to represent a value; the setting is on while it represents one of ours and as it was
otherwise. A GRU of ours that torch's code computes (nn/gru.py) has torch's graph break.
"""

from __future__ import annotations

import sys
from typing import Any

from gruworks.nn.compatibility.import_hooks import when_imported

__all__ = ["admit", "admit_subclass"]

BUILDER = "torch._dynamo.variables.builder"


def admit(kind: type) -> None:
    """Have dynamo trace instances of this class, a GRU of ours, and of its subclasses, as soon as it is imported."""
    when_imported(BUILDER, lambda builder: _enter(builder, kind))


def admit_subclass(kind: type) -> None:
    """The same for a subclass that is made later than dynamo was imported."""
    if BUILDER in sys.modules:
        _enter(sys.modules[BUILDER], kind)


def _enter(builder: Any, kind: type) -> None:
    tables = getattr(getattr(builder, "VariableBuilder", None), "_type_dispatch_impl", None)
    if tables is None:  # a torch without the table breaks the graph at ours as at its own
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
