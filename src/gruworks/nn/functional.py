"""The recurrence as a torch function: one layer, one direction. Modules are built from it."""

from __future__ import annotations

import torch
from torch import Tensor

from gruworks.ops import equations
from gruworks.ops.weights import GRUWeights

__all__ = ["gru_layer"]


def gru_layer(
    x: Tensor,
    h0: Tensor,
    weights: GRUWeights,
    lengths: Tensor | None = None,
    reverse: bool = False,
) -> tuple[Tensor, Tensor]:
    """One layer in one direction over x [T, B, I] from h0 [B, H]: every state [T, B, H] and the last one [B, H].

    `lengths` (integers [B]) ends each row early: outputs beyond are 0, the final state is the one at the row's own
    end, and what stands in the padding, NaN included, never reaches a result or a gradient. `reverse` runs each row
    from its own end to its start; outputs stay in the order of x. T = 0 returns h0.

    The "after" form runs torch's own kernel, the "before" form the equations in torch.
    """
    if weights.reset == "before" or x.shape[0] == 0:
        output, final = equations.sequence(x, h0, weights, lengths, reverse, xp=torch)
        return output, final
    if lengths is None:
        output, final = _torch_kernel(x.flip(0) if reverse else x, h0, weights)
        return (output.flip(0) if reverse else output), final
    return _ragged(x, h0, weights, lengths, reverse)


def _ragged(x: Tensor, h0: Tensor, weights: GRUWeights, lengths: Tensor, reverse: bool) -> tuple[Tensor, Tensor]:
    """A causal kernel never sees what comes later, so ragged rows need only clean padding and a look at their ends."""
    valid = equations.valid_steps(lengths, x.shape[0], torch)
    x = torch.where(valid, x, 0)
    backwards = _reversal(lengths, x.shape[0])[:, :, None] if reverse else None
    if backwards is not None:
        x = x.gather(0, backwards.expand_as(x))
    output, _ = _torch_kernel(x, h0, weights)
    last = (lengths - 1).clamp(min=0)[None, :, None].expand(1, *h0.shape)
    final = torch.where((lengths > 0)[:, None], output.gather(0, last)[0], h0)
    if backwards is not None:
        output = output.gather(0, backwards.expand_as(output))
    return torch.where(valid, output, 0), final


def _reversal(lengths: Tensor, steps: int) -> Tensor:
    """[T, B]: for each step, the step that takes its place when the row is read from its end; its own inverse."""
    t = torch.arange(steps, device=lengths.device)[:, None]
    return torch.where(t < lengths[None], lengths[None] - 1 - t, t)


def _torch_kernel(x: Tensor, h0: Tensor, weights: GRUWeights) -> tuple[Tensor, Tensor]:
    flat = [array for array in weights.arrays() if array is not None]
    output, final = torch.gru(x, h0[None].contiguous(), flat, len(flat) == 4, 1, 0.0, False, False, False)
    return output, final[0]
