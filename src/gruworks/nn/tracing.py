"""Gates, candidates and states of a GRU layer at every time step."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from gruworks.nn.gru import GRU
from gruworks.nn.recurrence.operands import check_alike
from gruworks.ops import equations

__all__ = ["Trace", "trace"]


class Trace(NamedTuple):
    """Reset gate r_t, update gate z_t (1 replaces the state), candidate h̃_t and state h_t, each [T, B, H]."""

    reset: Tensor
    update: Tensor
    candidate: Tensor
    state: Tensor


@torch.no_grad()
def trace(gru: GRU, x: Tensor, h0: Tensor | None = None) -> Trace:
    """Gates and states of a GRU with one layer and one direction, without gradients.

    >>> trace(GRU(1, 2), torch.zeros(5, 1, 1)).update.shape
    torch.Size([5, 1, 2])

    Args:
        gru: a plain GRU, either reset form.
        x: input [T, B, I].
        h0: initial state [B, H]; None for zeros.

    Returns:
        A `Trace` of tensors [T, B, H].

    Raises:
        WeightsError: the GRU has layer norm or zoneout.
    """
    weights = gru.weights()
    check_alike(x=x, **({} if h0 is None else {"h0": h0}), w_hh=weights.w_hh)
    h = x.new_zeros(x.shape[1], gru.hidden_size) if h0 is None else h0
    rows = []
    for gi in equations.input_projections(x, weights):
        gates = equations.gates(gi, h, weights, xp=torch)
        h = (1 - gates.update) * h + gates.update * gates.candidate
        rows.append((*gates, h))
    return Trace(*(torch.stack(column) for column in zip(*rows, strict=True)))
