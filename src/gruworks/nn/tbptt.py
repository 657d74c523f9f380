"""Truncated back-propagation through time: chunks of a long sequence with carried state.

    for chunk in gruworks.chunks(x, 512, targets=y):
        output, state = gru(chunk.x, chunk.state)
        chunk.backward(loss(output, chunk.targets), state)
    optimizer.step()

The gradient is that of the mean loss over all steps, truncated at chunk boundaries: a chunk's loss is weighted by its
fraction of the steps, and its initial state is the detached final state of the previous chunk (Williams and Peng 1990).
With a single chunk the gradient is exact. Memory is that of one chunk.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map_only

from gruworks.errors import OptionError, ShapeError

__all__ = ["Chunk", "chunks"]

State = Any  # None, a tensor, or a tuple, list or dict of states


class Chunk:
    """A chunk of a sequence: steps `start` to `stop` of input and targets, and the initial state.

    `x` and `targets` are views; `state` is the detached state passed to `backward` or `carry` of the previous chunk;
    `lengths` are the valid steps of each row within the chunk.
    """

    def __init__(
        self, x: Tensor, targets: Any, state: State, lengths: Tensor | None, start: int, stop: int, weight: float
    ) -> None:
        self.x, self.targets, self.state, self.lengths = x, targets, state, lengths
        self.start, self.stop, self.weight = start, stop, weight
        self.carried: State = None
        self.has_carried = False

    def backward(self, loss: Tensor, state: State = None) -> Tensor:
        """Backward of this chunk; passes `state` to the next one.

        Args:
            loss: mean loss over the chunk's steps, a scalar.
            state: final state of the chunk.

        Returns:
            The detached loss times the chunk's fraction of all steps; the sum over chunks is the mean loss.

        Raises:
            ShapeError: the loss isn't a scalar.
        """
        if loss.numel() != 1:
            raise ShapeError(f"expected the mean loss of the chunk, one number, got {list(loss.shape)}")
        weighted = loss * self.weight
        weighted.backward()  # type: ignore[no-untyped-call]
        self.carry(state)
        return weighted.detach()

    def carry(self, state: State) -> None:
        """Pass a state to the next chunk without a backward, as in evaluation."""
        self.carried, self.has_carried = detached(state), True


def chunks(
    x: Tensor,
    length: int,
    *,
    targets: Any = None,
    state: State = None,
    lengths: Any = None,
    batch_first: bool = False,
) -> Iterator[Chunk]:
    """Iterate over chunks of `length` steps of x, for truncated back-propagation through time.

    >>> from gruworks import GRU
    >>> gru, x, y = GRU(1, 4), torch.zeros(100, 2, 1), torch.ones(100, 2, 4)
    >>> total = 0.0
    >>> for chunk in chunks(x, 30, targets=y):
    ...     output, h = gru(chunk.x, chunk.state)
    ...     total += chunk.backward((output - chunk.targets).square().mean(), h).item()

    Args:
        x: input [T, B, I], [B, T, I] if `batch_first`, or [T, I] for one row.
        batch_first: x and targets are [B, T, ...].
        length: steps per chunk; the last may be shorter.
        targets: a tensor with the time axis of x, or a tuple, list or dict of such tensors.
        state: initial state of the first chunk, a tensor or nested tensors (LSTM); it is detached.
        lengths: valid steps of each row [B]. Chunks are weighted by their valid steps and end with the longest row;
            pass `chunk.lengths` to the layer, so that ended rows keep their final state.

    Yields:
        `Chunk`s in order of time.

    Raises:
        OptionError: a length below 1; or, while iterating, a chunk without a call of `backward` or `carry`.
        ShapeError: targets or lengths don't match x.
    """
    if length < 1:
        raise OptionError(f"a chunk has 1 step or more, not {length}")
    axis = 1 if batch_first and x.dim() == 3 else 0
    T = x.shape[axis]
    each = _lengths(lengths, x, axis)
    _check(targets, axis, T)
    steps = float(T if each is None else max(1, int(each.sum())))
    return _chunks(x, length, targets, detached(state), each, axis, steps)


def _chunks(
    x: Tensor, length: int, targets: Any, state: State, each: Tensor | None, axis: int, steps: float
) -> Iterator[Chunk]:
    T = x.shape[axis] if each is None else int(each.max())
    for start in range(0, T, length):
        stop = min(start + length, T)
        valid = None if each is None else (each - start).clamp(0, stop - start)
        weight = (stop - start if valid is None else int(valid.sum())) / steps
        cut = tree_map_only(Tensor, lambda one: one.narrow(axis, start, stop - start), targets)  # noqa: B023 (called here)
        chunk = Chunk(x.narrow(axis, start, stop - start), cut, state, valid, start, stop, weight)
        yield chunk
        if not chunk.has_carried and stop < T:
            raise OptionError(
                f"the chunk of steps {start} to {stop} passed no state on: call chunk.backward(loss, state), or "
                "chunk.carry(state)"
            )
        state = chunk.carried


def detached(state: State) -> State:
    """A state detached from the autograd graph."""
    return tree_map_only(Tensor, Tensor.detach, state)


def _check(targets: Any, axis: int, T: int) -> None:
    def fits(one: Tensor) -> Tensor:
        if one.dim() <= axis or one.shape[axis] != T:
            raise ShapeError(f"expected targets of {T} steps along axis {axis}, as x has, got {list(one.shape)}")
        return one

    tree_map_only(Tensor, fits, targets)


def _lengths(lengths: Any, x: Tensor, axis: int) -> Tensor | None:
    if lengths is None:
        return None
    each = torch.as_tensor(lengths)
    rows = x.shape[1 - axis] if x.dim() == 3 else 1
    if list(each.shape) != [rows] or int(each.min()) < 0 or int(each.max()) > x.shape[axis]:
        raise ShapeError(f"expected lengths [{rows}] between 0 and {x.shape[axis]}, got {each.tolist()}")
    return each
