"""The state that a model carries: a flat dict of tensors, batch first in each.

Selecting rows, stacking, saving and the inputs and outputs of an exported graph are then one loop over names.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["State", "detach", "from_hidden", "rows", "select", "stack", "to_hidden"]

State = dict[str, Tensor]


def rows(state: State) -> int:
    """B, how many rows the state has."""
    return len(next(iter(state.values())))


def select(state: State, index: Tensor) -> State:
    """The rows at `index` [N], in its order; a row may come twice.

    >>> select({"h": torch.tensor([[1.0], [2.0]])}, torch.tensor([1, 1]))["h"].tolist()
    [[2.0], [2.0]]
    """
    return {name: value.index_select(0, index) for name, value in state.items()}


def stack(states: Sequence[State]) -> State:
    """The rows of all `states`, one below the other."""
    return {name: torch.cat([state[name] for state in states]) for name in states[0]}


def detach(state: State) -> State:
    """The same values, cut off from the graph that made them."""
    return {name: value.detach() for name, value in state.items()}


def from_hidden(hidden: Tensor) -> Tensor:
    """GRU's final state [L·D, B, H] as a state's [B, L·D, H]."""
    return hidden.transpose(0, 1)


def to_hidden(value: Tensor) -> Tensor:
    """A state's [B, L·D, H] as GRU's initial state [L·D, B, H]."""
    return value.transpose(0, 1).contiguous()
