"""Cross-entropy of a linear output layer, without ever holding all its log-probabilities."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gruworks.errors import DtypeError, ShapeError
from gruworks.nn.recurrence.operands import check_alike, check_beside

__all__ = ["linear_cross_entropy"]

CHUNK_ENTRIES = 2_000_000  # of float32: 8 MB of scores at a time stay in the last cache


def linear_cross_entropy(x: Tensor, weight: Tensor, bias: Tensor, targets: Tensor, smoothing: float = 0.0) -> Tensor:
    """Each row's cross-entropy in nats, -log softmax(x Wᵀ + b)[target]; a negative target costs nothing.

    >>> linear_cross_entropy(torch.zeros(2, 3), torch.zeros(4, 3), torch.zeros(4), torch.tensor([1, -1]))
    tensor([1.3863, 0.0000])

    x [N, H], weight [V, H], bias [V], targets [N] of int64; the answer is [N]. `smoothing` is the share of the target's
    probability that is spread over all V (Szegedy et al. 2016). The gradients are those of the formula; with grad
    enabled they are formed in the forward, where the scores are at hand, for a loss that is a **sum or mean** of the
    rows: the gradient that arrives must be the same number in every row whose target isn't negative.

    Raises:
        ShapeError: operands that do not fit together.
    """
    check_alike(x=x, bias=bias, weight=weight)
    check_beside("targets", targets, weight)
    if targets.dtype != torch.int64:
        raise DtypeError(f"targets must be torch.int64, not {targets.dtype}")
    if x.dim() != 2:
        raise ShapeError(f"x must be [N, H], not {list(x.shape)}")
    N, H = x.shape
    if weight.shape[1:] != (H,) or bias.shape != weight.shape[:1] or targets.shape != (N,):
        raise ShapeError(
            f"x [N, H] needs weight [V, H], bias [V] and targets [N], got {list(x.shape)}, {list(weight.shape)}, "
            f"{list(bias.shape)} and {list(targets.shape)}"
        )
    wanted = torch.is_grad_enabled() and any(t.requires_grad for t in (x, weight, bias))
    operands = x, weight, bias, targets, smoothing, wanted
    answer: Tensor = _LinearCrossEntropy.apply(*operands)  # type: ignore[no-untyped-call]
    return answer


class _LinearCrossEntropy(torch.autograd.Function):
    """Chunk by chunk, with as few walks over the scores as there can be.

    The gradient in the scores is p - (1 - s) onehot - s / V. Its last part never enters a chunk: it adds the same row
    to every gradient of x, and the same number to whole columns of the others. Nor are the scores divided by their
    sum: the few numbers that they are multiplied with are.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, targets: Tensor, smoothing: float, wanted: bool
    ) -> Tensor:
        losses = x.new_empty(len(x))
        grads = (torch.empty_like(x), torch.zeros_like(weight), torch.zeros_like(bias)) if wanted else None
        mean_weight, mean_bias = (weight.mean(0) if smoothing else None), bias.mean()
        rows = max(1, CHUNK_ENTRIES // len(weight))
        for start in range(0, len(x), rows):
            part = slice(start, start + rows)
            scores = torch.addmm(bias, x[part], weight.t())
            mean = None if mean_weight is None else x[part] @ mean_weight + mean_bias
            losses[part], share = _losses(scores, targets[part], smoothing, mean)
            if grads is not None:
                torch.mm(scores, weight, out=grads[0][part]).mul_(share[:, None])
                grads[1].addmm_(scores.t(), x[part] * share[:, None])
                grads[2].addmv_(scores.t(), share)
        if grads is not None and mean_weight is not None:
            counted = (targets >= 0).to(x.dtype)
            grads[0].addr_(counted, mean_weight, alpha=-smoothing)
            grads[1].sub_(counted @ x, alpha=smoothing / len(weight))
            grads[2].sub_(counted.sum(), alpha=smoothing / len(weight))
        ctx.save_for_backward(targets, *(grads or ()))
        return losses

    @staticmethod
    def backward(ctx: Any, *arrived: Tensor) -> Any:
        targets, *grads = ctx.saved_tensors
        counted = arrived[0][targets >= 0]
        if not len(counted):
            return (*(torch.zeros_like(grad) for grad in grads), None, None, None)
        if not bool((counted == counted[0]).all()):
            raise ShapeError("linear_cross_entropy's rows must be summed or averaged: their gradients differ")
        return (*(grad * counted[0] for grad in grads), None, None, None)


def _losses(scores: Tensor, targets: Tensor, smoothing: float, mean: Tensor | None) -> tuple[Tensor, Tensor]:
    """The rows' losses, and the share [N] that `scores`, row by row, are then to be multiplied with: what comes out is
    the gradient in the scores, but for what smoothing adds to all entries of a row. `mean` is that of a row's scores.
    """
    place = targets.clamp(min=0)[:, None]
    largest = scores.amax(1, keepdim=True)
    at_target = scores.gather(1, place) - largest
    total = scores.sub_(largest).exp_().sum(1, keepdim=True)
    scores.scatter_add_(1, place, total * (smoothing - 1))
    losses = total.log().sub_(at_target, alpha=1 - smoothing)[:, 0]
    if mean is not None:
        losses -= smoothing * (mean - largest[:, 0])
    counted = (targets >= 0).to(scores.dtype)
    return losses * counted, counted / total[:, 0]
