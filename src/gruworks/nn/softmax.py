"""Cross-entropy of a linear output layer, without ever holding all its log-probabilities."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gruworks.errors import ShapeError

__all__ = ["linear_cross_entropy"]

CHUNK_ENTRIES = 2_000_000  # of float32: 8 MB of scores at a time stay in the last cache


def linear_cross_entropy(x: Tensor, weight: Tensor, bias: Tensor, targets: Tensor) -> Tensor:
    """Each row's cross-entropy in nats, -log softmax(x Wᵀ + b)[target]; a negative target costs nothing.

    >>> linear_cross_entropy(torch.zeros(2, 3), torch.zeros(4, 3), torch.zeros(4), torch.tensor([1, -1]))
    tensor([1.3863, 0.0000])

    x [N, H], weight [V, H], bias [V], targets [N] of int64; the answer is [N]. The gradients are those of the formula;
    with grad enabled they are formed in the forward, where the scores are at hand, for a loss that is a **sum or mean**
    of the rows: the gradient that arrives must be the same number in every row whose target isn't negative.

    Raises:
        ShapeError: operands that do not fit together.
    """
    N, H = x.shape
    if weight.shape[1:] != (H,) or bias.shape != weight.shape[:1] or targets.shape != (N,):
        raise ShapeError(
            f"x [N, H] needs weight [V, H], bias [V] and targets [N], got {list(x.shape)}, {list(weight.shape)}, "
            f"{list(bias.shape)} and {list(targets.shape)}"
        )
    answer: Tensor = _LinearCrossEntropy.apply(x, weight, bias, targets)  # type: ignore[no-untyped-call]
    return answer


class _LinearCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, targets: Tensor) -> Tensor:
        wanted = any(ctx.needs_input_grad)
        losses = x.new_empty(len(x))
        grads = (torch.empty_like(x), torch.zeros_like(weight), torch.zeros_like(bias)) if wanted else None
        rows = max(1, CHUNK_ENTRIES // len(weight))
        for start in range(0, len(x), rows):
            part = slice(start, start + rows)
            scores = torch.addmm(bias, x[part], weight.t())
            losses[part] = _losses(scores, targets[part])
            if grads is not None:
                torch.mm(scores, weight, out=grads[0][part])
                grads[1].addmm_(scores.t(), x[part])
                grads[2].add_(scores.sum(0))
        ctx.save_for_backward(targets, *(grads or ()))
        return losses

    @staticmethod
    def backward(ctx: Any, *arrived: Tensor) -> Any:
        targets, *grads = ctx.saved_tensors
        counted = arrived[0][targets >= 0]
        if not len(counted):
            return (*(torch.zeros_like(grad) for grad in grads), None)
        if not bool((counted == counted[0]).all()):
            raise ShapeError("linear_cross_entropy's rows must be summed or averaged: their gradients differ")
        return (*(grad * counted[0] for grad in grads), None)


def _losses(scores: Tensor, targets: Tensor) -> Tensor:
    """The rows' losses; `scores` are then softmax minus one at the target: the gradient in the scores."""
    place = targets.clamp(min=0)[:, None]
    scores.sub_(scores.amax(1, keepdim=True))
    at_target = scores.gather(1, place)
    total = scores.exp_().sum(1, keepdim=True)
    scores.div_(total)
    scores.scatter_add_(1, place, scores.new_full((len(scores), 1), -1.0))
    counted = targets >= 0
    if not bool(counted.all()):
        scores.mul_(counted[:, None])
    return (total.log() - at_target)[:, 0] * counted
