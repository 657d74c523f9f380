"""Report of the implementation chosen for a call, by the table of implementations (nn/functional.py)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch

from gruworks.errors import OptionError
from gruworks.nn.functional import IMPLEMENTATIONS
from gruworks.nn.gru import GRU
from gruworks.nn.gru_cell import GRUCell

__all__ = ["Explanation", "Row", "explain"]


class Row(NamedTuple):
    """An implementation, its condition's value for the call, and its purpose."""

    name: str
    applies: bool
    reason: str


class Explanation(NamedTuple):
    """The table for one call of a module; `chosen` is the first row that applies."""

    module: str
    rows: Sequence[Row]

    @property
    def chosen(self) -> Row:
        return next(row for row in self.rows if row.applies)

    def __str__(self) -> str:
        width = max(len(row.name) for row in self.rows)
        marks = {row: " " if not row.applies else "+" for row in self.rows} | {self.chosen: ">"}
        lines = [f"{marks[row]} {row.name:{width}}  {row.reason}" for row in self.rows]
        return "\n".join([f"{self.module or 'the module'}: {self.chosen.name}", *lines])


def explain(module: torch.nn.Module, *inputs: Any, **named: Any) -> list[Explanation]:
    """The implementation that computes each GRU and GRUCell of a model in this call, and the reason.

    Runs the model once in the current modes (autocast, no_grad, hooks). In the printed table > marks the chosen row,
    + later rows whose conditions hold, too.

    >>> print(explain(GRU(3, 4), torch.zeros(5, 2, 3))[0].chosen.name)
    fast path

    Args:
        module: a gruworks.GRU or GRUCell, or a model that contains some.
        inputs, named: arguments of the model's forward; for a GRU x [T, B, I], hx [L·D, B, H] and `lengths` [B].

    Returns:
        One `Explanation` per call of a GRU or GRUCell, in execution order.

    Raises:
        OptionError: no gruworks.GRU or GRUCell was called.
    """
    found: list[Explanation] = []
    ours = [(name, own) for name, own in module.named_modules() if isinstance(own, GRU | GRUCell)]
    hooks = [own.register_forward_pre_hook(_noted(name, found), with_kwargs=True) for name, own in ours]
    try:
        module(*inputs, **named)
    finally:
        for hook in hooks:
            hook.remove()
    if not found:
        raise OptionError(
            f"no gruworks.GRU or GRUCell was called in this {type(module).__name__}; see gruworks.replace"
        )
    return found


def _noted(name: str, found: list[Explanation]) -> Any:
    def note(module: Any, inputs: tuple[Any, ...], named: dict[str, Any]) -> None:
        call = module._call(*inputs, **named)
        found.append(Explanation(name, [Row(row.name, row.condition(call), row.reason) for row in IMPLEMENTATIONS]))

    return note
