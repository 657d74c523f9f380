"""Independent GRUs over slices of the features in one call: `grouped_gru`."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gruworks.errors import OptionError, ShapeError
from gruworks.nn.functional import gru_layer
from gruworks.nn.recurrence.operands import check_tensor, check_weights
from gruworks.nn.recurrence.stack import stack
from gruworks.ops.weights import GRUWeights

__all__ = ["grouped_gru"]


def grouped_gru(
    x: Tensor,
    h0: Tensor | None,
    weights: Sequence[GRUWeights],
    *,
    bidirectional: bool = False,
    batch_first: bool = False,
) -> tuple[Tensor, Tensor]:
    """Independent GRUs over slices of the features, in one call: G groups, each in D directions.

    >>> groups = [GRUWeights.random(3, 4, seed=seed).map(torch.tensor) for seed in (0, 1)]
    >>> output, final = grouped_gru(torch.zeros(7, 5, 6, dtype=torch.float64), None, groups)
    >>> output.shape, final.shape                              # [T, B, G·H], [G, B, H]
    (torch.Size([7, 5, 8]), torch.Size([2, 5, 4]))

    Args:
        x: input [T, B, G·I], [B, T, G·I] if batch_first; group g reads the features g·I to (g + 1)·I.
        h0: initial states [G·D, B, H]; None for zeros.
        weights: of each group, w_ih [3H, I], w_hh [3H, H] and biases [3H]; if bidirectional, of each group those of
            the forward and then of the reverse direction.
        bidirectional: every group has a reverse direction, too (D = 2).
        batch_first: the first axis of x and of the output is B.

    Returns:
        The output [T, B, G·D·H] ([B, T, G·D·H]), for each group its directions, and the final states [G·D, B, H].

    Raises:
        ShapeError, DtypeError, DeviceError, OptionError: operands that don't match; weights of several sizes or forms.

    Source: grouped recurrent layers, Gao et al. 2018 (https://arxiv.org/abs/1805.07885).
    """
    D = 1 + bidirectional
    units = _units(weights, D)
    G = len(units) // D
    _check(x, h0, units[0], G, D, batch_first)
    if units[0].unit.usual:
        found = stack(x, h0, [w.arrays() for w in units], units[0].reset == "before", D, batch_first, groups=G)
        if found is not None:
            return found
    outputs, finals = [], []
    slices = (x.transpose(0, 1) if batch_first else x).chunk(G, -1)
    for i, own in enumerate(units):
        output, final = gru_layer(slices[i // D], None if h0 is None else h0[i], own, reverse=i % D == 1)
        outputs.append(output)
        finals.append(final)
    joined = torch.cat(outputs, -1)
    return joined.transpose(0, 1) if batch_first else joined, torch.stack(finals)


def _units(weights: Sequence[GRUWeights], directions: int) -> list[GRUWeights]:
    units = [check_weights(own) for own in weights]
    if not units or len(units) % directions:
        raise OptionError(f"expected weights of at least one group, {directions} for each, got {len(units)}")
    kinds = {(own.w_ih.shape, own.w_hh.shape, own.unit) for own in units}
    if len(kinds) > 1:
        raise ShapeError(f"expected groups of one size and form, got {len(kinds)}")
    return units


def _check(x: Tensor, h0: Tensor | None, own: GRUWeights, G: int, D: int, batch_first: bool) -> None:
    check_tensor("x", x)
    I, H = own.w_ih.shape[1], own.w_hh.shape[1]  # noqa: E741 (the field's letter)
    if x.dim() != 3 or x.shape[-1] != G * I:
        raise ShapeError(f"expected x of {G} groups of {I} features, [..., {G * I}], got {list(x.shape)}")
    if h0 is None:
        return
    check_tensor("h0", h0)
    states = [G * D, x.shape[0 if batch_first else 1], H]
    if list(h0.shape) != states:
        raise ShapeError(f"expected h0 {states}, got {list(h0.shape)}")
