"""Blocks that stack: each reads [T, B, H] and a state, and gives [T, B, H] and the state after it.

Every block is residual with a layer norm at its entrance, x + f(norm(x)), and causal: run in one piece or step by step
with its state carried, it gives the same numbers to rounding. A state is a flat dict of tensors, batch first; None is
the beginning of a text.
"""

from __future__ import annotations

import abc
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from gruworks.nn.gru import GRU
from gruworks.nn.recurrence.operands import check_alike
from gruworks.nn.state import State
from gruworks.ops.weights import Reset

__all__ = ["Block", "GRUBlock", "Stack", "variational_dropout"]


def variational_dropout(x: Tensor, share: float, training: bool) -> Tensor:
    """Dropout with one mask for all steps of x [T, B, H] (Gal and Ghahramani 2016)."""
    if not training or not share:
        return x
    return x * torch.empty_like(x[:1]).bernoulli_(1 - share).div_(1 - share)


class Block(torch.nn.Module, abc.ABC):
    """x + dropout(f(norm(x))); a subclass gives f, which takes and gives a state."""

    def __init__(self, size: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.norm = torch.nn.LayerNorm(size)
        self.dropout = dropout

    def forward(self, x: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """x [T, B, H] and the state before it to the block's output [T, B, H] and the state after it."""
        check_alike(x=x, weight=self.norm.weight)
        y, after = self.inner(self.norm(x), self.empty(x.shape[1]) if state is None else state)
        return x + variational_dropout(y, self.dropout, self.training), after

    @abc.abstractmethod
    def inner(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """f: what the block adds to its input."""

    @abc.abstractmethod
    def empty(self, rows: int) -> State:
        """The state of `rows` texts before their first step."""


class GRUBlock(Block):
    """A GRU layer as a block. Its state is `hidden` [B, H].

    >>> y, state = GRUBlock(4)(torch.zeros(7, 2, 4))
    >>> y.shape, state["hidden"].shape
    (torch.Size([7, 2, 4]), torch.Size([2, 4]))

    Args:
        size: H. dropout: dropout probability of the layer's output, one mask for all steps.
        weight_dropout: dropout probability of the recurrent weights, one mask a call (DropConnect).
        reset: "after" or "before".
    """

    def __init__(self, size: int, dropout: float = 0.0, weight_dropout: float = 0.0, reset: Reset = "after") -> None:
        super().__init__(size, dropout)
        self.gru = GRU(size, size, reset=reset, weight_dropout=weight_dropout)

    def inner(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        output, final = self.gru(x, state["hidden"][None])
        return output, {"hidden": final[0]}

    def empty(self, rows: int) -> State:
        return {"hidden": self.norm.weight.new_zeros(rows, len(self.norm.weight))}


class Stack(torch.nn.Module):
    """Blocks one after another; the state's names carry each block's number: `0.hidden`, `1.past`."""

    def __init__(self, blocks: Iterable[Block]) -> None:
        super().__init__()
        self.blocks = torch.nn.ModuleList(blocks)

    def forward(self, x: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """x [T, B, H] through all blocks; None is the state before the first step."""
        state = self.empty(x.shape[1]) if state is None else state
        after: State = {}
        for i, block in enumerate(self.blocks):
            mark = f"{i}."
            own = {name.removeprefix(mark): value for name, value in state.items() if name.startswith(mark)}
            x, new = block(x, own)
            after |= {mark + name: value for name, value in new.items()}
        return x, after

    def empty(self, rows: int) -> State:
        """The state of `rows` texts before their first step."""
        return {f"{i}.{name}": value for i, block in enumerate(self) for name, value in block.empty(rows).items()}

    def __iter__(self) -> Iterator[Block]:
        return iter(self.blocks)  # type: ignore[arg-type]
