"""Cross-entropy of a linear output layer in chunks, without storing all log-probabilities."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gruworks.errors import DtypeError, ShapeError
from gruworks.nn.recurrence.operands import check_alike, check_beside

__all__ = ["linear_cross_entropy"]

CHUNK_ENTRIES = 2_000_000  # logits per chunk: 8 MB of float32 fit into the last-level cache


def linear_cross_entropy(x: Tensor, weight: Tensor, bias: Tensor, targets: Tensor, smoothing: float = 0.0) -> Tensor:
    """Cross-entropy of each row in nats, -log softmax(x Wᵀ + b)[target]; 0 where the target is negative.

    >>> linear_cross_entropy(torch.zeros(2, 3), torch.zeros(4, 3), torch.zeros(4), torch.tensor([1, -1]))
    tensor([1.3863, 0.0000])

    Gradients are computed in the forward, chunk by chunk. They are valid for a **sum or mean** over the rows: the
    gradient of the result must be equal in all rows whose target isn't negative.

    Args:
        x: inputs of the output layer [N, H].
        weight: [V, H]. bias: [V].
        targets: token indices [N], int64; negative ones are ignored.
        smoothing: label smoothing, the probability distributed uniformly over all V (Szegedy et al. 2016).

    Returns:
        The losses [N].

    Raises:
        ShapeError: shapes don't match, or, in the backward, gradients differ between rows.
        DeviceError, DtypeError: operands on different devices or of other types.
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
    """Chunked loss and gradients with few passes over the logits.

    The gradient of the logits is p - (1 - s) onehot - s / V. The last term is constant across V and added outside of
    the chunks. The softmax is left unnormalized; its factors are applied to the smaller operands.
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
            losses[part], factor = _losses(scores, targets[part], smoothing, mean)
            if grads is not None:
                torch.mm(scores, weight, out=grads[0][part]).mul_(factor[:, None])
                grads[1].addmm_(scores.t(), x[part] * factor[:, None])
                grads[2].addmv_(scores.t(), factor)
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
    """Losses [N] and the factors [N] by which the rows of `scores`, overwritten, become gradients of the logits.

    The uniform term of label smoothing is left out of the gradients. `mean` [N] is the mean logit of each row.
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
