"""A linear recurrence h_t = a_t * h_{t-1} + b_t for all steps at once, in log space.

Heinsen 2023, arXiv 2311.06281.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["log_scan"]

# Logarithms are summed within a chunk only: over a whole long sequence their sum would lose the digits that the
# difference of two of them needs. 64 steps keep float32 results within 1e-5 of the step-by-step ones.
CHUNK = 64


def log_scan(log_a: Tensor, log_b: Tensor, h0: Tensor) -> Tensor:
    """Every state [T, B, H] of h_t = a_t * h_{t-1} + b_t, from log a and log b [T, B, H] and h0 [B, H] of any sign.

    >>> half = torch.full((3, 1, 1), 0.5).log()
    >>> log_scan(half, half, torch.zeros(1, 1))[:, 0, 0]
    tensor([0.5000, 0.7500, 0.8750])

    a and b must be positive; their logarithms may be as low as the type allows. T = 0 gives no states.
    """
    states, h = [], h0
    for a, b in zip(torch.split(log_a, CHUNK), torch.split(log_b, CHUNK), strict=True):
        decay = a.cumsum(0)  # log of the share of h that is left after each step
        chunk = decay.exp() * h + (decay + torch.logcumsumexp(b - decay, 0)).exp()
        states.append(chunk)
        h = chunk[-1] if len(chunk) else h
    return torch.cat(states)
