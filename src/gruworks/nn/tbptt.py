"""Truncated back-propagation through time, with the state carried: a long sequence in pieces, each with its backward.

    for chunk in gruworks.chunks(x, 512, targets=y):
        output, state = gru(chunk.x, chunk.state)
        chunk.backward(loss(output, chunk.targets), state)
    optimiser.step()

The gradient is that of the mean loss over all steps, cut where a piece begins: a piece's loss counts by its share of
the steps, and its first state is the last one of the piece before, without its history (Williams and Peng 1990). With
one piece it is the exact gradient. Memory is that of one piece.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from gruworks.errors import OptionError, ShapeError

__all__ = ["Chunk", "chunks"]

State = Any  # None, a tensor, or a tuple, list or dict of states


class Chunk:
    """One piece: its input, its targets, the state that it begins with, and where it stands.

    `x` and `targets` are views of what was given; `state` is what the piece before handed to `backward` or `carry`,
    detached; `lengths` are the rows' steps within the piece; `start` and `stop` say which steps these are.
    """

    def __init__(
        self, x: Tensor, targets: Any, state: State, lengths: Tensor | None, start: int, stop: int, share: float
    ) -> None:
        self.x, self.targets, self.state, self.lengths = x, targets, state, lengths
        self.start, self.stop, self.share = start, stop, share
        self.carried: State = None
        self.handed_on = False

    def backward(self, loss: Tensor, state: State = None) -> Tensor:
        """Back through this piece: `loss` is the mean over its steps. Hands `state` on to the next piece.

        Returns:
            The loss times this piece's share of all steps, detached: their sum is the mean loss of the sequence.

        Raises:
            ShapeError: a loss of more than one number.
        """
        if loss.numel() != 1:
            raise ShapeError(f"expected the mean loss of the piece, one number, got {list(loss.shape)}")
        weighed = loss * self.share
        weighed.backward()  # type: ignore[no-untyped-call]
        self.carry(state)
        return weighed.detach()

    def carry(self, state: State) -> None:
        """Hand a state on without a backward, as in evaluation."""
        self.carried, self.handed_on = detached(state), True


def chunks(
    x: Tensor,
    length: int,
    *,
    targets: Any = None,
    state: State = None,
    lengths: Any = None,
    batch_first: bool = False,
) -> Iterator[Chunk]:
    """Pieces of `length` steps of x [T, B, I] ([B, T, I] if `batch_first`, [T, I] for one row).

    >>> from gruworks import GRU
    >>> gru, x, y = GRU(1, 4), torch.zeros(100, 2, 1), torch.ones(100, 2, 4)
    >>> total = 0.0
    >>> for chunk in chunks(x, 30, targets=y):
    ...     output, h = gru(chunk.x, chunk.state)
    ...     total += chunk.backward((output - chunk.targets).square().mean(), h).item()

    Args:
        length: steps of a piece; the last may be shorter.
        targets: a tensor with the same time axis, or a tuple, list or dict of them.
        state: the first piece's; a tensor or a nest of tensors, such as an LSTM's pair. It is detached.
        lengths: [B], steps of each row where rows are ragged: a piece then has the rows' steps within it, and its share
            is that of the steps that are there. Rows that have ended keep their last state if the layer is given
            the piece's `lengths`; after the longest row there are no more pieces.

    Raises:
        OptionError: a length below 1. ShapeError: targets or lengths that don't fit x. RuntimeError from the loop: a
        piece whose state was not handed on, by `backward` or `carry`, before the next one was asked for.
    """
    if length < 1:
        raise OptionError(f"a piece has 1 step or more, not {length}")
    axis = 1 if batch_first and x.dim() == 3 else 0
    T = x.shape[axis]
    each = _lengths(lengths, x, axis)
    _check(targets, axis, T)
    steps = float(T if each is None else max(1, int(each.sum())))
    return _pieces(x, length, targets, detached(state), each, axis, steps)


def _pieces(
    x: Tensor, length: int, targets: Any, state: State, each: Tensor | None, axis: int, steps: float
) -> Iterator[Chunk]:
    T = x.shape[axis] if each is None else int(each.max())
    for start in range(0, T, length):
        stop = min(start + length, T)
        inside = None if each is None else (each - start).clamp(0, stop - start)
        share = (stop - start if inside is None else int(inside.sum())) / steps
        cut = _cut(targets, axis, start, stop)
        chunk = Chunk(x.narrow(axis, start, stop - start), cut, state, inside, start, stop, share)
        yield chunk
        if not chunk.handed_on and stop < T:
            raise OptionError(
                f"the piece of steps {start} to {stop} handed no state on: call chunk.backward(loss, state), or "
                "chunk.carry(state)"
            )
        state = chunk.carried


def detached(state: State) -> State:
    """The same state cut off from the graph that made it."""
    return _each(state, torch.Tensor.detach)


def _cut(value: Any, axis: int, start: int, stop: int) -> Any:
    return _each(value, lambda one: one.narrow(axis, start, stop - start))


def _each(value: Any, change: Any) -> Any:
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, dict):
        return {name: _each(one, change) for name, one in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(_each(one, change) for one in value))
    if isinstance(value, tuple | list):
        return type(value)(_each(one, change) for one in value)
    return value


def _check(targets: Any, axis: int, T: int) -> None:
    def fits(one: Tensor) -> Tensor:
        if one.dim() <= axis or one.shape[axis] != T:
            raise ShapeError(f"expected targets of {T} steps along axis {axis}, as x has, got {list(one.shape)}")
        return one

    _each(targets, fits)


def _lengths(lengths: Any, x: Tensor, axis: int) -> Tensor | None:
    if lengths is None:
        return None
    each = torch.as_tensor(lengths)
    rows = x.shape[1 - axis] if x.dim() == 3 else 1
    if list(each.shape) != [rows] or int(each.min()) < 0 or int(each.max()) > x.shape[axis]:
        raise ShapeError(f"expected lengths [{rows}] between 0 and {x.shape[axis]}, got {each.tolist()}")
    return each
