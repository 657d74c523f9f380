"""Causal residual blocks [T, B, H] → [T, B, H] with a recurrent state, and stacks of them.

Blocks are pre-norm, x + f(norm(x)). Processing a sequence at once or in chunks with carried state gives equal results
to rounding. A state is a flat dict of tensors [B, ...]; None is the initial state.
"""

from __future__ import annotations

import abc
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from gruworks.nn.gru import GRU
from gruworks.nn.recurrence.operands import check_alike
from gruworks.nn.state import State, merge, part
from gruworks.ops.weights import Reset

__all__ = ["Block", "GRUBlock", "Stack", "variational_dropout"]


def variational_dropout(x: Tensor, p: float, training: bool) -> Tensor:
    """Dropout with one mask for all steps of x [T, B, H] (Gal and Ghahramani 2016)."""
    if not training or not p:
        return x
    return x * torch.empty_like(x[:1]).bernoulli_(1 - p).div_(1 - p)


class Block(torch.nn.Module, abc.ABC):
    """Base class of residual blocks x + dropout(f(norm(x))); subclasses implement f as `residual`."""

    def __init__(self, size: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.norm = torch.nn.LayerNorm(size)
        self.dropout = dropout

    def forward(self, x: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Output [T, B, H] and new state of x [T, B, H] and a state."""
        check_alike(x=x, weight=self.norm.weight)
        y, after = self.residual(self.norm(x), self.empty(x.shape[1]) if state is None else state)
        return x + variational_dropout(y, self.dropout, self.training), after

    @abc.abstractmethod
    def residual(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """f: the residual branch [T, B, H] and the new state."""

    @abc.abstractmethod
    def empty(self, rows: int) -> State:
        """Initial state of `rows` sequences."""


class GRUBlock(Block):
    """GRU layer as a residual block; the state is `hidden` [B, H].

    >>> y, state = GRUBlock(4)(torch.zeros(7, 2, 4))
    >>> y.shape, state["hidden"].shape
    (torch.Size([7, 2, 4]), torch.Size([2, 4]))

    Args:
        size: H.
        dropout: dropout probability of the layer's output, one mask for all steps.
        weight_dropout: dropout probability of the recurrent weights, one mask per call (DropConnect).
        reset: "after" or "before".
    """

    def __init__(self, size: int, dropout: float = 0.0, weight_dropout: float = 0.0, reset: Reset = "after") -> None:
        super().__init__(size, dropout)
        self.gru = GRU(size, size, reset=reset, weight_dropout=weight_dropout)

    def residual(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        output, final = self.gru(x, state["hidden"][None])
        return output, {"hidden": final[0]}

    def empty(self, rows: int) -> State:
        return {"hidden": self.norm.weight.new_zeros(rows, len(self.norm.weight))}


class Stack(torch.nn.Module):
    """Sequence of blocks; state names are prefixed with the block's index: `0.hidden`, `1.past`.

    >>> y, state = Stack([GRUBlock(4), GRUBlock(4)])(torch.zeros(7, 2, 4))
    >>> y.shape, list(state)
    (torch.Size([7, 2, 4]), ['0.hidden', '1.hidden'])
    """

    def __init__(self, blocks: Iterable[Block]) -> None:
        super().__init__()
        self.blocks = torch.nn.ModuleList(blocks)

    def forward(self, x: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Output [T, B, H] and new state of x [T, B, H]; `state` defaults to the initial one."""
        state = self.empty(x.shape[1]) if state is None else state
        after = []
        for i, block in enumerate(self.blocks):
            x, new = block(x, part(state, i))
            after.append(new)
        return x, merge(after)

    def empty(self, rows: int) -> State:
        """Initial state of `rows` sequences."""
        return merge(block.empty(rows) for block in self)

    def __iter__(self) -> Iterator[Block]:
        return iter(self.blocks)  # type: ignore[arg-type]
