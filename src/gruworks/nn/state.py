"""Recurrent state of a model as a flat dict of tensors [B, ...].

The batch axis comes first in each, so that selecting, stacking, saving and exporting are loops over names.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

__all__ = ["State", "detach", "from_hidden", "merge", "part", "select", "stack", "to_hidden"]

State = dict[str, Tensor]


def select(state: State, index: Tensor) -> State:
    """Rows of a state at `index` [N]; repetitions are allowed.

    >>> select({"h": torch.tensor([[1.0], [2.0]])}, torch.tensor([1, 1]))["h"].tolist()
    [[2.0], [2.0]]
    """
    return {name: value.index_select(0, index) for name, value in state.items()}


def stack(states: Sequence[State]) -> State:
    """Concatenation of states along the batch axis."""
    return {name: torch.cat([state[name] for state in states]) for name in states[0]}


def detach(state: State) -> State:
    """A state detached from the autograd graph."""
    return {name: value.detach() for name, value in state.items()}


def merge(states: Iterable[State]) -> State:
    """One state of several modules; names are prefixed with the index of the module: `0.hidden`, `1.past`."""
    return {f"{i}.{name}": value for i, state in enumerate(states) for name, value in state.items()}


def part(state: State, i: int) -> State:
    """State of module i, given the result of `merge`."""
    prefix = f"{i}."
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}


def from_hidden(hidden: Tensor) -> Tensor:
    """Final state of a GRU [L·D, B, H] with the batch axis first, [B, L·D, H]."""
    return hidden.transpose(0, 1)


def to_hidden(value: Tensor) -> Tensor:
    """Entry of a state [B, L·D, H] as the initial state of a GRU [L·D, B, H]."""
    return value.transpose(0, 1).contiguous()
