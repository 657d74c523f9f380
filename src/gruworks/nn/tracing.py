"""Gates, candidates and states of a GRU at every time step, layer by layer and direction by direction."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from gruworks.errors import ShapeError
from gruworks.nn.gru import GRU
from gruworks.nn.recurrence.operands import check_alike
from gruworks.ops import equations
from gruworks.ops.weights import GRUWeights

__all__ = ["Trace", "trace"]


class Trace(NamedTuple):
    """Reset gate r_t, update gate z_t (1 replaces the state), candidate h̃_t and state h_t.

    Each [T, B, H], or with several layers or directions [L·D, T, B, H] in the order of the final states. Steps of the
    reverse direction are in the order of the input.
    """

    reset: Tensor
    update: Tensor
    candidate: Tensor
    state: Tensor

    def first(self) -> Trace:
        """Those of the first layer and the forward direction, [T, B, H]."""
        return self if self.state.dim() == 3 else Trace(*(value[0] for value in self))


@torch.no_grad()
def trace(gru: GRU, x: Tensor, h0: Tensor | None = None) -> Trace:
    """Gates and states of all layers and directions of a GRU, without gradients and without dropout.

    >>> trace(GRU(1, 2), torch.zeros(5, 1, 1)).update.shape
    torch.Size([5, 1, 2])
    >>> trace(GRU(1, 2, num_layers=3, bidirectional=True), torch.zeros(5, 1, 1)).state.shape
    torch.Size([6, 5, 1, 2])

    Args:
        gru: a GRU without layer norm and zoneout, any form.
        x: input [T, B, I].
        h0: initial states [L·D, B, H], or [B, H] with one layer and direction; if None, the learnt ones or zeros.

    Returns:
        A `Trace` of tensors [T, B, H] or [L·D, T, B, H].

    Raises:
        ShapeError: initial states of another shape.
        WeightsError: the GRU has layer norm or zoneout.
    """
    check_alike(x=x, **({} if h0 is None else {"h0": h0}), w_hh=gru.weights().w_hh)
    starts, found = _starts(gru, x, h0), []
    for layer in range(gru.num_layers):
        sides = []
        for reverse in range(gru.directions):
            start = starts[layer * gru.directions + reverse]
            sides.append(_direction(gru.weights(layer, bool(reverse)), x, start, bool(reverse)))
        found += sides
        x = torch.cat([side.state for side in sides], -1)
    return found[0] if len(found) == 1 else Trace(*(torch.stack(parts) for parts in zip(*found, strict=True)))


def _starts(gru: GRU, x: Tensor, h0: Tensor | None) -> Tensor:
    """Initial states [L·D, B, H]."""
    expected = gru.num_layers * gru.directions, x.shape[1], gru.hidden_size
    if h0 is None:
        given = gru.initial_state[:, None] if gru.learn_initial_state else x.new_zeros(expected)
        return given.expand(expected)
    if tuple(h0.shape) not in (expected, expected[1:] if expected[0] == 1 else expected):
        raise ShapeError(f"trace expected initial states {list(expected)}, got {list(h0.shape)}")
    return h0.expand(expected)


def _direction(weights: GRUWeights, x: Tensor, h: Tensor, reverse: bool) -> Trace:
    projections, rows = equations.input_projections(x, weights), []
    for gi in projections.flip(0) if reverse else projections:
        gates = equations.gates(gi, h, weights, xp=torch)
        h = (1 - gates.update) * h + gates.update * gates.candidate
        rows.append((*gates, h))
    return Trace(*(torch.stack(column[::-1] if reverse else column) for column in zip(*rows, strict=True)))
